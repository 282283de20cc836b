"""The database's schema as Alembic revisions. `python -m infra.migrations` applies those that are missing."""

from pathlib import Path

from alembic import command
from alembic.config import Config


def upgrade(database_url: str) -> None:
    """Apply every revision that the database lacks; nothing when it lacks none."""
    command.upgrade(alembic_config(database_url), "head")


def alembic_config(database_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["database_url"] = database_url
    return config
