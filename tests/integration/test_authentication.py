"""Who asks is judged before what is asked."""

from __future__ import annotations

import httpx
import pytest

from tests.integration.problems import assert_problem


@pytest.mark.parametrize("query", ["width=1&width=2", "width=0", "colour=red", ""])
async def test_stranger_is_told_of_no_other_fault(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.post(f"/file/resize?{query}", content=b"no picture")
    assert_problem(answer, 401, "invalid_token")
