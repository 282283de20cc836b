"""The secrets of the containers, made at the first start: `python -m infra.docker.secrets FOLDER`.

A folder for each who must know: `postgres` itself, `database`, `refresh`, `signing`, `public` to verify.
A file is a setting, its name the variable's.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from infra.local.keys import new_private_key

DATABASE_URL = "postgresql://passepartout:{password}@postgres/passepartout"


def make_secrets(folder: Path) -> None:
    """Make what is missing; what exists stays, for the data that depends on it."""
    for name in ("postgres", "database", "refresh", "signing", "public"):
        (folder / name).mkdir(exist_ok=True)
    password = _kept(folder / "postgres" / "POSTGRES_PASSWORD", lambda: secrets.token_urlsafe(32))
    _kept(folder / "database" / "DATABASE_URL", lambda: DATABASE_URL.format(password=password))
    _kept(folder / "refresh" / "REFRESH_TOKEN_KEY", lambda: secrets.token_urlsafe(32))
    private_key = _kept(folder / "signing" / "JWT_PRIVATE_KEY", new_private_key)
    _kept(folder / "public" / "JWT_PUBLIC_KEYS", lambda: _public_half(private_key))


def _kept(file: Path, make: Callable[[], str]) -> str:
    if not file.exists():
        beside = file.with_suffix(".new")
        beside.write_text(make())
        # Readable for all who have the folder: the functions' user is not ours.
        beside.chmod(0o444)
        beside.rename(file)
    return file.read_text()


def _public_half(private_key: str) -> str:
    key = load_pem_private_key(private_key.encode(), None)
    assert isinstance(key, EllipticCurvePrivateKey)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


if __name__ == "__main__":
    make_secrets(Path(sys.argv[1]))
