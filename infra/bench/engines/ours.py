from infra.bench.engines.loop import run
from shared.heap import keep_for_the_next_picture
from shared.images.limits import Limits
from shared.images.options import ProcessingOptions
from shared.images.pipeline import resize

LIMITS = Limits(source_bytes=10**8, source_pixels=10**8)


def convert(source: bytes, output_format: str, width: int, height: int) -> bytes:
    options = ProcessingOptions.model_validate({"width": width, "format": output_format})
    return resize(source, options, LIMITS).content


if __name__ == "__main__":
    # As the functions that resize do at their start.
    keep_for_the_next_picture()
    run(convert)
