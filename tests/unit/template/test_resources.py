"""What there is in the stack: functions with their routes, logs, the bucket, alarms, event sources."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra.gateway.routes import folder_of, read_routes
from shared.db.storage import CALL_SECONDS
from shared.messages.topics import REQUESTED, RETRY
from shared.on_startup import storage
from tests.unit.template.stack import FUNCTIONS, GLOBALS, PARAMETERS, RESOURCES, WITH_ROUTES, of_type

HTTP_API_TIMEOUT_SECONDS = 30


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


def test_storage_that_hangs_holds_a_thread_for_less_than_a_function_s_time() -> None:
    # Between attempts botocore waits up to a second, then up to two (its mode "standard").
    attempts = storage.ATTEMPTS * (storage.CONNECT_SECONDS + storage.READ_SECONDS) + sum(
        2**retry for retry in range(storage.ATTEMPTS - 1)
    )
    assert CALL_SECONDS <= attempts < GLOBALS["Timeout"]


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
