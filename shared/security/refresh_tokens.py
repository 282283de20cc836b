"""Refresh tokens: opaque to the client, and none can be made from what the database holds."""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from shared.errors import RefreshTokenInvalid
from shared.security.base64url import decode_base64url, encode_base64url

LIFETIME = timedelta(days=1)
SESSION_LIFETIME = timedelta(days=30)
"""However often it is refreshed, a session ends then (RFC 9700, 4.14.2)."""
GRACE = timedelta(seconds=10)
"""Within this of a refresh, the token just before gets the same successor: a retry, or a second tab."""

CONTENT = struct.Struct(">16sQ")
"""The session's id and its counter."""
MAC_BYTES = hashlib.sha256().digest_size
TOKEN_BYTES = CONTENT.size + MAC_BYTES
TOKEN_CHARACTERS = len(encode_base64url(bytes(TOKEN_BYTES)))


@dataclass(frozen=True, slots=True)
class RefreshToken:
    session_id: UUID
    counter: int


@dataclass(frozen=True, slots=True, repr=False)
class RefreshTokens:
    """Writes and reads refresh tokens: base64url(session id | counter | HMAC-SHA256 of both).

    What an old key has written is read still, and its successor is written with the new one.
    """

    key: bytes
    old_keys: tuple[bytes, ...] = ()

    def encode(self, token: RefreshToken) -> str:
        content = CONTENT.pack(token.session_id.bytes, token.counter)
        return encode_base64url(content + _mac(self.key, content))

    def decode(self, text: str) -> RefreshToken:
        """Return what the token says. Raises RefreshTokenInvalid unless it was made here, unchanged."""
        content, mac = _split(text)
        if not any(hmac.compare_digest(mac, _mac(key, content)) for key in (self.key, *self.old_keys)):
            raise RefreshTokenInvalid("The refresh token was not issued here.")
        session_id, counter = CONTENT.unpack(content)
        return RefreshToken(UUID(bytes=session_id), counter)


def _mac(key: bytes, content: bytes) -> bytes:
    return hmac.digest(key, content, "sha256")


def _split(text: str) -> tuple[bytes, bytes]:
    if len(text) != TOKEN_CHARACTERS:
        raise RefreshTokenInvalid("The refresh token does not have the length of one.")
    try:
        token = decode_base64url(text)
    except ValueError:
        raise RefreshTokenInvalid("The refresh token is not base64url.") from None
    return token[: CONTENT.size], token[CONTENT.size :]
