"""thumbor's default engine, as its server calls it."""

from thumbor.config import Config
from thumbor.context import Context
from thumbor.engines.pil import Engine

from infra.bench.engines.loop import QUALITY, run

CONTEXT = Context(config=Config())


def convert(source: bytes, output_format: str, width: int, height: int) -> bytes:
    engine = Engine(CONTEXT)
    engine.load(source, None)
    engine.resize(width, height)
    extension = {"jpeg": ".jpg"}.get(output_format, f".{output_format}")
    content: bytes = engine.read(extension, QUALITY.get(output_format))
    return content


if __name__ == "__main__":
    run(convert)
