"""Requests and answers of shapes that no function has yet: an app to hold a runtime against."""

from __future__ import annotations

import gzip
import sys
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse, StreamingResponse

from shared.responses import OrjsonResponse

ETAG = '"8d7f"'
EVERY_BYTE = bytes(range(256))
TEXT = "naïve ☕ 𝄞"

router = APIRouter()


@router.get("/etag")
async def answer_if_changed(request: Request) -> Response:
    unchanged = request.headers.get("if-none-match") == ETAG
    return Response(b"" if unchanged else EVERY_BYTE, 304 if unchanged else 200, {"ETag": ETAG})


@router.delete("/nothing", status_code=204, response_class=Response)
async def answer_nothing() -> None:
    pass


@router.get("/empty")
async def answer_no_content_and_no_type() -> Response:
    return Response()


@router.get("/cookies")
async def set_cookies(request: Request, response: Response) -> dict[str, str]:
    response.set_cookie("first", "1, 2", httponly=True)
    response.set_cookie("second", "2", max_age=60)
    response.raw_headers.append((b"Set-Cookie", b"third=3"))
    return request.cookies


@router.get("/query")
async def echo_query(request: Request) -> dict[str, list[str]]:
    return {name: request.query_params.getlist(name) for name in sorted(request.query_params)}


@router.get("/path/{path:path}")
async def echo_path(path: str) -> dict[str, str]:
    return {"path": path}


@router.post("/body")
async def echo_body(request: Request) -> Response:
    headers = {"X-Length": request.headers.get("content-length", "")}
    return Response(await request.body(), headers=headers, media_type=request.headers.get("content-type"))


@router.get("/headers")
async def repeat_headers(request: Request) -> Response:
    """Echo the members of a list, wherever its lines were broken (RFC 9110, 5.3)."""
    items = ",".join(request.headers.getlist("x-item"))
    answer = OrjsonResponse([item.strip() for item in items.split(",")])
    for value in ("Accept", "Origin"):
        answer.headers.append("Vary", value)
    answer.headers["X-Name"] = "café"
    return answer


@router.get("/caller")
async def echo_caller(request: Request) -> dict[str, str | None]:
    return {"host": request.client.host if request.client else None, "url": str(request.url)}


@router.post("/redirect")
async def redirect() -> Response:
    return RedirectResponse("/pictures/naïve?width=1&height=2", 303)


@router.get("/picture")
async def answer_bytes() -> Response:
    return Response(EVERY_BYTE, headers={"Server-Timing": "decode;dur=1.5"}, media_type="image/png")


@router.get("/text")
async def answer_text() -> Response:
    return PlainTextResponse(TEXT)


@router.get("/text/latin-1")
async def answer_text_that_is_no_utf_8() -> Response:
    return Response("naïve".encode("latin-1"), headers={"Content-Type": "text/plain; charset=iso-8859-1"})


@router.get("/text/zipped")
async def answer_text_that_is_encoded() -> Response:
    zipped = gzip.compress(TEXT.encode(), mtime=0)
    return Response(zipped, headers={"Content-Encoding": "gzip"}, media_type="application/json")


@router.get("/stream")
async def answer_in_chunks() -> Response:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(EVERY_BYTE), 100):
            yield EVERY_BYTE[start : start + 100]

    return StreamingResponse(chunks(), media_type="application/octet-stream")


@router.get("/broken")
async def fail() -> None:
    raise LookupError


@router.get("/exiting")
async def end_the_process() -> None:
    sys.exit(3)


@router.get("/exiting-in-a-thread")
def end_the_process_from_a_thread() -> None:
    sys.exit(3)


class Panic(BaseException):
    """Stands for what PyO3 raises when Rust panics."""


@router.get("/panicking")
async def panic() -> None:
    raise Panic
