from __future__ import annotations

import pytest

from shared.errors import ConfigurationError
from shared.on_startup.presets import read_presets


def test_presets_are_options_by_name() -> None:
    presets = read_presets('{"avatar": {"width": 128, "resizing_type": "fill"}}')
    assert presets["avatar"].as_parameters() == {"width": 128, "resizing_type": "fill"}


@pytest.mark.parametrize(
    "text, told",
    [
        ("{", "PRESETS: Invalid JSON"),
        ('{"avatar": {"width": 0}}', "PRESETS.avatar.width: "),
        ('{"avatar": {"widht": 1}}', "PRESETS.avatar.widht: "),
        ('{"a": {"width": 1}, "b": {"preset": "a"}}', "PRESETS.b: a preset has no preset"),
    ],
)
def test_preset_that_no_request_could_ask_for_is_named(text: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        read_presets(text)
