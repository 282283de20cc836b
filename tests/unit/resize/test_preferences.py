import pytest

from functions.resize.preferences import prefers_async


@pytest.mark.parametrize(
    "headers",
    [
        ["respond-async"],
        ["Respond-Async"],
        [" respond-async "],
        ["wait=10, respond-async"],
        ["respond-async, wait=10"],
        ["return=minimal", "respond-async"],
        ["respond-async; foo=bar"],
        ['foo="a, b", respond-async'],
        ['foo="\\", bar", respond-async'],
        [",respond-async,,"],
    ],
)
def test_preference_is_found(headers: list[str]) -> None:
    assert prefers_async(headers)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [""],
        ["respond"],
        ["respond-asynchronously"],
        ["return=respond-async"],
        ['foo="x, respond-async"'],
        ['foo="x, respond-async, y"'],
        ["wait=10; respond-async"],
        [",,,"],
        ['"'],
    ],
)
def test_what_is_another_preference_is_not_it(headers: list[str]) -> None:
    assert not prefers_async(headers)
