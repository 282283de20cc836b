import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from infra.gateway.asgi import load_app
from shared.config import DatabaseSettings
from shared.db.session import Database, database
from shared.on_startup.database import create_engine
from tests.accounts import PASSWORD
from tests.integration.problems import assert_problem


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://postgres@127.0.0.1:1/nowhere",
        "postgresql://postgres@/nowhere?host=/no/such/folder",
    ],
)
async def test_caller_is_told_to_come_again(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    engine = create_engine(DatabaseSettings.from_environment({"DATABASE_URL": url}))
    monkeypatch.setitem(load_app("login").dependency_overrides, database, lambda: Database(engine))
    answer = await client.post("/auth/login", json={"username": "ada", "password": PASSWORD})
    assert_problem(answer, 503, "database_unavailable")
    assert answer.headers["retry-after"] == "5"
    assert "127.0.0.1" not in answer.text
    await engine.dispose()


async def test_failed_statement_keeps_its_parameters_to_itself(
    environment: pytest.MonkeyPatch, database_url: str
) -> None:
    engine = create_engine(DatabaseSettings.from_environment({"DATABASE_URL": database_url}))
    with pytest.raises(DBAPIError) as failure:
        async with Database(engine).transaction() as session:
            await session.execute(text("SELECT 1 / (length(:secret) - 7)"), {"secret": "hunter2"})
    assert "division by zero" in str(failure.value)
    assert "hunter2" not in str(failure.value)
    await engine.dispose()


async def test_database_that_is_not_there(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    url = database_url.replace("/test_", "/missing_")
    engine = create_engine(DatabaseSettings.from_environment({"DATABASE_URL": url}))
    monkeypatch.setitem(load_app("login").dependency_overrides, database, lambda: Database(engine))
    answer = await client.post("/auth/login", json={"username": "ada", "password": PASSWORD})
    assert_problem(answer, 503, "database_unavailable")
    await engine.dispose()
