"""What schemathesis cannot make of the document alone: names, passwords and pictures that are good ones."""

from __future__ import annotations

import threading
from typing import Any, cast
from uuid import uuid4

import httpx
import schemathesis
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from schemathesis import Case, HookContext, Response

from shared.security.new_passwords import NewPassword
from shared.types import Username
from tests.accounts import PASSWORD
from tests.pictures import encoded, quadrants

PRESETS = {"avatar": {"width": 64}}
PICTURES = [encoded(quadrants(), name) for name in ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP")]
TEXT = st.text(st.characters(codec="utf-8"), max_size=300)
LEGIBLE = st.text(st.characters(codec="utf-8", categories=["L", "M", "N", "P", "S", "Zs"]), max_size=130)

RESIZE, CHANGE = "POST /file/resize", "POST /auth/password"
ROOMY_BYTES = 100_000_000
HARMLESS_SIDE = 4000
"""However the other one comes out, no more pixels than are written."""
OF_THREAD = threading.local()


def good(type_: Any, texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return those of the texts that the type takes: what its `format` means."""
    adapter = TypeAdapter(type_)

    def is_good(text: str) -> bool:
        try:
            adapter.validate_python(text)
        except ValidationError:
            return False
        return True

    return texts.filter(is_good)


schemathesis.openapi.format("username", good(Username, LEGIBLE))
schemathesis.openapi.format("password", good(NewPassword, TEXT))
schemathesis.openapi.format("preset", st.sampled_from(list(PRESETS)))
schemathesis.openapi.format("binary", st.sampled_from(PICTURES))
schemathesis.openapi.media_type("application/octet-stream", st.sampled_from(PICTURES))


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    if case.operation.label == RESIZE and case.meta and case.meta.generation.mode.is_positive:
        choose(case)
    if case.operation.label == CHANGE and "Authorization" in case.headers:
        become_another(case)


def choose(case: Case[Any]) -> None:
    """Do what OpenAPI cannot say: that one parameter wants or forbids another, that a picture must fit.

    https://github.com/OAI/OpenAPI-Specification/issues/256
    """
    if isinstance(case.body, dict) and case.body.get("outputs") is not None:
        case.query = {}
        for output in cast(list[dict[str, Any]], case.body["outputs"]):
            if output.get("preset") is not None:
                output["preset"] = next(iter(PRESETS))
                # A null overrules what the preset says.
                for name in ("width", "height"):
                    if output.get(name, ...) is None:
                        del output[name]
    elif all(case.query.get(name) is None for name in ("width", "height", "preset")):
        case.query["width"] = 64
    # Some phases write a number as text.
    width, height, dpr = (float(case.query.get(name) or 1) for name in ("width", "height", "dpr"))
    if max(width, height) * dpr > HARMLESS_SIDE:
        case.query["enlarge"] = False
    if case.query.get("max_bytes") is not None:
        case.query["max_bytes"] = ROOMY_BYTES
    if "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = str(uuid4())


def become_another(case: Case[Any]) -> None:
    """Show the token of a user who is there for this alone: wrong passwords would lock out the others."""
    if not hasattr(OF_THREAD, "token"):
        OF_THREAD.token = new_user(case.operation.base_url or "")
    case.headers["Authorization"] = f"Bearer {OF_THREAD.token}"


@schemathesis.hook
def after_call(context: HookContext, case: Case[Any], response: Response) -> None:
    if case.operation.label == CHANGE and response.status_code != 422 and hasattr(OF_THREAD, "token"):
        # The password has been looked at: the next one is another's.
        del OF_THREAD.token


def new_user(base_url: str) -> str:
    """Return the access token of a new user, whose password is the example in the document."""
    credentials = {"username": f"user-{uuid4()}", "password": PASSWORD}
    with httpx.Client(base_url=base_url, timeout=30) as client:
        assert client.post("/auth/register", json=credentials).status_code == 201
        token: str = client.post("/auth/login", json=credentials).json()["access_token"]
    return token
