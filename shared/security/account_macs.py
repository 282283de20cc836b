"""Names for accounts that, without the key, say neither whose they are nor whether there is such a user."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from uuid import UUID

PURPOSE = b"passepartout: accounts that passwords are tried for"


@dataclass(frozen=True, slots=True, repr=False)
class AccountMacs:
    """Keyed by a key of its own, derived from that of refresh tokens: neither tells of the other.

    Sign-ins and password changes have different ones: who can only try to sign in cannot keep an owner who
    has a session from changing the password.
    """

    key: bytes

    @classmethod
    def derive(cls, refresh_token_key: bytes) -> AccountMacs:
        return cls(hmac.digest(refresh_token_key, PURPOSE, "sha256"))

    def of_sign_ins(self, folded_username: str) -> bytes:
        return hmac.digest(self.key, b"sign-in\0" + folded_username.encode(), "sha256")

    def of_password_changes(self, user_id: UUID) -> bytes:
        return hmac.digest(self.key, b"password change\0" + user_id.bytes, "sha256")
