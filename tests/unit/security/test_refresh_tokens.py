from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.errors import RefreshTokenInvalid
from shared.security import refresh_tokens
from shared.security.refresh_tokens import RefreshToken, RefreshTokens

KEY = bytes(range(32))
TOKENS = RefreshTokens(KEY)
TOKEN = RefreshToken(UUID("00112233-4455-6677-8899-aabbccddeeff"), 258)
TEXT = TOKENS.encode(TOKEN)
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
COUNTERS = st.integers(0, 2**64 - 1)


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _refuse(text: str) -> None:
    with pytest.raises(RefreshTokenInvalid):
        TOKENS.decode(text)


@given(st.uuids(), COUNTERS)
@example(UUID(int=0), 0)
@example(UUID(int=2**128 - 1), 2**64 - 1)
@settings(deadline=None)
def test_token_is_read_as_it_was_written(session_id: UUID, counter: int) -> None:
    token = RefreshToken(session_id, counter)
    assert TOKENS.decode(TOKENS.encode(token)) == token


def test_token_is_session_counter_and_hmac_in_base64url() -> None:
    content = bytes.fromhex("00112233445566778899aabbccddeeff" + "0000000000000102")
    assert TEXT == _base64url(content + hmac.digest(KEY, content, hashlib.sha256))


@given(st.uuids(), COUNTERS)
@settings(deadline=None)
def test_token_is_75_characters_that_need_no_quoting(session_id: UUID, counter: int) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{75}", TOKENS.encode(RefreshToken(session_id, counter)))


@pytest.mark.parametrize("key", [b"", KEY[:-1], KEY[::-1], KEY + b"\1"])
def test_token_of_another_key_is_refused(key: bytes) -> None:
    _refuse(RefreshTokens(key).encode(TOKEN))


def test_token_of_an_old_key_is_read_and_none_is_written_with_it() -> None:
    rotated = RefreshTokens(bytes(32), (KEY[::-1], KEY))
    assert rotated.decode(TEXT) == TOKEN
    assert rotated.encode(TOKEN) == RefreshTokens(bytes(32)).encode(TOKEN) != TEXT
    assert rotated.decode(rotated.encode(TOKEN)) == TOKEN


def test_old_key_that_is_dropped_reads_no_more() -> None:
    with pytest.raises(RefreshTokenInvalid):
        RefreshTokens(bytes(32), (KEY[::-1],)).decode(TEXT)


@pytest.mark.parametrize("other", [RefreshToken(TOKEN.session_id, 259), RefreshToken(UUID(int=1), 258)])
def test_mac_of_one_token_is_good_for_no_other(other: RefreshToken) -> None:
    raw, raw_other = (base64.urlsafe_b64decode(text + "=") for text in (TEXT, TOKENS.encode(other)))
    _refuse(_base64url(raw_other[:24] + raw[24:]))


@pytest.mark.parametrize("mac", [bytes(32), b"\xff" * 32, hashlib.sha256().digest()])
def test_content_without_its_mac_is_refused(mac: bytes) -> None:
    _refuse(_base64url(base64.urlsafe_b64decode(TEXT + "=")[:24] + mac))


@pytest.mark.parametrize("at", range(len(TEXT)))
def test_token_with_one_character_changed_is_refused(at: int) -> None:
    # The lowest bit: of the last character, it stands for no bit of the token.
    changed = BASE64URL[BASE64URL.index(TEXT[at]) ^ 1]
    _refuse(TEXT[:at] + changed + TEXT[at + 1 :])


@pytest.mark.parametrize(("ours", "theirs"), ["-+", "_/"])
def test_the_other_base64_alphabet_is_refused(ours: str, theirs: str) -> None:
    texts = (TOKENS.encode(RefreshToken(TOKEN.session_id, counter)) for counter in range(1000))
    text = next(text for text in texts if ours in text)
    _refuse(text.replace(ours, theirs))


NO_TOKENS = ["", "A", "A" * 74, "A" * 75, "A" * 76, "=" * 75, " " * 75, "\0" * 75, "é" * 75, "\ud800" * 75]
WRAPPED = [
    TEXT[:-1],
    TEXT + "=",
    TEXT + "A",
    f" {TEXT}",
    f"{TEXT}\n",
    TEXT[:-1] + "\n",
    TEXT[:-1] + "=",
    TEXT * 2,
]


@pytest.mark.parametrize("text", [*NO_TOKENS, *WRAPPED])
def test_text_of_another_shape_is_refused(text: str) -> None:
    _refuse(text)


@given(st.text() | st.text(min_size=75, max_size=75) | st.text(BASE64URL, min_size=75, max_size=75))
@settings(deadline=None)
def test_any_text_is_refused(text: str) -> None:
    _refuse(text)


def test_key_is_not_in_the_repr() -> None:
    tokens = RefreshTokens(KEY, (KEY,))
    assert repr(KEY) not in repr(tokens) and KEY.hex() not in repr(tokens)


def test_lifetimes_are_a_day_a_month_and_ten_seconds() -> None:
    lifetimes = refresh_tokens.LIFETIME, refresh_tokens.SESSION_LIFETIME, refresh_tokens.GRACE
    assert lifetimes == (timedelta(days=1), timedelta(days=30), timedelta(seconds=10))
