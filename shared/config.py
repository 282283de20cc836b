"""The settings, read from environment variables here and nowhere else. `.env.example` lists them.

Each class is what one part needs, so a function asks for no secret that it has no use for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from shared.errors import ConfigurationError

MINIMUM_SECRET_BYTES = 32
"""HS256 wants a key at least as long as its hash (RFC 7518, 3.2)."""


class Settings(BaseModel):
    """Settings named as the environment variables are, in lower case."""

    model_config = ConfigDict(
        alias_generator=str.upper,
        frozen=True,
        hide_input_in_errors=True,
        extra="ignore",
        # A function reads two or three of these; each costs half a millisecond of its start.
        defer_build=True,
    )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read the settings; an empty variable counts as unset.

        Raises ConfigurationError, naming every variable that is missing or wrong and never its value.
        """
        given = {name: value for name, value in environ.items() if value.strip()}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise ConfigurationError("; ".join(_faults(error))) from None


def _faults(error: ValidationError) -> list[str]:
    faults = []
    for fault in error.errors(include_input=False, include_url=False):
        name = ".".join(str(part) for part in fault["loc"])
        reason = "is not set" if fault["type"] == "missing" else fault["msg"]
        faults.append(f"{name}: {reason}" if name else reason.removeprefix("Value error, "))
    return faults


class DatabaseSettings(Settings):
    database_url: SecretStr
    database_pool_size: int | None = Field(default=None, ge=1, le=100)
    """Connections kept an environment; unset, 1 on Lambda and 5 elsewhere."""
    aws_lambda_function_name: str | None = None

    @property
    def pool_size(self) -> int:
        """A Lambda environment handles one event at a time, so it never needs a second connection."""
        return self.database_pool_size or (1 if self.aws_lambda_function_name else 5)


class TokenSettings(Settings):
    """What verifying an access token takes; `JWT_PRIVATE_KEY` only where no public key is given."""

    jwt_algorithm: Literal["ES256", "RS256", "HS256"] = "ES256"
    jwt_public_keys: str | None = None
    """One or more PEM public keys, one after the other."""
    jwt_private_key: SecretStr | None = None
    jwt_secret: SecretStr | None = None
    jwt_issuer: str = "passepartout"
    jwt_audience: str = "passepartout"

    @model_validator(mode="after")
    def _has_a_key(self) -> Self:
        if self.jwt_algorithm == "HS256":
            _demand_secret("JWT_SECRET", self.jwt_secret)
        else:
            self._demand_key_pair()
        return self

    def _demand_key_pair(self) -> None:
        if not (self.jwt_public_keys or self.jwt_private_key):
            raise ValueError(f"JWT_PUBLIC_KEYS: is not set, and {self.jwt_algorithm} needs it")


class SigningSettings(TokenSettings):
    """What issuing access tokens takes besides."""

    def _demand_key_pair(self) -> None:
        if not self.jwt_private_key:
            raise ValueError(f"JWT_PRIVATE_KEY: is not set, and {self.jwt_algorithm} needs it")


class RefreshTokenSettings(Settings):
    refresh_token_key: SecretStr
    refresh_token_old_keys: SecretStr | None = None
    """Those that still verify, with white space between them."""

    @model_validator(mode="after")
    def _is_strong(self) -> Self:
        _demand_secret("REFRESH_TOKEN_KEY", self.refresh_token_key)
        for key in self.old_keys:
            _demand_secret("REFRESH_TOKEN_OLD_KEYS", SecretStr(key))
        return self

    @property
    def old_keys(self) -> list[str]:
        return self.refresh_token_old_keys.get_secret_value().split() if self.refresh_token_old_keys else []


def _demand_secret(name: str, value: SecretStr | None) -> None:
    if value is None:
        raise ValueError(f"{name}: is not set")
    if len(value.get_secret_value().encode()) < MINIMUM_SECRET_BYTES:
        raise ValueError(f"{name}: is shorter than {MINIMUM_SECRET_BYTES} bytes")


class RegistrationSettings(Settings):
    registration: Literal["open", "closed"] = "open"


class SourceSettings(Settings):
    max_source_bytes: int = Field(default=20 * 1024 * 1024, ge=1)


class PictureSettings(SourceSettings):
    max_source_pixels: int = Field(default=67_108_864, ge=1)
    """8192x8192: a telephone's of 64 megapixels has 64.1. Decoding takes up to 18 bytes a pixel."""
    max_picture_seconds: int = Field(default=20, ge=1)
    """Until the caller is told that it takes too long; below the 29 s after which API Gateway would."""


class PresetSettings(Settings):
    presets: str | None = None
    """Processing options by name, as JSON: `{"avatar": {"width": 128, "resizing_type": "fill"}}`."""


LAMBDA_ANSWER_BYTES = 4_700_000
"""What is left of Lambda's 6 MB for a picture, as its answer is JSON with the picture in base64.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""


LAMBDA_MEGABYTES = 1769
"""One whole processor: what a picture is reckoned at elsewhere than on Lambda.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
"""


class AnswerSettings(Settings):
    max_answer_bytes: int | None = Field(default=None, ge=1)
    """What comes out larger is stored, and its address answered; unset, what Lambda takes, elsewhere all."""
    aws_lambda_runtime_api: str | None = None
    aws_lambda_function_memory_size: int = Field(default=LAMBDA_MEGABYTES, ge=1)

    @property
    def answer_bytes(self) -> int | None:
        return self.max_answer_bytes or (LAMBDA_ANSWER_BYTES if self.aws_lambda_runtime_api else None)


HTTP_URL = r"^https?://[^?#\s]+$"


class StorageSettings(Settings):
    s3_bucket: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    """Unset, there is no object storage: what needs it is refused."""
    aws_endpoint_url_s3: str | None = Field(default=None, pattern=HTTP_URL)
    """Of a server other than AWS's."""
    localstack_host: str | None = Field(default=None, pattern=r"^[^/:\s]+:[0-9]{1,5}$")
    """`host:port` of LocalStack or moto, reached with credentials that mean nothing."""
    s3_public_url: str | None = Field(default=None, pattern=HTTP_URL)
    """The address that callers reach the storage at, where the functions have another."""


BROKER = r"(\[[0-9a-fA-F:.]+\]|[^\s,/:\[\]]+)(:[0-9]{1,5})?"


class KafkaSettings(Settings):
    kafka_bootstrap_servers: str | None = Field(default=None, pattern=f"^{BROKER}(,{BROKER})*$")
    """`host:port`, several with commas between them; unset, there is no queue: what needs it is refused."""
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_ca_file: str | None = None
    """Of the authorities that the brokers' certificates are from; unset, those that the system trusts."""
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None

    @model_validator(mode="after")
    def _has_credentials(self) -> Self:
        if self.kafka_security_protocol.startswith("SASL"):
            for name in ("kafka_sasl_username", "kafka_sasl_password"):
                if getattr(self, name) is None:
                    raise ValueError(f"{name.upper()}: is not set")
        return self


class JobSettings(Settings):
    """What making jobs takes besides; no queue needs no database."""

    kafka_bootstrap_servers: str | None = None
    database_url: SecretStr | None = None

    @model_validator(mode="after")
    def _has_a_database(self) -> Self:
        if self.kafka_bootstrap_servers and not self.database_url:
            raise ValueError("DATABASE_URL: is not set, and KAFKA_BOOTSTRAP_SERVERS needs it")
        return self


class RetentionSettings(Settings):
    """After how many days what is kept is deleted; with a result goes its job."""

    upload_days: int = Field(default=1, ge=1)
    result_days: int = Field(default=7, ge=1)
    audit_days: int = Field(default=90, ge=1, le=36_500)

    @property
    def uploads(self) -> timedelta:
        return timedelta(days=self.upload_days)

    @property
    def results(self) -> timedelta:
        return timedelta(days=self.result_days)

    @property
    def audit_events(self) -> timedelta:
        return timedelta(days=self.audit_days)


class LoggingSettings(Settings):
    log_format: Literal["json", "text"] = "json"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class MetricsSettings(Settings):
    pushgateway_url: str | None = None
    """Where metrics are pushed to; unset, nothing is pushed."""
    metrics_port: int | None = Field(default=None, ge=1, le=65535)
    """Where `/metrics` is answered, for a container that lives long; unset, nowhere."""
    aws_lambda_log_stream_name: str | None = None
    aws_lambda_runtime_api: str | None = None

    @property
    def pushed_by_extension(self) -> bool:
        """A thread of ours would be frozen with the rest as soon as an answer is out."""
        return self.aws_lambda_runtime_api is not None


class StaleGroupSettings(Settings):
    stale_group_seconds: int = Field(default=900, ge=60)
    """Not just some scrapes: an environment that Lambda has frozen, for want of events, is silent too."""


class RuntimeSettings(Settings):
    """Variables that AWS Lambda sets."""

    aws_lambda_runtime_api: str | None = None
    aws_lambda_initialization_type: str | None = None

    @property
    def on_lambda(self) -> bool:
        return self.aws_lambda_runtime_api is not None

    @property
    def is_snap_started(self) -> bool:
        return self.aws_lambda_initialization_type == "snap-start"
