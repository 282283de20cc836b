"""What every test may ask for: a real PostgreSQL, the settings, a photograph.

The process that only hands the tests out loads this too: what it has no use for is imported where it is used.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings

from infra.local.data import exclusive
from infra.local.errors import LocalError
from infra.local.object_storage import make_bucket, object_storage
from infra.local.postgres import postgres

DATA = Path(".local/test")
SERVER_URL = "TEST_SERVER_URL"
STORAGE_URL = "TEST_STORAGE_URL"
PHOTOGRAPH = Path("infra/local/samples/rocket.jpg")

# On a laptop a sample of the cases; all of them where there is time.
settings.register_profile("laptop", max_examples=50, deadline=None)
settings.register_profile("thorough", max_examples=500, deadline=None)
settings.load_profile("thorough" if os.environ.get("CI") else "laptop")


def pytest_configure(config: pytest.Config) -> None:
    """Start one PostgreSQL and one S3 for all workers; the former's data is kept, for a quicker next run."""
    if not hasattr(config, "workerinput"):
        DATA.parent.mkdir(exist_ok=True)
        server = ExitStack()
        try:
            data = server.enter_context(exclusive(DATA))
        except LocalError:
            # Another run has it: this one makes its own.
            data = Path(server.enter_context(TemporaryDirectory()))
        os.environ[STORAGE_URL] = server.enter_context(object_storage(0))
        os.environ[SERVER_URL] = server.enter_context(postgres(data / "postgres"))
        config.add_cleanup(server.close)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the slowest, so that no worker is left alone with them at the end."""
    items.sort(key=lambda item: "/local/" not in str(item.path))


@pytest.fixture(scope="session")
def database_url() -> str:
    """A new database, with the schema in it, for this worker alone."""
    import asyncpg
    from sqlalchemy.engine import make_url

    from infra.migrations import upgrade

    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    server = make_url(os.environ[SERVER_URL])

    async def make_database() -> None:
        connection = await asyncpg.connect(server.render_as_string(hide_password=False))
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()

    asyncio.run(make_database())
    url = server.set(database=name).render_as_string(hide_password=False)
    upgrade(url)
    return url


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    from infra.local.keys import local_keys

    return local_keys(tmp_path_factory.mktemp("keys") / "keys.json")


@pytest.fixture(scope="session")
def bucket() -> str:
    """The name of a bucket, for this worker alone."""
    name = f"test-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    make_bucket(os.environ[STORAGE_URL], name)
    return name


@pytest.fixture(scope="session")
def storage_host() -> str:
    """The `host:port` of S3."""
    return os.environ[STORAGE_URL].removeprefix("http://")


@pytest.fixture(scope="session")
def environment(
    database_url: str, keys: dict[str, str], bucket: str, storage_host: str
) -> Iterator[pytest.MonkeyPatch]:
    """The settings of every function, for the whole run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("S3_BUCKET", bucket)
        patch.setenv("LOCALSTACK_HOST", storage_host)
        patch.setenv("DATABASE_URL", database_url)
        # Nobody listens there: a test that sends puts a stand-in, or a broker, in its place.
        patch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
        patch.setenv("JWT_PRIVATE_KEY", keys["JWT_PRIVATE_KEY"])
        patch.setenv("REFRESH_TOKEN_KEY", keys["REFRESH_TOKEN_KEY"])
        patch.delenv("PUSHGATEWAY_URL", raising=False)
        yield patch


@pytest.fixture(scope="session")
def photograph() -> bytes:
    """A real JPEG of 640x427."""
    return PHOTOGRAPH.read_bytes()
