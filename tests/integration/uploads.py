"""How pictures are sent: as the body, or in a form that no library would write (RFC 7578)."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator

import httpx

from tests.accounts import SignedIn

ROUTE = "/file/resize"
FORM = "multipart/form-data; boundary=edge"


class Resizer:
    """Asks for pictures to be resized, as someone who is signed in."""

    def __init__(self, client: httpx.AsyncClient, signed_in: SignedIn) -> None:
        self._client = client
        self._authorization = signed_in.authorization

    async def post(
        self,
        query: str,
        content: bytes | AsyncIterable[bytes],
        content_type: str | None = None,
        **headers: str,
    ) -> httpx.Response:
        sent = {**self._authorization, **headers}
        if content_type is not None:
            sent["Content-Type"] = content_type
        return await self._client.post(f"{ROUTE}?{query}", content=content, headers=sent)

    async def post_file(self, query: str, name: str, content: bytes) -> httpx.Response:
        """Send a form as httpx writes it."""
        files = {"file": (name, content, "image/jpeg")}
        return await self._client.post(f"{ROUTE}?{query}", files=files, headers=self._authorization)


class Chunks:
    """A body of unknown length, which counts how much of it is read."""

    def __init__(self, content: bytes, size: int = 1000) -> None:
        self.chunks = [content[start : start + size] for start in range(0, len(content), size)]
        self.read = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            self.read += len(chunk)
            yield chunk


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--edge--\r\n"


def field(name: bytes, value: bytes) -> bytes:
    return _part(b'name="%s"' % name, value)


def file(content: bytes, name: bytes = b"picture.jpg", field: bytes = b"file") -> bytes:
    return _part(b'name="%s"; filename="%s"' % (field, name), content)


def _part(disposition: bytes, content: bytes) -> bytes:
    return b"--edge\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (disposition, content)
