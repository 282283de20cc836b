"""Password hashing with argon2id at OWASP's parameters."""

from __future__ import annotations

import unicodedata

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError

MEMORY_KIBIBYTES = 19_456
ITERATIONS = 2
PARALLELISM = 1
"""OWASP Password Storage Cheat Sheet: 19 MiB, 2 iterations, 1 lane; about 24 ms of one core."""

MINIMUM_CHARACTERS = 8
MAXIMUM_CHARACTERS = 256

DUMMY_HASH = (
    f"$argon2id$v=19$m={MEMORY_KIBIBYTES},t={ITERATIONS},p={PARALLELISM}"
    "$cGFzc2VwYXJ0b3V0IQ$Y2FuJ3QgYmUgdGhlIGhhc2ggb2YgYW55dGhpbmc"
)
"""Well-formed and of no password: verifying against it takes as long as against a real one."""

_hasher = PasswordHasher(time_cost=ITERATIONS, memory_cost=MEMORY_KIBIBYTES, parallelism=PARALLELISM)


def hash_password(password: str) -> str:
    """Return the hash to store, with its parameters and salt in it. Takes a core for some 24 ms."""
    return _hasher.hash(_normalised(password))


def verify_password(password: str, password_hash: str | None) -> bool:
    """Tell whether the password is right; None stands for an unknown user, and costs the same.

    Raises what says nothing of the password: a lack of memory, or a hash that is none.
    """
    try:
        _hasher.verify(DUMMY_HASH if password_hash is None else password_hash, _normalised(password))
    except VerifyMismatchError:
        return False
    return password_hash is not None


def is_outgrown(password_hash: str) -> bool:
    """Tell whether a hash costs a guesser less than one that is made today."""
    parameters = extract_parameters(password_hash)
    return parameters.memory_cost < MEMORY_KIBIBYTES or parameters.time_cost < ITERATIONS


def _normalised(password: str) -> bytes:
    # The same letters typed on another keyboard are the same password (NIST SP 800-63B, 3.1.1.2).
    return unicodedata.normalize("NFKC", password).encode()
