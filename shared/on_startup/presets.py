"""Reads the processing options that have a name."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import cast

from fastapi import FastAPI, Request
from pydantic import TypeAdapter, ValidationError

from shared.config import PresetSettings
from shared.errors import ConfigurationError
from shared.images.options import ProcessingOptions

Presets = Mapping[str, ProcessingOptions]


@asynccontextmanager
async def open_presets(app: FastAPI) -> AsyncIterator[None]:
    """Put the presets on `app.state`. Raises ConfigurationError for one that no request could ask for."""
    text = PresetSettings.from_environment().presets
    app.state.presets = {} if text is None else read_presets(text)
    yield


def read_presets(text: str) -> Presets:
    try:
        presets = TypeAdapter(dict[str, ProcessingOptions]).validate_json(text)
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(("PRESETS", *map(str, fault["loc"])))
        raise ConfigurationError(f"{where}: {fault['msg']}") from None
    if nested := [name for name, options in presets.items() if options.preset is not None]:
        raise ConfigurationError(f"PRESETS.{nested[0]}: a preset has no preset")
    return presets


async def presets(request: Request) -> Presets:
    return cast(Presets, request.app.state.presets)
