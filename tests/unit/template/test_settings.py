"""What each function is given as settings: all that it reads, secrets by reference, no more."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from infra.gateway.asgi import load_app
from shared import config
from shared.config import Settings
from tests.unit.template.stack import FUNCTIONS, PARAMETERS, WITH_ROUTES, variables

SET_BY_LAMBDA = {
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
}
LEFT_AT_DEFAULT = {
    *("METRICS_PORT", "DATABASE_POOL_SIZE", "LOG_FORMAT", "STALE_GROUP_SECONDS", "MAX_ANSWER_BYTES"),
    *("AWS_ENDPOINT_URL_S3", "LOCALSTACK_HOST", "S3_PUBLIC_URL", "KAFKA_CA_FILE"),
}
ONLY_OF_HS256 = {"JWT_SECRET"}
ONLY_OF_ISSUERS = dict.fromkeys(("resize", "upload", "jobs"), {"JWT_PRIVATE_KEY"})

SECRETS = {"DATABASE_URL", "JWT_PRIVATE_KEY", "JWT_PUBLIC_KEYS", "REFRESH_TOKEN_KEY"}
OF_THE_STACK = SECRETS | {"S3_BUCKET"}
"""What is another in each stack, and so has no default."""
ONLY_IN_ROTATION = {"REFRESH_TOKEN_OLD_KEYS"}
"""Of the secret as well, where a parameter says that it has them."""
OF_KAFKA_USERS = {"KAFKA_SASL_PASSWORD", "KAFKA_SASL_USERNAME"}
OF_KAFKA = {"KAFKA_SASL_PASSWORD"}
"""Of a secret of its own, as MSK and Lambda's event source want it."""
REFERENCE = re.compile(
    r"\{\{resolve:secretsmanager:\$\{Secret\}:SecretString:(?P<name>[A-Z_]+)::\$\{SecretVersion\}\}\}"
)


def environment(function: str, secrets: Mapping[str, str]) -> dict[str, str]:
    """Return the function's variables as they are with every parameter at its default."""
    found = {}
    for name, value in variables(function).items():
        match value:
            case {"Ref": "Bucket"}:
                found[name] = "passepartout-bucket"
            case {"Ref": str(parameter)}:
                found[name] = str(PARAMETERS[parameter]["Default"])
            case {"Fn::Sub": str(text)} if reference := REFERENCE.fullmatch(text):
                found[name] = secrets[reference["name"]]
            case {"Fn::If": ["HasOldKeys", _, {"Ref": "AWS::NoValue"}]}:
                assert PARAMETERS["RefreshTokenOldKeys"]["Default"] == "false"
            case {"Fn::If": ["KafkaHasUser", _, {"Ref": "AWS::NoValue"}]}:
                assert PARAMETERS["KafkaSecret"]["Default"] == ""
            case _:
                pytest.fail(f"{function}: {name} is neither a parameter nor from the secret: {value}")
    return found


@pytest.fixture(scope="module")
def secrets(keys: dict[str, str]) -> dict[str, str]:
    """What the secret in Secrets Manager holds."""
    private = load_pem_private_key(keys["JWT_PRIVATE_KEY"].encode(), None)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return {
        "DATABASE_URL": "postgresql://ada:hunter2@database/passepartout",
        "JWT_PRIVATE_KEY": keys["JWT_PRIVATE_KEY"],
        "JWT_PUBLIC_KEYS": public.decode(),
        "REFRESH_TOKEN_KEY": keys["REFRESH_TOKEN_KEY"],
    }


@pytest.fixture
def _root_logger_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The root logger is as it was when the test is over, which starts a function."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)


class SettingsRead:
    """Notes what is read, and reads it from the given environment instead of this process's."""

    def __init__(self, environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: set[str] = set()
        self.values: list[Settings] = []
        read = vars(Settings)["from_environment"].__func__

        def note(cls: type[Settings]) -> Settings:
            self.names |= {name.upper() for name in cls.model_fields}
            self.values.append(read(cls, environ))
            return self.values[-1]

        monkeypatch.setattr(Settings, "from_environment", classmethod(note))


async def start(function: str) -> None:
    """Start and stop the function; on an app of its own, as another test may have the function's open."""
    app, stand_in = load_app(function), FastAPI()
    stand_in.state.function = function
    stand_in.state.resources = app.state.resources
    stand_in.state.registry = CollectorRegistry()
    async with app.router.lifespan_context(stand_in):
        pass


@pytest.mark.usefixtures("_root_logger_kept")
@pytest.mark.parametrize("function", FUNCTIONS)
async def test_function_starts_with_exactly_the_settings_it_reads(
    function: str, secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = environment(function, secrets)
    read = SettingsRead(given, monkeypatch)
    await start(function)
    unset = SET_BY_LAMBDA | LEFT_AT_DEFAULT | ONLY_OF_HS256 | ONLY_OF_ISSUERS.get(function, set())
    unset |= ONLY_IN_ROTATION | OF_KAFKA_USERS
    assert given.keys() == read.names - unset


@pytest.mark.usefixtures("_root_logger_kept")
@pytest.mark.parametrize("function", WITH_ROUTES)
async def test_defaults_of_parameters_are_those_of_the_settings(
    function: str, secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = environment(function, secrets)
    with monkeypatch.context() as patch:
        from_template = SettingsRead(given, patch)
        await start(function)
    from_code = SettingsRead({name: given[name] for name in given.keys() & OF_THE_STACK}, monkeypatch)
    await start(function)
    assert from_template.values == from_code.values


def test_janitor_is_given_no_key() -> None:
    assert not [name for name in variables("janitor") if name.startswith(("JWT", "REFRESH"))]


def test_only_those_who_issue_tokens_are_given_the_key_that_signs() -> None:
    assert {name for name in FUNCTIONS if "JWT_PRIVATE_KEY" in variables(name)} == {"login", "refresh"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_who_is_given_the_key_of_refresh_tokens_can_be_given_the_old_ones(function: str) -> None:
    given = variables(function)
    assert ("REFRESH_TOKEN_OLD_KEYS" in given) == ("REFRESH_TOKEN_KEY" in given)
    if "REFRESH_TOKEN_OLD_KEYS" in given:
        _, value, _ = given["REFRESH_TOKEN_OLD_KEYS"]["Fn::If"]
        reference = REFERENCE.fullmatch(value["Fn::Sub"])
        assert reference and reference["name"] == "REFRESH_TOKEN_OLD_KEYS"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_secrets_are_references_and_nothing_else_is(function: str) -> None:
    references = {
        name: reference["name"]
        for name, value in variables(function).items()
        if isinstance(value, dict) and (reference := REFERENCE.fullmatch(value.get("Fn::Sub", "")))
    }
    assert references == {name: name for name in variables(function).keys() & SECRETS}


def test_every_secret_setting_is_one_of_the_secret() -> None:
    classes = [
        each for each in vars(config).values() if isinstance(each, type) and issubclass(each, Settings)
    ]
    fields = [field for each in classes for field in each.model_fields.items()]
    secret = {name.upper() for name, field in fields if "SecretStr" in str(field.annotation)}
    assert secret == SECRETS - {"JWT_PUBLIC_KEYS"} | ONLY_OF_HS256 | ONLY_IN_ROTATION | OF_KAFKA


@pytest.mark.parametrize("function", ["resize", "worker"])
def test_credentials_of_kafka_are_those_of_its_secret(function: str) -> None:
    for name, key in (("KAFKA_SASL_USERNAME", "username"), ("KAFKA_SASL_PASSWORD", "password")):
        condition, given, _ = variables(function)[name]["Fn::If"]
        assert condition == "KafkaHasUser"
        assert given == {"Fn::Sub": f"{{{{resolve:secretsmanager:${{KafkaSecret}}:SecretString:{key}}}}}"}
