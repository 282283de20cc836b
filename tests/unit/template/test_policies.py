"""What the role of each function may do: what the function does, and nothing beyond."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.template.stack import FUNCTIONS, GLOBALS, RESOURCES, of_type

LOG_ACTIONS = ["logs:CreateLogStream", "logs:PutLogEvents"]
UPLOADS, RESULTS = ({"Fn::Sub": f"${{Bucket.Arn}}/{folder}/*"} for folder in ("uploads", "results"))


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
