"""Where in the bucket an object is: under its user's id, so that no name leads to another's."""

from __future__ import annotations

from uuid import UUID

UPLOADS, RESULTS = "uploads/", "results/"


def upload_key(user: UUID, upload: UUID) -> str:
    return f"{UPLOADS}{user}/{upload}"


def result_key(user: UUID, digest: str, extension: str) -> str:
    """Return the key of a result that is named after what it is made of, so that twice the same is one."""
    return f"{RESULTS}{user}/{digest}.{extension}"
