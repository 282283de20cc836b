"""The stack of `template.yaml`: every function in it, with what it needs and nothing beyond."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from infra.gateway.asgi import load_app
from infra.gateway.routes import FUNCTION, folder_of, read_routes, read_template
from shared import config
from shared.config import Settings
from shared.db.storage import CALL_SECONDS
from shared.messages.topics import REQUESTED, RETRY
from shared.on_startup import storage

TEMPLATE = read_template()
PARAMETERS: dict[str, Any] = TEMPLATE["Parameters"]
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
GLOBALS: dict[str, Any] = TEMPLATE["Globals"]["Function"]
FUNCTIONS: dict[str, Any] = {
    folder_of(resource): resource["Properties"]
    for resource in RESOURCES.values()
    if resource["Type"] == FUNCTION
}
WITH_ROUTES = sorted({route.function for route in read_routes()})

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

HTTP_API_TIMEOUT_SECONDS = 30
LOG_ACTIONS = ["logs:CreateLogStream", "logs:PutLogEvents"]
UPLOADS, RESULTS = ({"Fn::Sub": f"${{Bucket.Arn}}/{folder}/*"} for folder in ("uploads", "results"))

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


def of_type(kind: str) -> dict[str, Any]:
    return {name: each["Properties"] for name, each in RESOURCES.items() if each["Type"] == kind}


def statements(role: str) -> list[tuple[list[str], list[Any]]]:
    """Return the actions and the resources of each statement of the role's own policies."""
    policies = [
        policy["Fn::If"][1] if "Fn::If" in policy else policy
        for policy in RESOURCES[role]["Properties"]["Policies"]
    ]
    documents = [policy["PolicyDocument"] for policy in policies]
    return [
        (_listed(statement["Action"]), _listed(statement["Resource"]))
        for document in documents
        for statement in document["Statement"]
    ]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def variables(function: str) -> dict[str, Any]:
    own = FUNCTIONS[function].get("Environment", {"Variables": {}})
    return {**GLOBALS["Environment"]["Variables"], **own["Variables"]}


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


def test_every_function_folder_is_a_function_and_the_other_way_round() -> None:
    folders = {path.parent.name for path in Path("functions").glob("*/handler.py")}
    assert folders == set(FUNCTIONS)


def test_routes_are_unique() -> None:
    routes = [(route.method, route.path) for route in read_routes()]
    assert len(routes) == len(set(routes))


def test_every_get_has_its_head() -> None:
    by_method: dict[str, set[tuple[str, str]]] = {"GET": set(), "HEAD": set()}
    for route in read_routes():
        by_method.setdefault(route.method, set()).add((route.function, route.path))
    assert by_method["GET"] and by_method["GET"] == by_method["HEAD"]


@pytest.mark.parametrize("function", WITH_ROUTES)
def test_function_answers_or_refuses_before_the_api_gives_up(function: str) -> None:
    assert FUNCTIONS[function].get("Timeout", GLOBALS["Timeout"]) < HTTP_API_TIMEOUT_SECONDS


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


def test_storage_that_hangs_holds_a_thread_for_less_than_a_function_s_time() -> None:
    # Between attempts botocore waits up to a second, then up to two (its mode "standard").
    attempts = storage.ATTEMPTS * (storage.CONNECT_SECONDS + storage.READ_SECONDS) + sum(
        2**retry for retry in range(storage.ATTEMPTS - 1)
    )
    assert CALL_SECONDS <= attempts < GLOBALS["Timeout"]


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


@pytest.mark.parametrize("function", FUNCTIONS)
def test_logs_of_a_function_are_its_own(function: str) -> None:
    log_group = FUNCTIONS[function]["LoggingConfig"]["LogGroup"]["Ref"]
    properties = RESOURCES[log_group]["Properties"]
    assert properties["LogGroupName"] == {"Fn::Sub": f"/${{AWS::StackName}}/{function}"}


def test_every_log_group_has_a_retention() -> None:
    groups = of_type("AWS::Logs::LogGroup")
    assert len(groups) == len(FUNCTIONS) + 1
    assert all(group["RetentionInDays"] == {"Ref": "LogDays"} for group in groups.values())
    assert PARAMETERS["LogDays"]["Default"] == 30


def test_cors_is_whole_whatever_origins_are_given() -> None:
    """SAM puts a lone reference as AllowOrigins in the place of the whole configuration."""
    condition, cors, none = RESOURCES["Api"]["Properties"]["CorsConfiguration"]["Fn::If"]
    assert (condition, none) == ("HasOrigins", {"Ref": "AWS::NoValue"})
    assert cors["AllowOrigins"] == {"Fn::Split": [",", {"Ref": "AllowedOrigins"}]}
    assert "AllowCredentials" not in cors


def test_cors_allows_the_methods_of_the_routes() -> None:
    _, cors, _ = RESOURCES["Api"]["Properties"]["CorsConfiguration"]["Fn::If"]
    assert set(cors["AllowMethods"]) == {route.method for route in read_routes()}


def test_pages_may_ask_for_jobs_and_see_where_they_are() -> None:
    _, cors, _ = RESOURCES["Api"]["Properties"]["CorsConfiguration"]["Fn::If"]
    assert {"authorization", "idempotency-key", "if-none-match", "prefer"} <= set(cors["AllowHeaders"])
    read = {"etag", "image-receipt", "location", "preference-applied", "retry-after"}
    assert read <= set(cors["ExposeHeaders"])


def test_access_log_has_neither_tokens_nor_bodies() -> None:
    format = RESOURCES["Api"]["Properties"]["AccessLogSettings"]["Format"]
    assert "\n" not in format
    assert not re.search("authoriz|header|body|query", format, re.IGNORECASE)


@pytest.mark.parametrize("role", of_type("AWS::IAM::Role"))
def test_role_writes_to_the_logs_of_its_functions_and_to_no_others(role: str) -> None:
    has_it = [each for each in FUNCTIONS.values() if each["Role"] == {"Fn::GetAtt": f"{role}.Arn"}]
    groups = [each["LoggingConfig"]["LogGroup"]["Ref"] for each in has_it]
    [logs] = [resources for actions, resources in statements(role) if actions == LOG_ACTIONS]
    assert logs == [{"Fn::GetAtt": f"{group}.Arn"} for group in groups]


def test_no_role_may_do_more_than_its_functions_do() -> None:
    beyond = {
        role: rest
        for role in of_type("AWS::IAM::Role")
        if (rest := [each for each in statements(role) if each[0] != LOG_ACTIONS])
    }
    assert beyond == {
        "JanitorRole": [
            (["sqs:SendMessage"], [{"Fn::GetAtt": "JanitorDeadLetters.Arn"}]),
            (["s3:ListBucket"], [{"Fn::GetAtt": "Bucket.Arn"}]),
            (["s3:DeleteObject"], [UPLOADS, RESULTS]),
        ],
        "UploadRole": [(["s3:PutObject"], [UPLOADS])],
        "JobsRole": [(["s3:GetObject"], [RESULTS])],
        "WorkerRole": [
            (["s3:GetObject"], [UPLOADS]),
            (["s3:PutObject"], [RESULTS]),
            (["s3:ListBucket"], [{"Fn::GetAtt": "Bucket.Arn"}]),
            (["sqs:SendMessage"], [{"Fn::GetAtt": "WorkerDeadLetters.Arn"}]),
            (["secretsmanager:GetSecretValue"], [{"Ref": "KafkaSecret"}]),
        ],
        "ResizeRole": [
            (["s3:GetObject", "s3:PutObject"], [UPLOADS]),
            (["s3:GetObject", "s3:PutObject"], [RESULTS]),
            (["s3:ListBucket"], [{"Fn::GetAtt": "Bucket.Arn"}]),
        ],
    }


@pytest.mark.parametrize("function", ["resize", "upload"])
def test_function_may_enter_the_subnets_only_where_it_is_in_them(function: str) -> None:
    access = RESOURCES[f"{function.title()}Role"]["Properties"]["ManagedPolicyArns"]
    assert access == [{"Fn::If": ["ResizeIsInSubnets", {"Ref": "NetworkAccess"}, {"Ref": "AWS::NoValue"}]}]
    condition, inside, outside = FUNCTIONS[function]["VpcConfig"]["Fn::If"]
    assert (condition, outside) == ("ResizeIsInSubnets", {"Ref": "AWS::NoValue"})
    assert inside == GLOBALS["VpcConfig"]


def test_network_interfaces_are_lambdas_to_make_and_never_the_functions() -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html"""
    allowed, denied = RESOURCES["NetworkAccess"]["Properties"]["PolicyDocument"]["Statement"]
    assert (allowed["Effect"], denied["Effect"]) == ("Allow", "Deny")
    assert set(allowed["Action"]) < set(denied["Action"])
    assert denied["Resource"] == "*"
    any_function = {"Fn::Sub": "arn:${AWS::Partition}:lambda:*:${AWS::AccountId}:function:*"}
    assert denied["Condition"] == {"ArnLike": {"lambda:SourceFunctionArn": any_function}}


def test_bucket_is_closed_to_the_public_and_to_plain_http() -> None:
    bucket = RESOURCES["Bucket"]["Properties"]
    assert bucket["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    [statement] = RESOURCES["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert bucket["BucketEncryption"] and bucket["OwnershipControls"]


def test_pages_upload_from_their_origins_and_are_redirected_to_results_from_any() -> None:
    condition, cors, none = RESOURCES["Bucket"]["Properties"]["CorsConfiguration"]["Fn::If"]
    assert (condition, none) == ("HasOrigins", {"Ref": "AWS::NoValue"})
    allowed = {each["AllowedMethods"][0]: each["AllowedOrigins"] for each in cors["CorsRules"]}
    assert allowed == {"PUT": {"Fn::Split": [",", {"Ref": "AllowedOrigins"}]}, "GET": ["*"]}


def test_pictures_in_the_bucket_expire() -> None:
    rules = RESOURCES["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    expiring = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "Prefix" in rule}
    assert expiring == {"uploads/": {"Ref": "UploadDays"}, "results/": {"Ref": "ResultDays"}}
    assert all(rule["Status"] == "Enabled" for rule in rules)


def test_alarms_watch_every_function() -> None:
    for alarm in ("FunctionErrors", "FunctionThrottles", "FunctionDuration"):
        [_, *metrics] = RESOURCES[alarm]["Properties"]["Metrics"]
        names = [metric["MetricStat"]["Metric"]["Dimensions"][0]["Value"]["Ref"] for metric in metrics]
        watched = sorted(folder_of(RESOURCES[name]) for name in names)
        # The janitor works as long as it may: where that is too short, it is an error.
        assert watched == (WITH_ROUTES if alarm == "FunctionDuration" else sorted(FUNCTIONS))


@pytest.mark.parametrize("alarm", of_type("AWS::CloudWatch::Alarm"))
def test_alarm_is_there_only_with_a_topic_to_send_it_to(alarm: str) -> None:
    assert RESOURCES[alarm]["Condition"] == "HasAlarms"
    properties = RESOURCES[alarm]["Properties"]
    assert properties["AlarmActions"] == [{"Ref": "AlarmTopic"}]
    assert properties["TreatMissingData"] == "notBreaching"


def test_worker_takes_its_records_from_both_topics_and_answers_those_that_have_to_come_again() -> None:
    sources = of_type("AWS::Lambda::EventSourceMapping")
    assert {source["Topics"][0] for source in sources.values()} == {REQUESTED, RETRY}
    for name, source in sources.items():
        assert RESOURCES[name]["Condition"] == "HasKafka"
        assert source["FunctionName"] == {"Ref": "Worker"}
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert source["StartingPosition"] == "TRIM_HORIZON"
        destination = source["DestinationConfig"]["OnFailure"]["Destination"]
        assert destination == {"Fn::GetAtt": "WorkerDeadLetters.Arn"}


@pytest.mark.parametrize("function", ["resize", "worker"])
def test_credentials_of_kafka_are_those_of_its_secret(function: str) -> None:
    for name, key in (("KAFKA_SASL_USERNAME", "username"), ("KAFKA_SASL_PASSWORD", "password")):
        condition, given, _ = variables(function)[name]["Fn::If"]
        assert condition == "KafkaHasUser"
        assert given == {"Fn::Sub": f"{{{{resolve:secretsmanager:${{KafkaSecret}}:SecretString:{key}}}}}"}
