from infra.bench.engines.loop import run
from shared.images.limits import Limits
from shared.images.pipeline import Request, resize

LIMITS = Limits(source_bytes=10**8, source_pixels=10**8)


def convert(source: bytes, output_format: str, width: int, height: int) -> bytes:
    return resize(source, Request(width, None, output_format), LIMITS).content  # type: ignore[arg-type]


if __name__ == "__main__":
    run(convert)
