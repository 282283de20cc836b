from __future__ import annotations

import base64
import hashlib
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from shared.config import SigningSettings, TokenSettings
from shared.errors import ConfigurationError
from shared.security.keys import Key, KeyRing, signing_key, verification_keys

RFC_7638_N = (
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWK"
    "RXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMic"
    "AtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3"
    "XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
)
RFC_7638_THUMBPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
SECRET = "0123456789abcdef0123456789abcdef"
PUBLIC_MEMBERS = {"kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"}


def _private_pem(key: PrivateKeyTypes, passphrase: bytes | None = None) -> str:
    hidden = serialization.BestAvailableEncryption(passphrase) if passphrase else None
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        hidden or serialization.NoEncryption(),
    ).decode()


def _public_pem(key: Any) -> str:
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    pem: bytes = key.public_bytes(serialization.Encoding.PEM, spki)
    return pem.decode()


EC_KEYS = [ec.derive_private_key(secret, ec.SECP256R1()) for secret in (7, 8, 9)]
EC_PRIVATE, EC_PUBLIC = _private_pem(EC_KEYS[0]), _public_pem(EC_KEYS[0].public_key())
RSA_KEY = rsa.generate_private_key(65537, 2048)


def _signing_key(**environment: str) -> Key:
    return signing_key(SigningSettings.from_environment(environment))


def _verification_keys(**environment: str) -> KeyRing:
    return verification_keys(TokenSettings.from_environment(environment))


def _number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=="), "big")


def test_kid_is_the_thumbprint_of_rfc_7638() -> None:
    public = rsa.RSAPublicNumbers(65537, _number(RFC_7638_N)).public_key()
    ring = _verification_keys(JWT_ALGORITHM="RS256", JWT_PUBLIC_KEYS=_public_pem(public))
    assert list(ring.keys) == [RFC_7638_THUMBPRINT]
    [published] = ring.jwks()["keys"]
    assert (published["kid"], published["n"], published["e"]) == (RFC_7638_THUMBPRINT, RFC_7638_N, "AQAB")


def test_kid_of_an_elliptic_key_is_over_its_public_point() -> None:
    numbers = EC_KEYS[0].public_key().public_numbers()
    x, y = (
        base64.urlsafe_b64encode(n.to_bytes(32, "big")).decode().rstrip("=") for n in (numbers.x, numbers.y)
    )
    canonical = f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).decode().rstrip("=")
    assert _signing_key(JWT_PRIVATE_KEY=EC_PRIVATE).kid == thumbprint


def test_signer_and_verifiers_call_the_key_the_same() -> None:
    kid = _signing_key(JWT_PRIVATE_KEY=EC_PRIVATE).kid
    assert list(_verification_keys(JWT_PRIVATE_KEY=EC_PRIVATE).keys) == [kid]
    assert list(_verification_keys(JWT_PUBLIC_KEYS=EC_PUBLIC).keys) == [kid]


@pytest.mark.parametrize(
    ("algorithm", "pem"), [("ES256", EC_PRIVATE), ("RS256", _private_pem(RSA_KEY))], ids=["EC", "RSA"]
)
def test_private_key_is_published_without_its_private_members(algorithm: str, pem: str) -> None:
    ring = _verification_keys(JWT_ALGORITHM=algorithm, JWT_PRIVATE_KEY=pem)
    [published] = ring.jwks()["keys"]
    assert published.keys() <= PUBLIC_MEMBERS
    assert (published["alg"], published["use"]) == (algorithm, "sig")
    assert all("d" not in key.material for key in ring.keys.values())


def test_key_set_can_be_written_as_json() -> None:
    jwks = _verification_keys(JWT_PRIVATE_KEY=EC_PRIVATE).jwks()
    assert orjson.loads(orjson.dumps(jwks)) == jwks


def test_secret_is_in_no_key_set() -> None:
    ring = _verification_keys(JWT_ALGORITHM="HS256", JWT_SECRET=SECRET)
    assert [key.algorithm for key in ring.keys.values()] == ["HS256"]
    assert ring.jwks() == {"keys": []}


def test_several_public_keys_are_all_taken() -> None:
    pems = [_public_pem(key.public_key()) for key in EC_KEYS]
    kids = [_signing_key(JWT_PRIVATE_KEY=_private_pem(key)).kid for key in EC_KEYS]
    assert list(_verification_keys(JWT_PUBLIC_KEYS="\n".join(pems)).keys) == kids
    assert [key["kid"] for key in _verification_keys(JWT_PUBLIC_KEYS="".join(pems)).jwks()["keys"]] == kids


def test_own_key_joins_the_public_keys_given() -> None:
    retired = _public_pem(EC_KEYS[1].public_key())
    ring = _verification_keys(JWT_PRIVATE_KEY=EC_PRIVATE, JWT_PUBLIC_KEYS=retired + EC_PUBLIC)
    kids = {_signing_key(JWT_PRIVATE_KEY=_private_pem(key)).kid for key in EC_KEYS[:2]}
    assert ring.keys.keys() == kids


def _on_one_line(pem: str) -> str:
    return pem.replace("\n", r"\n")


@pytest.mark.parametrize("write", [_on_one_line, str.strip, "  {}\n".format, "# a key\n{}".format])
def test_pem_may_be_written_as_environments_need_it(write: Any) -> None:
    kid = _signing_key(JWT_PRIVATE_KEY=EC_PRIVATE).kid
    assert _signing_key(JWT_PRIVATE_KEY=write(EC_PRIVATE)).kid == kid
    assert list(_verification_keys(JWT_PUBLIC_KEYS=write(EC_PUBLIC)).keys) == [kid]


def _assert_refused(refusal: pytest.ExceptionInfo[ConfigurationError], name: str, value: str) -> None:
    text = str(refusal.value)
    assert text.startswith(f"{name}: ") and "\n" not in text
    quotable = [line for line in value.split("\n") if len(line) > 7 and "-----" not in line]
    assert not any(line in text for line in quotable)


UNFIT: dict[str, tuple[str, PrivateKeyTypes]] = {
    "P-384": ("ES256", ec.derive_private_key(7, ec.SECP384R1())),
    "P-521": ("ES256", ec.derive_private_key(7, ec.SECP521R1())),
    "secp256k1": ("ES256", ec.derive_private_key(7, ec.SECP256K1())),
    "Ed25519": ("ES256", ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))),
    "RSA for ES256": ("ES256", RSA_KEY),
    "EC for RS256": ("RS256", EC_KEYS[0]),
    "RSA of 1024 bits": ("RS256", rsa.generate_private_key(65537, 1024)),
}


@pytest.mark.parametrize(("algorithm", "key"), UNFIT.values(), ids=UNFIT)
def test_private_key_that_does_not_fit_the_algorithm_is_refused(algorithm: str, key: PrivateKeyTypes) -> None:
    pem = _private_pem(key)
    with pytest.raises(ConfigurationError) as refusal:
        _signing_key(JWT_ALGORITHM=algorithm, JWT_PRIVATE_KEY=pem)
    _assert_refused(refusal, "JWT_PRIVATE_KEY", pem)


@pytest.mark.parametrize(("algorithm", "key"), UNFIT.values(), ids=UNFIT)
def test_public_key_that_does_not_fit_the_algorithm_is_refused(algorithm: str, key: PrivateKeyTypes) -> None:
    pem = _public_pem(key.public_key())
    with pytest.raises(ConfigurationError) as refusal:
        _verification_keys(JWT_ALGORITHM=algorithm, JWT_PUBLIC_KEYS=pem)
    _assert_refused(refusal, "JWT_PUBLIC_KEYS", pem)


LINES = EC_PRIVATE.split("\n")
UNUSABLE = {
    "garbage": "hunter2-hunter2-hunter2",
    "no end": "\n".join(LINES[:-2]),
    "no content": f"{LINES[0]}\n{LINES[-2]}\n",
    "half": "\n".join([LINES[0], LINES[1], LINES[-2]]),
    "no base64": "\n".join([LINES[0], "*" * 64, LINES[-2]]),
    "locked": _private_pem(EC_KEYS[0], b"passphrase"),
    "public": EC_PUBLIC,
    "two": EC_PRIVATE + _private_pem(EC_KEYS[1]),
    "json": '{"kty":"EC","d":"hunter2"}',
}


@pytest.mark.parametrize("text", UNUSABLE.values(), ids=UNUSABLE)
def test_text_that_is_no_private_key_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        _signing_key(JWT_PRIVATE_KEY=text)
    _assert_refused(refusal, "JWT_PRIVATE_KEY", text)


@pytest.mark.parametrize("name", [name for name in UNUSABLE if name not in ("public", "two")])
def test_text_that_is_no_public_key_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        _verification_keys(JWT_PUBLIC_KEYS=UNUSABLE[name])
    _assert_refused(refusal, "JWT_PUBLIC_KEYS", UNUSABLE[name])


@pytest.mark.parametrize("secret", [EC_PUBLIC, EC_PRIVATE, "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ"])
def test_asymmetric_key_is_no_secret_of_hs256(secret: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        _verification_keys(JWT_ALGORITHM="HS256", JWT_SECRET=secret)
    _assert_refused(refusal, "JWT_SECRET", secret)


def test_repr_of_a_key_shows_no_secret() -> None:
    private = _signing_key(JWT_PRIVATE_KEY=EC_PRIVATE)
    assert isinstance(private.material, dict) and private.material["d"] not in repr(private)
    assert SECRET not in repr(_verification_keys(JWT_ALGORITHM="HS256", JWT_SECRET=SECRET))
