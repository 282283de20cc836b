from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from infra.local.postgres import postgres


@pytest.mark.parametrize("folder", ["it's a folder", "clé"])
async def test_runs_in_a_folder_of_any_name(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    with postgres(tmp_path / folder / "postgres") as url:
        connection = await asyncpg.connect(url)
        assert await connection.fetchval("SELECT current_user") == "postgres"
        await connection.close()
    # Not in a folder that other users of the machine have too.
    assert (tmp_path / folder / "postgres.lock").exists()
