from __future__ import annotations

import pytest

from shared.images.negotiation import accepted_formats, chosen_format

CHROME = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


@pytest.mark.parametrize(
    "accept, formats",
    [
        ("", ()),
        ("*/*", ()),
        ("image/*,*/*;q=0.8", ()),
        (CHROME, ("avif", "webp")),
        ("image/webp, image/avif;q=0.5", ("webp", "avif")),
        ("image/avif;q=0, image/webp", ("webp",)),
        ("IMAGE/PNG ; Q=0.3 , image/jpeg;q=0.3", ("jpeg", "png")),
        ("image/webp;q=high", ()),
        ("image/webp;q=nan", ()),
        (",;,image/webp;level=1;q=0.1,,", ("webp",)),
        ("text/html", ()),
    ],
)
def test_accepted_formats(accept: str, formats: tuple[str, ...]) -> None:
    assert accepted_formats(accept) == formats


def test_source_stays_what_it_is_where_nothing_is_asked() -> None:
    assert chosen_format(None, ("avif",), "PNG", False) == "png"
    assert chosen_format("auto", (), "TIFF", False) == "jpeg"
    assert chosen_format("auto", ("avif",), "GIF", True) == "gif"
    assert chosen_format("auto", ("webp",), "JPEG", False) == "webp"
    assert chosen_format("gif", ("avif",), "JPEG", False) == "gif"
