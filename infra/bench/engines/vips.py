import pyvips

from infra.bench.engines.loop import QUALITY, run


def convert(source: bytes, output_format: str, width: int, height: int) -> bytes:
    picture = pyvips.Image.thumbnail_buffer(source, width, height=height, size="force")
    options = {"Q": QUALITY[output_format]} if output_format in QUALITY else {}
    content: bytes = picture.write_to_buffer(f".{output_format}", **options)
    return content


if __name__ == "__main__":
    pyvips.cache_set_max(0)
    run(convert)
