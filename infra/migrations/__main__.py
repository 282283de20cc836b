import sys

from infra.migrations import upgrade
from shared.config import DatabaseSettings
from shared.errors import ConfigurationError


def main() -> None:
    try:
        upgrade(DatabaseSettings.from_environment().database_url.get_secret_value())
    except ConfigurationError as error:
        sys.exit(f"configuration: {error}")


if __name__ == "__main__":
    main()
