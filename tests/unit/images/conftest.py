from __future__ import annotations

import pytest
from PIL import Image


@pytest.fixture
def _no_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Image.Image) -> None:
        pytest.fail("it was decoded")

    for reader in _with_subclasses(Image.Image):
        monkeypatch.setattr(reader, "load", fail)


def _with_subclasses(reader: type[Image.Image]) -> list[type[Image.Image]]:
    return [reader, *(below for one in reader.__subclasses__() for below in _with_subclasses(one))]
