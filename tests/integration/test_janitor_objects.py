"""What the janitor does about objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from functions.janitor import objects
from functions.janitor.jobs import OldJobs
from functions.janitor.objects import OldResults, OldUploads
from functions.janitor.service import Janitor
from infra.local.object_storage import make_bucket
from infra.local.ports import HOST
from shared.config import StorageSettings
from shared.db import storage as db_storage
from shared.db.session import Database
from shared.db.storage import ListedObject, ObjectStorage
from shared.errors import ChoresFailed, SourceNotFound
from shared.object_keys import RESULTS, result_key, upload_key
from shared.on_startup.storage import create_storage
from shared.repositories.unit_of_work import UnitOfWork
from tests.jobs import add_job

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
USERS = [UUID(int=number << 120) for number in (0, 64, 128, 192, 255)]


class AgedStorage(ObjectStorage):
    """One whose objects are older than they are: S3 takes no time from anybody."""

    def age(self, ages: dict[str, timedelta]) -> None:
        self._ages = ages

    async def page(self, prefix: str, after: str) -> list[ListedObject]:
        listed = await super().page(prefix, after)
        return [replace(each, written_at=each.written_at - self._ages[each.key]) for each in listed]


@pytest.fixture
def storage(storage_host: str) -> Iterator[AgedStorage]:
    """On a bucket of its own, for what is in it is counted."""
    name = f"test-{uuid4()}"
    make_bucket(f"http://{storage_host}", name)
    settings = StorageSettings.from_environment({"S3_BUCKET": name, "LOCALSTACK_HOST": storage_host})
    storage = AgedStorage(name, create_storage(settings)._connect)
    yield storage
    storage.close()


async def fill(storage: AgedStorage, ages: dict[str, timedelta]) -> None:
    for key in ages:
        await storage.put(key, b"a picture", "image/png")
    storage.age(ages)


async def is_there(storage: ObjectStorage, key: str) -> bool:
    try:
        await storage.head(key)
    except SourceNotFound:
        return False
    return True


async def test_objects_go_after_their_time(storage: AgedStorage) -> None:
    user = uuid4()
    old, young = upload_key(user, uuid4()), upload_key(user, uuid4())
    old_result, young_result = result_key(user, "a", "png"), result_key(user, "b", "png")
    await fill(
        storage,
        {
            old: DAY + SECOND,
            young: DAY - 60 * SECOND,
            old_result: 7 * DAY + SECOND,
            young_result: 7 * DAY - 60 * SECOND,
            "elsewhere/1": 100 * DAY,
        },
    )
    chores = [OldUploads(storage, DAY), OldResults(storage, 7 * DAY)]
    assert await Janitor(chores).clean() == {"old_uploads": 1, "old_results": 1}
    assert [await is_there(storage, key) for key in (old, old_result)] == [False, False]
    assert [await is_there(storage, key) for key in (young, young_result, "elsewhere/1")] == [True] * 3


@pytest.mark.parametrize("begin_at", [UUID(int=0), UUID(int=100 << 120), USERS[2], UUID(int=2**128 - 1)])
async def test_all_of_them_are_looked_at_wherever_it_begins(
    storage: AgedStorage, monkeypatch: pytest.MonkeyPatch, begin_at: UUID
) -> None:
    monkeypatch.setattr(objects, "uuid4", lambda: begin_at)
    for module in (objects, db_storage):
        monkeypatch.setattr(module, "PAGE", 3)
    keys = [result_key(user, name, "png") for user in USERS for name in "abc"]
    await fill(storage, {key: timedelta(0) if key.endswith("b.png") else 8 * DAY for key in keys})
    assert await Janitor([OldResults(storage, 7 * DAY)]).clean() == {"old_results": 10}
    assert [key for key in keys if await is_there(storage, key)] == [k for k in keys if k.endswith("b.png")]


async def test_event_looks_at_so_many_and_the_next_ones_at_others(
    storage: AgedStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "PAGES_PER_EVENT", 2)
    for module in (objects, db_storage):
        monkeypatch.setattr(module, "PAGE", 3)
    await fill(storage, {result_key(user, name, "png"): 8 * DAY for user in USERS for name in "abc"})
    counts = []
    for begin_at in (USERS[0], USERS[4], USERS[2]):
        monkeypatch.setattr(objects, "uuid4", lambda each=begin_at: each)
        counts.append((await Janitor([OldResults(storage, 7 * DAY)]).clean())["old_results"])
    assert counts == [6, 3, 6]
    assert await storage.page(RESULTS, "") == []


async def test_without_storage_there_is_none() -> None:
    storage = create_storage(StorageSettings.from_environment({}))
    assert await Janitor([OldResults(storage, DAY)]).clean() == {"old_results": 0}


async def test_jobs_wait_for_a_storage_that_is_down(
    storage: AgedStorage, begin: UnitOfWork, database: Database
) -> None:
    async with database.transaction() as session:
        await session.execute(text("DELETE FROM media.jobs"))
    job = await add_job(begin)
    async with database.transaction() as session:
        long_ago = "status = 'done', finished_at = now() - interval '8 days'"
        await session.execute(text(f"UPDATE media.jobs SET {long_ago}"))
    await fill(storage, {result_key(uuid4(), "a", "png"): 8 * DAY})

    nowhere = StorageSettings.from_environment({"S3_BUCKET": "pictures", "LOCALSTACK_HOST": f"{HOST}:1"})
    down = create_storage(nowhere)
    with pytest.raises(ChoresFailed, match="old_results"):
        await Janitor([OldResults(down, 7 * DAY), OldJobs(begin, 7 * DAY)]).clean()
    down.close()
    async with begin() as repositories:
        assert await repositories.jobs.find(job) is not None

    chores = [OldResults(storage, 7 * DAY), OldJobs(begin, 7 * DAY)]
    assert await Janitor(chores).clean() == {"old_results": 1, "old_jobs": 1}
    async with begin() as repositories:
        assert await repositories.jobs.find(job) is None
