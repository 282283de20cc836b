from __future__ import annotations

import pytest

from shared.config import (
    LAMBDA_ANSWER_BYTES,
    AnswerSettings,
    DatabaseSettings,
    JobSettings,
    KafkaSettings,
    LoggingSettings,
    MetricsSettings,
    PictureSettings,
    RefreshTokenSettings,
    RegistrationSettings,
    RetentionSettings,
    Settings,
    SigningSettings,
    StaleGroupSettings,
    StorageSettings,
    TokenSettings,
)
from shared.errors import ConfigurationError

SECRET = "hunter2-hunter2-hunter2-hunter2-"
DATABASE_URL = "postgresql://ada:hunter2@db/passepartout"
WHOLE = {
    "DATABASE_URL": DATABASE_URL,
    "JWT_PRIVATE_KEY": SECRET,
    "JWT_SECRET": SECRET,
    "REFRESH_TOKEN_KEY": SECRET,
    "REFRESH_TOKEN_OLD_KEYS": SECRET,
}
EVERY = [
    JobSettings,
    RetentionSettings,
    KafkaSettings,
    DatabaseSettings,
    TokenSettings,
    SigningSettings,
    RefreshTokenSettings,
    RegistrationSettings,
    PictureSettings,
    AnswerSettings,
    LoggingSettings,
    MetricsSettings,
    StaleGroupSettings,
    StorageSettings,
]


def _refusal(cls: type[Settings], environment: dict[str, str]) -> str:
    with pytest.raises(ConfigurationError) as refusal:
        cls.from_environment(environment)
    return str(refusal.value)


MISSING: list[tuple[type[Settings], str, dict[str, str]]] = [
    (DatabaseSettings, "DATABASE_URL", {}),
    (RefreshTokenSettings, "REFRESH_TOKEN_KEY", {}),
    (TokenSettings, "JWT_PUBLIC_KEYS", {}),
    (TokenSettings, "JWT_PUBLIC_KEYS", {"JWT_ALGORITHM": "RS256", "JWT_SECRET": SECRET}),
    (TokenSettings, "JWT_SECRET", {"JWT_ALGORITHM": "HS256", "JWT_PRIVATE_KEY": SECRET}),
    (SigningSettings, "JWT_PRIVATE_KEY", {}),
    (SigningSettings, "JWT_PRIVATE_KEY", {"JWT_PUBLIC_KEYS": "pem"}),
    (SigningSettings, "JWT_SECRET", {"JWT_ALGORITHM": "HS256"}),
    (KafkaSettings, "KAFKA_SASL_USERNAME", {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}),
    (
        KafkaSettings,
        "KAFKA_SASL_PASSWORD",
        {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "KAFKA_SASL_USERNAME": "ada"},
    ),
]


@pytest.mark.parametrize("value", [None, "", "  ", "\n"])
@pytest.mark.parametrize(("cls", "name", "rest"), MISSING)
def test_what_is_missing_is_named(
    cls: type[Settings], name: str, rest: dict[str, str], value: str | None
) -> None:
    refusal = _refusal(cls, rest if value is None else rest | {name: value})
    assert refusal.startswith(f"{name}: is not set") and "\n" not in refusal


WRONG: list[tuple[type[Settings], str, str]] = [
    (RefreshTokenSettings, "REFRESH_TOKEN_KEY", "hunter2"),
    (RefreshTokenSettings, "REFRESH_TOKEN_KEY", SECRET[1:]),
    (RefreshTokenSettings, "REFRESH_TOKEN_OLD_KEYS", "hunter2"),
    (RefreshTokenSettings, "REFRESH_TOKEN_OLD_KEYS", f"{SECRET[::-1]} {SECRET[1:]}"),
    (DatabaseSettings, "DATABASE_POOL_SIZE", "hunter2"),
    (DatabaseSettings, "DATABASE_POOL_SIZE", "0"),
    (DatabaseSettings, "DATABASE_POOL_SIZE", "101"),
    (TokenSettings, "JWT_ALGORITHM", "none"),
    (TokenSettings, "JWT_ALGORITHM", "es256"),
    (RegistrationSettings, "REGISTRATION", "yes"),
    (PictureSettings, "MAX_SOURCE_BYTES", "0"),
    (PictureSettings, "MAX_SOURCE_PIXELS", "-1"),
    (PictureSettings, "MAX_PICTURE_SECONDS", "0"),
    (AnswerSettings, "MAX_ANSWER_BYTES", "0"),
    (StorageSettings, "S3_BUCKET", "b"),
    (StorageSettings, "S3_BUCKET", "Pictures"),
    (StorageSettings, "S3_BUCKET", "s3://pictures"),
    (StorageSettings, "AWS_ENDPOINT_URL_S3", "storage:9000"),
    (StorageSettings, "LOCALSTACK_HOST", "http://storage:4566"),
    (StorageSettings, "LOCALSTACK_HOST", "storage"),
    (StorageSettings, "S3_PUBLIC_URL", "storage.example.com"),
    (StaleGroupSettings, "STALE_GROUP_SECONDS", "59"),
    (KafkaSettings, "KAFKA_BOOTSTRAP_SERVERS", "kafka://broker:9092"),
    (KafkaSettings, "KAFKA_BOOTSTRAP_SERVERS", "broker:9092,"),
    (KafkaSettings, "KAFKA_BOOTSTRAP_SERVERS", "broker:port"),
    (KafkaSettings, "KAFKA_SECURITY_PROTOCOL", "TLS"),
    (KafkaSettings, "KAFKA_SASL_MECHANISM", "GSSAPI"),
    (LoggingSettings, "LOG_FORMAT", "xml"),
    (LoggingSettings, "LOG_LEVEL", "info"),
]


@pytest.mark.parametrize(("cls", "name", "value"), WRONG)
def test_what_is_wrong_is_named_without_its_value(cls: type[Settings], name: str, value: str) -> None:
    refusal = _refusal(cls, WHOLE | {name: value})
    assert refusal.startswith(f"{name}: ") and "\n" not in refusal and ";" not in refusal
    assert value not in refusal


@pytest.mark.parametrize(
    "servers", ["broker", "127.0.0.1:9092", "b-1.example.com:9092,b-2.example.com:9092", "[::1]:9092"]
)
def test_brokers_are_hosts_with_their_ports(servers: str) -> None:
    settings = KafkaSettings.from_environment({"KAFKA_BOOTSTRAP_SERVERS": servers})
    assert settings.kafka_bootstrap_servers == servers


@pytest.mark.parametrize("cls", [TokenSettings, SigningSettings])
def test_short_secret_of_hs256_is_weak(cls: type[TokenSettings]) -> None:
    refusal = _refusal(cls, {"JWT_ALGORITHM": "HS256", "JWT_SECRET": SECRET[1:]})
    assert refusal == "JWT_SECRET: is shorter than 32 bytes"


def test_everything_wrong_is_named_in_one_line() -> None:
    refusal = _refusal(PictureSettings, {"MAX_SOURCE_BYTES": "hunter2", "MAX_SOURCE_PIXELS": "-5"})
    assert [fault.partition(":")[0] for fault in refusal.split("; ")] == [
        "MAX_SOURCE_BYTES",
        "MAX_SOURCE_PIXELS",
    ]
    assert "\n" not in refusal and "hunter2" not in refusal and "-5" not in refusal


def test_length_of_a_secret_is_counted_in_bytes() -> None:
    key = RefreshTokenSettings.from_environment({"REFRESH_TOKEN_KEY": "é" * 16}).refresh_token_key
    assert key.get_secret_value() == "é" * 16
    assert "32 bytes" in _refusal(RefreshTokenSettings, {"REFRESH_TOKEN_KEY": "é" * 15 + "e"})


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("", []),
        (" \n", []),
        (SECRET, [SECRET]),
        (f" {SECRET}\n{SECRET[::-1]} ", [SECRET, SECRET[::-1]]),
    ],
)
def test_old_keys_have_white_space_between_them(text: str, keys: list[str]) -> None:
    assert RefreshTokenSettings.from_environment(WHOLE | {"REFRESH_TOKEN_OLD_KEYS": text}).old_keys == keys


@pytest.mark.parametrize("cls", EVERY)
def test_repr_shows_no_secret(cls: type[Settings]) -> None:
    settings = cls.from_environment(WHOLE)
    assert "hunter2" not in repr(settings) + str(settings)


@pytest.mark.parametrize("cls", EVERY)
def test_variables_of_others_do_no_harm(cls: type[Settings]) -> None:
    assert cls.from_environment(WHOLE | {"PATH": "/bin", "": "x"}) == cls.from_environment(WHOLE)


@pytest.mark.parametrize("cls", EVERY)
def test_names_are_in_upper_case_only(cls: type[Settings]) -> None:
    lower = {
        name.lower(): "no" for name in ("LOG_FORMAT", "REGISTRATION", "MAX_SOURCE_BYTES", "JWT_ALGORITHM")
    }
    assert cls.from_environment(WHOLE | lower) == cls.from_environment(WHOLE)


def test_environment_of_the_process_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_SOURCE_BYTES", "7")
    assert PictureSettings.from_environment().max_source_bytes == 7


@pytest.mark.parametrize(
    ("environment", "size"),
    [
        ({}, 5),
        ({"AWS_LAMBDA_FUNCTION_NAME": "login"}, 1),
        ({"AWS_LAMBDA_FUNCTION_NAME": ""}, 5),
        ({"DATABASE_POOL_SIZE": "20"}, 20),
        ({"DATABASE_POOL_SIZE": "3", "AWS_LAMBDA_FUNCTION_NAME": "login"}, 3),
        ({"DATABASE_POOL_SIZE": "", "AWS_LAMBDA_FUNCTION_NAME": "login"}, 1),
    ],
)
def test_lambda_needs_one_connection(environment: dict[str, str], size: int) -> None:
    settings = DatabaseSettings.from_environment({"DATABASE_URL": DATABASE_URL} | environment)
    assert settings.pool_size == size


@pytest.mark.parametrize(
    ("environment", "answer_bytes"),
    [
        ({}, None),
        ({"AWS_LAMBDA_RUNTIME_API": "localhost:9001"}, LAMBDA_ANSWER_BYTES),
        ({"MAX_ANSWER_BYTES": "700000"}, 700_000),
        ({"MAX_ANSWER_BYTES": "700000", "AWS_LAMBDA_RUNTIME_API": "localhost:9001"}, 700_000),
    ],
)
def test_answers_are_as_large_as_lambda_takes_where_it_runs(
    environment: dict[str, str], answer_bytes: int | None
) -> None:
    assert AnswerSettings.from_environment(environment).answer_bytes == answer_bytes


def test_tokens_are_es256_and_registration_is_open_unless_told_otherwise() -> None:
    tokens = TokenSettings.from_environment({"JWT_PUBLIC_KEYS": "pem"})
    assert (tokens.jwt_algorithm, tokens.jwt_issuer, tokens.jwt_audience) == ("ES256", *["passepartout"] * 2)
    assert RegistrationSettings.from_environment({}).registration == "open"
    assert MetricsSettings.from_environment({}).pushgateway_url is None


def test_settings_cannot_be_changed() -> None:
    settings = PictureSettings.from_environment({})
    with pytest.raises(ValueError, match="frozen"):
        setattr(settings, "max_source_bytes", 1)
