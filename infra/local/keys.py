"""The secrets of this machine: made once, and kept where only their owner can read them."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


def local_keys(file: Path) -> dict[str, str]:
    """Return the settings that are secrets, from the file where it exists."""
    if file.exists():
        kept: dict[str, str] = json.loads(file.read_text())
        return kept
    made = {
        "JWT_PRIVATE_KEY": new_private_key(),
        "REFRESH_TOKEN_KEY": secrets.token_urlsafe(32),
        "DEMO_PASSWORD": secrets.token_urlsafe(16),
    }
    # Written beside and moved: a start that is interrupted leaves no half a file.
    beside = file.with_suffix(".new")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        json.dump(made, opened)
    beside.rename(file)
    return made


def new_private_key() -> str:
    """Return a new key for ES256, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
