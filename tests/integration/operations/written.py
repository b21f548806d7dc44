"""Everything that the platform has written in a week, as text by place."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

from tests.integration.operations.week import Week


def written(week: Week) -> dict[str, str]:
    """All but the secret itself."""
    return {
        "logs": "\n".join(_logs(week)),
        "histories": "\n".join(_histories(week)),
        "table": "\n".join(json.dumps(item) for item in _items(week)),
        "bucket": "\n".join(_objects(week)),
        "alerts": "\n".join(f"{alert.subject}\n{alert.message}" for alert in week.cloud.alerts),
        "metrics": "\n".join(f"{metric.name} {dict(metric.dimensions)}" for metric in week.cloud.metrics),
        "environments": "\n".join(_environments(week)),
        "events": json.dumps(week.heard),
        "widgets": "\n".join(week.widgets.values()),
        "outputs": json.dumps(dict(week.cloud.outputs)),
    }


def _pages(week: Week, service: str, operation: str, **arguments: Any) -> Iterator[dict[str, Any]]:
    yield from week.cloud.client(service).get_paginator(operation).paginate(**arguments)


def _logs(week: Week) -> Iterator[str]:
    for page in _pages(week, "logs", "describe_log_groups"):
        for group in page["logGroups"]:
            for events in _pages(week, "logs", "filter_log_events", logGroupName=group["logGroupName"]):
                yield from (event["message"] for event in events["events"])


def _histories(week: Week) -> Iterator[str]:
    machine = week.cloud.outputs["StateMachineArn"]
    for page in _pages(week, "stepfunctions", "list_executions", stateMachineArn=machine):
        for execution in page["executions"]:
            arn = execution["executionArn"]
            yield json.dumps(week.cloud.client("stepfunctions").describe_execution(executionArn=arn), default=str)
            for events in _pages(week, "stepfunctions", "get_execution_history", executionArn=arn):
                yield json.dumps(events["events"], default=str)


def _items(week: Week) -> Iterator[Any]:
    for page in _pages(week, "dynamodb", "scan", TableName=week.cloud.outputs["TableName"]):
        yield from page["Items"]


def _objects(week: Week) -> Iterator[str]:
    bucket, s3 = week.cloud.outputs["BucketName"], week.cloud.client("s3")
    for page in _pages(week, "s3", "list_object_versions", Bucket=bucket):
        for version in page.get("Versions", []):
            key = version["Key"]
            body = s3.get_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])["Body"].read()
            yield f"{key}\n{(gzip.decompress(body) if key.endswith('.gz') else body).decode()}"


def _environments(week: Week) -> Iterator[str]:
    for page in _pages(week, "lambda", "list_functions"):
        yield from (json.dumps(function["Environment"]) for function in page["Functions"])
