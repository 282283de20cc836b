from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jose import jwk

from shared.config import SigningSettings
from shared.errors import InvalidToken
from shared.security import access_tokens
from shared.security.access_tokens import AccessTokenIssuer, AccessTokenVerifier, Identity
from shared.security.keys import Key, signing_key, verification_keys
from shared.security.refresh_tokens import RefreshToken, RefreshTokens

NOW = 4_000_000_000
ISSUER, AUDIENCE = "https://issuer.test", "pictures"
IDENTITY = Identity(UUID(int=1), UUID(int=2))
SECRET = "0123456789abcdef0123456789abcdef"
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _ring(**environment: str) -> tuple[AccessTokenIssuer, AccessTokenVerifier]:
    read = SigningSettings.from_environment(environment)
    issuer = AccessTokenIssuer(signing_key(read), ISSUER, AUDIENCE)
    return issuer, AccessTokenVerifier(verification_keys(read), ISSUER, AUDIENCE)


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    plain, pkcs8 = serialization.NoEncryption(), serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, pkcs8, plain).decode()


EC_PEM = _pem(ec.derive_private_key(7, ec.SECP256R1()))
RINGS = {
    "ES256": _ring(JWT_ALGORITHM="ES256", JWT_PRIVATE_KEY=EC_PEM),
    "RS256": _ring(JWT_ALGORITHM="RS256", JWT_PRIVATE_KEY=_pem(rsa.generate_private_key(65537, 2048))),
    "HS256": _ring(JWT_ALGORITHM="HS256", JWT_SECRET=SECRET),
}
KEY, VERIFIER = RINGS["ES256"][0].key, RINGS["ES256"][1]
STRANGER = _ring(JWT_PRIVATE_KEY=_pem(ec.derive_private_key(8, ec.SECP256R1())))[0].key
PUBLIC_PEM = jwk.construct(EC_PEM, "ES256").public_key().to_pem()
PUBLIC_JWK = VERIFIER.keys.jwks()["keys"][0]

HEADER: dict[str, Any] = {"alg": "ES256", "typ": "at+jwt", "kid": KEY.kid}
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": str(IDENTITY.user_id),
    "sid": str(IDENTITY.session_id),
    "iat": NOW,
    "exp": NOW + 900,
    "jti": "one",
}


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _part(value: object) -> str:
    return _base64url(value if isinstance(value, bytes) else json.dumps(value).encode())


def _read(part: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def _sign(header: object = HEADER, claims: object = CLAIMS, key: Key = KEY) -> str:
    content = f"{_part(header)}.{_part(claims)}"
    return f"{content}.{_base64url(jwk.construct(key.material, key.algorithm).sign(content.encode()))}"


def _respell(token: str) -> str:
    """Change the last bit of the last character, which stands for no bit of the signature."""
    return token[:-1] + BASE64URL[BASE64URL.index(token[-1]) ^ 1]


def _without(members: dict[str, Any], name: str) -> dict[str, Any]:
    return {member: value for member, value in members.items() if member != name}


def _refuse(token: str, verifier: AccessTokenVerifier = VERIFIER) -> InvalidToken:
    with pytest.raises(InvalidToken) as refusal:
        verifier.verify(token)
    return refusal.value


VALID = _sign()
CONTENT, _, SIGNATURE = VALID.rpartition(".")


@pytest.fixture(scope="module", autouse=True)
def _frozen_time() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(access_tokens, "time", SimpleNamespace(time=lambda: NOW + 0.9))
        yield


@pytest.mark.parametrize("algorithm", RINGS)
def test_issued_token_speaks_for_whom_it_was_issued(algorithm: str) -> None:
    issuer, verifier = RINGS[algorithm]
    assert verifier.verify(issuer.issue(IDENTITY)) == IDENTITY


@pytest.mark.parametrize("algorithm", RINGS)
def test_issued_token_has_the_profile_of_rfc_9068(algorithm: str) -> None:
    issuer = RINGS[algorithm][0]
    header, claims, _ = issuer.issue(IDENTITY).split(".")
    assert _read(header) == {"alg": algorithm, "typ": "at+jwt", "kid": issuer.key.kid}
    assert _read(claims) == CLAIMS | {"jti": _read(claims)["jti"]}


def test_no_two_tokens_have_the_same_jti() -> None:
    tokens = [RINGS["ES256"][0].issue(IDENTITY) for _ in range(20)]
    assert len({_read(token.split(".")[1])["jti"] for token in tokens}) == 20


@pytest.mark.parametrize("secret", [f'"{SECRET}"', f'["{SECRET}"]', f'{{"k": "{SECRET}"}}', " " + "1" * 32])
def test_secret_is_taken_as_it_is_even_where_it_reads_as_json(secret: str) -> None:
    issuer, verifier = _ring(JWT_ALGORITHM="HS256", JWT_SECRET=secret)
    assert verifier.verify(issuer.issue(IDENTITY)) == IDENTITY


def test_token_signed_by_hand_is_accepted() -> None:
    assert VERIFIER.verify(VALID) == IDENTITY


def test_one_of_several_audiences_is_enough() -> None:
    assert VERIFIER.verify(_sign(claims=CLAIMS | {"aud": ["others", AUDIENCE]})) == IDENTITY


NONE = ["none", "None", "NONE", "nOnE", "none ", ""]
OTHER_ALGORITHMS = ["HS256", "RS256", "ES384", "PS256", "EdDSA", "es256", "ES256 ", "ES256\0"]
NO_ALGORITHMS: list[object] = [["ES256"], {"ES256": 1}, 256, 0, None, True]


@pytest.mark.parametrize("alg", [*NONE, *OTHER_ALGORITHMS, *NO_ALGORITHMS])
def test_algorithm_other_than_the_keys_is_refused_though_signed_well(alg: object) -> None:
    _refuse(_sign(HEADER | {"alg": alg}))


@pytest.mark.parametrize("alg", NONE)
@pytest.mark.parametrize("signature", ["", "AA", SIGNATURE], ids=["empty", "short", "borrowed"])
def test_unsigned_token_is_refused(alg: str, signature: str) -> None:
    _refuse(f"{_part(HEADER | {'alg': alg})}.{_part(CLAIMS)}.{signature}")


@pytest.mark.parametrize(
    "secret",
    [PUBLIC_PEM, PUBLIC_PEM.strip(), json.dumps(PUBLIC_JWK).encode(), KEY.kid.encode(), b"", b"\0"],
    ids=["pem", "stripped pem", "jwk", "kid", "empty", "nul"],
)
@pytest.mark.parametrize("alg", ["HS256", "ES256"])
def test_public_key_is_no_hmac_secret(secret: bytes, alg: str) -> None:
    content = f"{_part(HEADER | {'alg': alg})}.{_part(CLAIMS)}"
    _refuse(f"{content}.{_base64url(hmac.digest(secret, content.encode(), hashlib.sha256))}")


@pytest.mark.parametrize(
    ("ring", "other"), [(ring, other) for ring in RINGS for other in RINGS if ring != other]
)
def test_ring_takes_no_token_of_another_algorithm(ring: str, other: str) -> None:
    header = HEADER | {"alg": other, "kid": RINGS[ring][0].key.kid}
    _refuse(_sign(header, key=RINGS[other][0].key), RINGS[ring][1])


@pytest.mark.parametrize("kid", [STRANGER.kid, "", "ES256", None, 1, [KEY.kid], {}, "\ud800", "é", "../x"])
def test_unknown_kid_is_refused(kid: object) -> None:
    _refuse(_sign(HEADER | {"kid": kid}))


@pytest.mark.parametrize("typ", ["JWT", "jwt", "", "at+jwt ", "rt+jwt", None, 1, ["at+jwt"]])
def test_other_type_is_refused(typ: object) -> None:
    _refuse(_sign(HEADER | {"typ": typ}))


@pytest.mark.parametrize("name", HEADER)
def test_header_without_a_member_is_refused(name: str) -> None:
    _refuse(_sign(_without(HEADER, name)))


@pytest.mark.parametrize("crit", [["exp"], ["b64"], [], None])
def test_critical_extensions_are_refused(crit: object) -> None:
    _refuse(_sign(HEADER | {"crit": crit}))


@pytest.mark.parametrize("kid", [KEY.kid, STRANGER.kid], ids=["ours", "theirs"])
@pytest.mark.parametrize("member", [{}, {"jwk": STRANGER.material}, {"jku": "https://evil.test/jwks"}])
def test_strangers_key_is_refused(kid: str, member: dict[str, Any]) -> None:
    _refuse(_sign(HEADER | member | {"kid": kid}, key=STRANGER))


@pytest.mark.parametrize("name", CLAIMS)
def test_token_without_a_claim_is_refused(name: str) -> None:
    _refuse(_sign(claims=_without(CLAIMS, name)))


NO_UUIDS = ["", "ada", str(IDENTITY.user_id)[:-1], 1, None, [str(IDENTITY.user_id)], "\ud800", "1\0"]
WRONG_CLAIMS: dict[str, list[object]] = {
    "iss": ["", ISSUER + "/", ISSUER.upper(), "evil", None, [ISSUER], 1],
    "aud": ["", AUDIENCE + "s", AUDIENCE.upper(), None, [], ["others"], [AUDIENCE, 1], {AUDIENCE: 1}],
    "sub": [*NO_UUIDS],
    "sid": [*NO_UUIDS],
    "jti": [None, 1, ["one"]],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, one) for name in WRONG_CLAIMS for one in WRONG_CLAIMS[name]]
)
def test_wrong_claim_is_refused(name: str, value: object) -> None:
    _refuse(_sign(claims=CLAIMS | {name: value}))


NO_TIMES: list[object] = [
    None,
    [],
    [NOW],
    {},
    NOW + 0.5,
    float(NOW),
    str(NOW),
    "",
    True,
    float("inf"),
    float("nan"),
]


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", NO_TIMES)
def test_time_that_is_no_whole_number_is_refused(name: str, value: object) -> None:
    _refuse(_sign(claims=CLAIMS | {name: value}))


PAST = [("exp", NOW - 30), ("exp", 0), ("exp", -(10**30))]
FUTURE = [("iat", NOW + 31), ("nbf", NOW + 31), ("iat", 10**30)]


@pytest.mark.parametrize(("name", "value"), [*PAST, *FUTURE])
def test_token_out_of_its_time_is_refused(name: str, value: int) -> None:
    _refuse(_sign(claims=CLAIMS | {name: value}))


@pytest.mark.parametrize("now", [NOW, 1_000_000_000], ids=["after today", "before today"])
@pytest.mark.parametrize(("name", "after"), [("exp", -29), ("iat", 30), ("nbf", 30), ("nbf", -NOW)])
def test_clocks_may_be_half_a_minute_apart(
    monkeypatch: pytest.MonkeyPatch, now: int, name: str, after: int
) -> None:
    monkeypatch.setattr(access_tokens, "time", SimpleNamespace(time=lambda: now))
    times = {"iat": now, "exp": now + 900, name: now + after}
    assert VERIFIER.verify(_sign(claims=CLAIMS | times)) == IDENTITY


NO_OBJECTS = [b"", b"{", b"[]", b"null", b'"x"', b"1", b"\0", b"\xff", b"NaN", b"[" * 1500]
NESTED = b',"x":' + b"[" * 1500 + b"]" * 1500 + b"}"


@pytest.mark.parametrize("header", [*NO_OBJECTS, json.dumps(HEADER)[:-1].encode() + NESTED])
def test_header_that_is_no_plain_object_is_refused(header: bytes) -> None:
    _refuse(_sign(header))


@pytest.mark.parametrize("claims", [*NO_OBJECTS, json.dumps(CLAIMS).encode() + b"\0", b'{"sub":"\xff"}'])
def test_claims_that_are_no_object_are_refused(claims: bytes) -> None:
    _refuse(_sign(claims=claims))


NO_TOKENS = ["", ".", "..", "...", "\0", "\ud800", "é.é.é", "١.٢.٣", "=.=.=", "a.b.c"]
MISSHAPEN = [
    "{0}",
    "{0}.{1}",
    "{0}.{1}.{2}.",
    "{0}.{1}.{2}.AA",
    ".{0}.{1}.{2}",
    "{0}..{1}.{2}",
    "{1}.{0}.{2}",
]
WRAPPED = ["Bearer {0}.{1}.{2}", *("{0}.{1}.{2}" + junk for junk in (" ", "\n", "\0", "=", "==", "\ud800"))]


@pytest.mark.parametrize("text", [*NO_TOKENS, *MISSHAPEN, *WRAPPED])
def test_text_of_another_shape_is_refused(text: str) -> None:
    _refuse(text.format(*VALID.split(".")))


@pytest.mark.parametrize("junk", ["!", " ", "\n", "=", "+", "/", "%", "\0", "é", "\ud800", "A", "."])
@pytest.mark.parametrize("at", [0, 1, len(SIGNATURE) // 2, len(SIGNATURE)])
def test_junk_in_the_signature_is_refused(junk: str, at: int) -> None:
    _refuse(f"{CONTENT}.{SIGNATURE[:at]}{junk}{SIGNATURE[at:]}")


@pytest.mark.parametrize("part", [slice(0), slice(1), slice(-1), slice(1, None), slice(None, None, -1)])
def test_part_of_the_signature_is_refused(part: slice) -> None:
    _refuse(f"{CONTENT}.{SIGNATURE[part]}")


@pytest.mark.parametrize("algorithm", RINGS)
def test_signature_has_one_spelling(algorithm: str) -> None:
    issuer, verifier = RINGS[algorithm]
    _refuse(_respell(issuer.issue(IDENTITY)), verifier)


def test_token_over_8_kib_is_refused_and_told_so() -> None:
    fits, too_long = (_sign(claims=CLAIMS | {"x": "x" * length}) for length in (5750, 5800))
    assert len(fits) <= 8192 < len(too_long) and VERIFIER.verify(fits) == IDENTITY
    refusal = _refuse(too_long)
    assert (refusal.limit, refusal.actual) == (8192, len(too_long))


def test_refresh_token_is_no_access_token() -> None:
    _refuse(RefreshTokens(SECRET.encode()).encode(RefreshToken(IDENTITY.session_id, 0)))


@given(st.text() | st.from_regex(access_tokens.COMPACT_JWS, fullmatch=True))
@settings(deadline=None)
def test_any_text_is_refused(text: str) -> None:
    _refuse(text)


@given(st.integers(0, len(VALID) - 1), st.integers(0, 2), st.sampled_from(BASE64URL + ".") | st.text())
@example(len(VALID) - 1, 1, _respell(VALID)[-1])
@settings(deadline=None)
def test_token_changed_anywhere_is_refused(at: int, removed: int, inserted: str) -> None:
    token = VALID[:at] + inserted + VALID[at + removed :]
    if token == VALID:
        assert VERIFIER.verify(token) == IDENTITY
    else:
        _refuse(token)
