"""Access tokens: JWTs of the profile of RFC 9068, issued and verified through python-jose.

The library is used in this module alone, so that another could take its place. It lets much pass that
must not (RFC 8725), so the header is read and judged here before it sees the token.
"""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from jose import jwt

from shared.errors import InvalidToken
from shared.security.base64url import decode_base64url
from shared.security.keys import Key, KeyRing

TOKEN_TYPE = "at+jwt"
LIFETIME_SECONDS = 15 * 60
LEEWAY_SECONDS = 30
"""How far apart the clocks of the issuer and the verifier may be."""
MAXIMUM_TOKEN_BYTES = 8 * 1024

COMPACT_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
REQUIRED_CLAIMS = ("iss", "aud", "sub", "sid", "iat", "exp", "jti")
SECONDS = ("iat", "exp", "nbf")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a verified access token speaks for."""

    user_id: UUID
    session_id: UUID


@dataclass(frozen=True, slots=True)
class AccessTokenIssuer:
    key: Key
    issuer: str
    audience: str

    def issue(self, identity: Identity) -> str:
        """Return a token that is good for LIFETIME_SECONDS."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": str(identity.user_id),
            "sid": str(identity.session_id),
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
            "jti": secrets.token_urlsafe(16),
        }
        headers = {"typ": TOKEN_TYPE, "kid": self.key.kid}
        return jwt.encode(claims, self.key.usable, self.key.algorithm, headers)


@dataclass(frozen=True, slots=True)
class AccessTokenVerifier:
    keys: KeyRing
    issuer: str
    audience: str

    def verify(self, token: str) -> Identity:
        """Return whom the token speaks for; whatever its bytes, the only error raised is InvalidToken."""
        if len(token) > MAXIMUM_TOKEN_BYTES:
            raise InvalidToken("The access token is too long.", limit=MAXIMUM_TOKEN_BYTES, actual=len(token))
        try:
            claims = self._claims(token, self._key(_header(token)))
            return Identity(UUID(claims["sub"]), UUID(claims["sid"]))
        except InvalidToken:
            raise
        except Exception:
            # python-jose lets UnicodeEncodeError, RecursionError, TypeError and OverflowError out.
            raise InvalidToken("The access token is not valid.") from None

    def _key(self, header: dict[str, Any]) -> Key:
        if header.get("typ") != TOKEN_TYPE or "crit" in header:
            raise InvalidToken("The token is not an access token of this service.")
        key = self.keys.keys.get(header["kid"])
        if key is None or header.get("alg") != key.algorithm:
            raise InvalidToken("The access token is signed with a key that is not known here.")
        return key

    def _claims(self, token: str, key: Key) -> dict[str, Any]:
        # Times are judged here and not by the library, which takes exp == now and any iat.
        claims = jwt.decode(
            token,
            key.usable,
            algorithms=[key.algorithm],
            audience=self.audience,
            issuer=self.issuer,
            options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )
        if not all(name in claims for name in REQUIRED_CLAIMS):
            raise InvalidToken("The access token lacks a claim.")
        if not all(type(claims[name]) is int for name in SECONDS if name in claims):
            raise InvalidToken("A time in the access token is no whole number of seconds.")
        now = int(time.time())
        if claims["exp"] <= now - LEEWAY_SECONDS:
            raise InvalidToken("The access token has expired.")
        if max(claims["iat"], claims.get("nbf", 0)) > now + LEEWAY_SECONDS:
            raise InvalidToken("The access token is not valid yet.")
        return claims


def _header(token: str) -> dict[str, Any]:
    # Checked whole: the library skips characters that are not base64url, in the signature too.
    if not COMPACT_JWS.fullmatch(token):
        raise InvalidToken("The access token is not three parts of base64url.")
    encoded, _, signature = token.split(".")
    try:
        decode_base64url(signature)
        header = orjson.loads(decode_base64url(encoded))
    except ValueError:
        raise InvalidToken("The access token's header or signature cannot be read.") from None
    if not isinstance(header, dict) or not isinstance(header.get("kid"), str):
        raise InvalidToken("The access token's header names no key.")
    return header
