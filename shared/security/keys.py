"""The keys that sign and verify access tokens, and their public halves as a JWKS (RFC 7517)."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from jose import jwk
from jose.backends.base import Key as JoseKey
from jose.exceptions import JOSEError
from pydantic import SecretStr

from shared.config import SigningSettings, TokenSettings
from shared.errors import ConfigurationError
from shared.security.base64url import encode_base64url

THUMBPRINT_MEMBERS = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}
"""What the thumbprint of a public key is taken over (RFC 7638, 3.2)."""

PEM = re.compile(r"-----BEGIN [A-Z ]+-----.+?-----END [A-Z ]+-----", re.DOTALL)

MINIMUM_RSA_BITS = 2048

SYMMETRIC_KID = "hs256"


@dataclass(frozen=True, slots=True)
class Key:
    """A key and the one algorithm it is good for, whatever a token's header asks for."""

    kid: str
    algorithm: str
    material: dict[str, Any] | str = field(repr=False)
    """A JWK, or the secret of HS256."""
    usable: JoseKey = field(init=False, repr=False, compare=False)
    """The same, ready for use: given a text, python-jose would try it as JSON and as PEM, at every call."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "usable", jwk.construct(self.material, self.algorithm))


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys to verify with, by `kid`."""

    keys: dict[str, Key]

    def jwks(self) -> dict[str, Any]:
        """Return the public keys as a JWK Set; a secret is in no set."""
        return {
            "keys": [
                key.material | {"kid": key.kid, "alg": key.algorithm, "use": "sig"}
                for key in self.keys.values()
                if isinstance(key.material, dict)
            ]
        }


def signing_key(settings: SigningSettings) -> Key:
    """Return the key that signs. Raises ConfigurationError when it does not fit the algorithm."""
    if settings.jwt_algorithm == "HS256":
        return _symmetric_key(settings)
    [pem] = _private_pems(settings)
    private = _jwk("JWT_PRIVATE_KEY", pem, settings.jwt_algorithm)
    if "d" not in private:
        raise ConfigurationError("JWT_PRIVATE_KEY: holds a public key")
    return Key(_thumbprint(_public_part(private)), settings.jwt_algorithm, private)


def verification_keys(settings: TokenSettings) -> KeyRing:
    """Return the keys to verify with: the public ones given, and that of the private key where one is."""
    if settings.jwt_algorithm == "HS256":
        secret = _symmetric_key(settings)
        return KeyRing({secret.kid: secret})
    pems = [("JWT_PRIVATE_KEY", pem) for pem in _private_pems(settings)]
    pems += [("JWT_PUBLIC_KEYS", pem) for pem in _pems("JWT_PUBLIC_KEYS", settings.jwt_public_keys)]
    keys = [
        _public_key(_public_part(_jwk(name, pem, settings.jwt_algorithm)), settings.jwt_algorithm)
        for name, pem in pems
    ]
    return KeyRing({key.kid: key for key in keys})


def _symmetric_key(settings: TokenSettings) -> Key:
    # Settings of HS256 without a secret do not come about.
    secret = cast(SecretStr, settings.jwt_secret)
    try:
        return Key(SYMMETRIC_KID, "HS256", secret.get_secret_value())
    except JOSEError:
        raise ConfigurationError("JWT_SECRET: is an asymmetric key, which others may know") from None


def _private_pems(settings: TokenSettings) -> list[str]:
    key = settings.jwt_private_key
    return _pems("JWT_PRIVATE_KEY", key.get_secret_value() if key else None, at_most=1)


def _public_key(public: dict[str, Any], algorithm: str) -> Key:
    return Key(_thumbprint(public), algorithm, public)


def _pems(name: str, text: str | None, at_most: int | None = None) -> list[str]:
    """Split PEM blocks. An environment file keeps a key on one line, with `\\n` for its line ends."""
    if not text:
        return []
    found = PEM.findall(text.replace("\\n", "\n"))
    if not found or (at_most and len(found) > at_most):
        raise ConfigurationError(f"{name}: {len(found)} PEM keys found")
    return found


def _jwk(name: str, pem: str, algorithm: str) -> dict[str, Any]:
    try:
        _demand_fit(pem, algorithm)
        members = jwk.construct(pem, algorithm).to_dict()
    except (JOSEError, ValueError, TypeError, UnsupportedAlgorithm):
        # `from None`: the library's message may quote the key.
        raise ConfigurationError(f"{name}: is no PEM key for {algorithm}") from None
    return {
        member: value.decode() if isinstance(value, bytes) else value
        for member, value in members.items()
        if member != "alg"
    }


def _demand_fit(pem: str, algorithm: str) -> None:
    """Raises ValueError for a key of another kind, curve or strength (RFC 7518, 3.3 and 3.4)."""
    key = _load(pem.encode())
    match key:
        case ec.EllipticCurvePrivateKey() | ec.EllipticCurvePublicKey():
            fits = algorithm == "ES256" and isinstance(key.curve, ec.SECP256R1)
        case rsa.RSAPrivateKey() | rsa.RSAPublicKey():
            fits = algorithm == "RS256" and key.key_size >= MINIMUM_RSA_BITS
        case _:
            fits = False
    if not fits:
        raise ValueError


def _load(pem: bytes) -> PrivateKeyTypes | PublicKeyTypes:
    if b"PRIVATE KEY" in pem:
        return load_pem_private_key(pem, password=None)
    return load_pem_public_key(pem)


def _public_part(members: dict[str, Any]) -> dict[str, Any]:
    return {member: members[member] for member in THUMBPRINT_MEMBERS[members["kty"]]}


def _thumbprint(public: dict[str, Any]) -> str:
    digest = hashlib.sha256(orjson.dumps(public, option=orjson.OPT_SORT_KEYS)).digest()
    return encode_base64url(digest)
