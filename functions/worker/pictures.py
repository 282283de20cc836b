"""The pictures of a job: read, resized on threads, and stored under names that say what they are made of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from pydantic import ValidationError

from shared.concurrency import BoundedThreads
from shared.db.storage import ObjectStorage
from shared.images.entity_tag import engine
from shared.images.formats import FORMATS, OutputFormat
from shared.images.limits import Limits
from shared.images.options import ProcessingOptions
from shared.images.pipeline import Picture, resize
from shared.messages.resize_requested import InlineSource, ResizeRequested
from shared.object_keys import result_key
from shared.picture_metrics import observe_picture
from shared.repositories.jobs import OutputState
from shared.requests import invalid


@dataclass(frozen=True, slots=True)
class Pictures:
    threads: BoundedThreads[Picture]
    limits: Limits
    seconds: float
    storage: ObjectStorage

    async def make(self, request: ResizeRequested) -> list[OutputState]:
        """Make and store every output. Raises what `pipeline.resize` and the storage raise."""
        wanted = [_parameters(params) for params in request.outputs]
        source = await self._source(request)
        digest = hashlib.sha256(source).digest()
        return [await self._output(request, source, digest, each) for each in wanted]

    async def _source(self, request: ResizeRequested) -> bytes:
        if isinstance(request.source, InlineSource):
            return request.source.bytes
        return await self.storage.get(
            request.source.key, limit=self.limits.source_bytes, etag=request.source.etag
        )

    async def _output(
        self, request: ResizeRequested, source: bytes, digest: bytes, parameters: ProcessingOptions
    ) -> OutputState:
        work = partial(resize, source, parameters, self.limits, _accepted(request))
        picture = await self.threads.run(work, self.seconds)
        observe_picture(picture, len(source))
        key = result_key(request.user, _name(digest, parameters), picture.format.extension)
        await self.storage.put(key, picture.content, picture.format.media_type)
        width, height = picture.size
        return OutputState(key, width, height, len(picture.content), picture.format.media_type)


def _accepted(request: ResizeRequested) -> list[OutputFormat]:
    """Return those that are known here: another version may know others."""
    accepted = request.accepted or []
    return sorted((name for name in FORMATS if name in accepted), key=accepted.index)


def _parameters(params: dict[str, Any]) -> ProcessingOptions:
    """Raises ParametersInvalid: what the API checked may have been checked by another version of it."""
    try:
        return ProcessingOptions.model_validate(params).with_preset({})
    except ValidationError as error:
        raise invalid([{**fault, "loc": ("query", *fault["loc"])} for fault in error.errors()]) from None


def _name(digest: bytes, parameters: ProcessingOptions) -> str:
    wanted = orjson.dumps(parameters.model_dump(exclude_none=True), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(b"\0".join((digest, wanted, engine()))).hexdigest()
