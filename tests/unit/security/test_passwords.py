from __future__ import annotations

from typing import Literal

import pytest
from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.security import passwords
from shared.security.passwords import DUMMY_HASH, hash_password, is_outgrown, verify_password

PASSWORD = "correct horse battery staple"
HASH = "$argon2id$v=19$m=19456,t=2,p=1$kw00QMkBiNob+ThfXjBzcw$QZrScSX6MgkMNCN+RshRt7ctUKJpUBxkjgd68JTcf3Q"
UNICODE = st.text(st.characters(exclude_categories=["Cs"]), max_size=passwords.MAXIMUM_CHARACTERS)


class RecordingHasher(PasswordHasher):
    """Verifies as its parent does, and remembers against which hash."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str | bytes] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        self.seen.append(hash)
        return super().verify(hash, password)


def test_right_password_is_verified_against_a_stored_hash() -> None:
    assert verify_password(PASSWORD, HASH)


@pytest.mark.parametrize(
    "password", ["", "Correct horse battery staple", f"{PASSWORD} ", f" {PASSWORD}", PASSWORD[:-1], HASH]
)
def test_wrong_password_is_not(password: str) -> None:
    assert not verify_password(password, HASH)


@given(UNICODE)
@settings(deadline=None, max_examples=10)
def test_any_password_can_be_hashed_and_verified(password: str) -> None:
    assert verify_password(password, hash_password(password))


def test_same_password_is_never_hashed_to_the_same() -> None:
    assert hash_password(PASSWORD) != hash_password(PASSWORD)


@pytest.mark.parametrize("password_hash", [hash_password(PASSWORD), DUMMY_HASH], ids=["real", "dummy"])
def test_parameters_are_those_of_owasp(password_hash: str) -> None:
    parameters = extract_parameters(password_hash)
    assert (parameters.type, parameters.version) == (Type.ID, 19)
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (19456, 2, 1)


def test_salt_and_hash_are_as_long_as_rfc_9106_recommends() -> None:
    parameters = extract_parameters(hash_password(PASSWORD))
    assert (parameters.salt_len, parameters.hash_len) == (16, 32)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("caf\u00e9 au lait", "cafe\u0301 au lait"),
        ("12345678", "\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18"),
        ("of\ufb01ce hours", "office hours"),
        ("\uac00\uac01\uac02", "\u1100\u1161\u1100\u1161\u11a8\u1100\u1161\u11a9"),
        ("no\u00a0break", "no break"),
    ],
    ids=["accent", "full width", "ligature", "hangul", "no-break space"],
)
def test_same_letters_typed_otherwise_are_the_same_password(one: str, other: str) -> None:
    assert verify_password(one, hash_password(other)) and verify_password(other, hash_password(one))


@pytest.mark.parametrize("length", [71, 72, 73, 128, 255])
def test_every_character_counts(length: int) -> None:
    assert not verify_password("x" * length + "a", hash_password("x" * length + "b"))


@pytest.mark.parametrize("other", ["pass", "pass\0", "pass\0other", "\0", ""])
def test_characters_after_a_nul_count(other: str) -> None:
    assert not verify_password(other, hash_password("pass\0word"))


@pytest.mark.parametrize("password", [PASSWORD, "", "can't be the hash of anything", DUMMY_HASH])
def test_unknown_user_has_no_right_password(password: str) -> None:
    assert not verify_password(password, None)


def test_unknown_user_costs_a_verification(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = RecordingHasher()
    monkeypatch.setattr(passwords, "_hasher", hasher)
    verify_password(PASSWORD, None)
    assert hasher.seen == [DUMMY_HASH]


def test_unknown_user_stays_unknown_even_if_the_dummys_password_were_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passwords, "DUMMY_HASH", HASH)
    assert not verify_password(PASSWORD, None)


def test_dummy_hash_is_computed_and_not_refused_at_sight() -> None:
    with pytest.raises(VerifyMismatchError):
        PasswordHasher().verify(DUMMY_HASH, PASSWORD)


@pytest.mark.parametrize("broken", ["", "x", "$argon2id$", HASH[:-40], HASH.replace("argon2id", "argon2x")])
def test_broken_hash_is_no_wrong_password(broken: str) -> None:
    with pytest.raises((InvalidHashError, VerificationError)):
        verify_password(PASSWORD, broken)


def test_lack_of_memory_is_no_wrong_password() -> None:
    more_than_there_is = HASH.replace("m=19456", f"m={2**32 - 1}")
    with pytest.raises(VerificationError, match="Memory allocation error"):
        verify_password(PASSWORD, more_than_there_is)


@pytest.mark.parametrize(
    "parameters, outgrown",
    [
        ("m=19456,t=2,p=1", False),
        ("m=65536,t=3,p=4", False),
        ("m=19455,t=2,p=1", True),
        ("m=65536,t=1,p=1", True),
    ],
)
def test_hash_that_costs_a_guesser_less_than_todays_is_outgrown(parameters: str, outgrown: bool) -> None:
    assert is_outgrown(HASH.replace("m=19456,t=2,p=1", parameters)) == outgrown
