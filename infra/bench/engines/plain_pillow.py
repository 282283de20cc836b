"""What most people write."""

import io

from PIL import Image

from infra.bench.engines.loop import QUALITY, run


def convert(source: bytes, output_format: str, width: int, height: int) -> bytes:
    output = io.BytesIO()
    options = {"quality": QUALITY[output_format]} if output_format in QUALITY else {}
    with Image.open(io.BytesIO(source)) as picture:
        picture.resize((width, height), Image.Resampling.LANCZOS).save(output, output_format, **options)
    return output.getvalue()


if __name__ == "__main__":
    run(convert)
