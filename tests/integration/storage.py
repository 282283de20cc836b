"""Pictures by way of object storage, as a caller sends them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from tests.accounts import SignedIn

JPEG = "image/jpeg"


@dataclass(frozen=True)
class Uploader:
    """Someone who is signed in, and uploads."""

    client: httpx.AsyncClient
    authorization: dict[str, str]

    @classmethod
    def of(cls, client: httpx.AsyncClient, signed_in: SignedIn) -> Uploader:
        return cls(client, signed_in.authorization)

    async def ask(self, content_type: Any, content_length: Any) -> httpx.Response:
        body = {"content_type": content_type, "content_length": content_length}
        return await self.client.post("/file/upload", json=body, headers=self.authorization)

    async def upload(self, content: bytes, content_type: str = JPEG) -> str:
        """Return the name of the source."""
        answer = await self.ask(content_type, len(content))
        assert answer.status_code == 201, answer.text
        return await put(answer.json(), content)

    async def resize(self, query: str, source: Any) -> httpx.Response:
        return await self.client.post(
            f"/file/resize?{query}", json={"source": source}, headers=self.authorization
        )


async def put(ticket: dict[str, Any], content: bytes) -> str:
    """Send the content as the ticket says, whatever its length; return the name of the source."""
    async with httpx.AsyncClient() as storage:
        sent = await storage.request(
            ticket["method"], ticket["url"], content=content, headers=ticket["headers"]
        )
    assert sent.status_code == 200, sent.text
    source: str = ticket["source"]
    return source
