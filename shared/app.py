"""Makes the ASGI app of a function: middleware, problem+json, /health, and resources opened once."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector
from starlette.exceptions import HTTPException

from shared.bodies import BodiesMiddleware
from shared.config import LoggingSettings
from shared.deadline import DeadlineMiddleware
from shared.errors import MethodNotAllowed, NotFound, Problem, RequestInvalid
from shared.header_lines import HeaderLinesMiddleware
from shared.logging import configure_logging
from shared.metrics.instruments import HttpInstruments, push_failures
from shared.middleware import HeadMiddleware, RequestIdMiddleware, RequestMiddleware, StartupMiddleware
from shared.on_startup.metrics import open_metrics
from shared.requests import invalid
from shared.responses import OrjsonResponse, problem_response
from shared.types import Resource

health = APIRouter()


@health.get("/health", tags=["health"], summary="Health")
async def answer_health() -> dict[str, str]:
    """Tell that the function runs and has opened its resources."""
    return {"status": "ok"}


def create_app(
    function: str,
    router: APIRouter,
    resources: Sequence[Resource] = (),
    instruments: Sequence[Collector] = (),
) -> FastAPI:
    """Return the app of a function; `resources` are opened in order at its start, and closed at its end."""
    app = FastAPI(
        title=f"Passepartout {function}",
        lifespan=_lifespan,
        default_response_class=OrjsonResponse,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.include_router(router)
    app.include_router(health)
    app.state.function = function
    app.state.resources = [open_metrics, *resources]
    app.state.registry = CollectorRegistry()
    for instrument in instruments:
        app.state.registry.register(instrument)
    app.state.push_failures = push_failures(app.state.registry)
    http = HttpInstruments(app.state.registry)
    routes = [*router.routes, *health.routes]
    http.start_at_zero(function, [route for route in routes if isinstance(route, APIRoute)])
    app.add_middleware(HeadMiddleware)
    app.add_middleware(DeadlineMiddleware)
    app.add_middleware(RequestMiddleware, function=function, instruments=http)
    app.add_middleware(RequestIdMiddleware)
    app.add_middleware(HeaderLinesMiddleware)
    app.add_middleware(BodiesMiddleware)
    app.add_middleware(StartupMiddleware)
    for refused in (Problem, RequestValidationError, HTTPException):
        app.add_exception_handler(refused, answer_problem)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    configure_logging(LoggingSettings.from_environment())
    async with AsyncExitStack() as opened:
        for resource in app.state.resources:
            await opened.enter_async_context(resource(app))
        _keep_what_is_loaded()
        yield


def _keep_what_is_loaded() -> None:
    """Spare every later look for garbage what is here to stay, and have it looked for from here on."""
    gc.freeze()
    gc.enable()


async def answer_problem(request: Request, error: Exception) -> Response:
    """Answer a refusal, our own or the framework's, as problem+json; raise anything else."""
    match error:
        case Problem():
            return problem_response(error)
        case RequestValidationError():
            return problem_response(invalid(error.errors()))
        case HTTPException(status_code=404):
            return problem_response(NotFound(f"No route matches {request.scope['path']!r}."))
        case HTTPException(status_code=405):
            refusal = MethodNotAllowed(f"{request.method} is not taken here.")
            return problem_response(refusal, dict(error.headers or {}))
        case HTTPException():
            return problem_response(RequestInvalid(error.detail), dict(error.headers or {}))
    raise error
