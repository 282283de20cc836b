import httpx
import pytest

from tests.conftest import sign_in
from tests.integration.uploads import Resizer


@pytest.fixture(scope="session")
async def resizer(client: httpx.AsyncClient) -> Resizer:
    """For the whole run: a sign-in costs more than most pictures, and resizing looks up no user."""
    return Resizer(client, await sign_in(client))
