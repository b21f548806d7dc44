"""From the template to resources: all of them, with all their properties."""

import json
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from local import LocalCloud, LocalCloudError
from tests.integration.local.running import FIXTURE, RunningFixture


def resources(cloud: LocalCloud) -> dict[str, dict[str, Any]]:
    pages = cloud.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName="openbell")
    found = [resource for page in pages for resource in page["StackResourceSummaries"]]
    return {resource["LogicalResourceId"]: resource for resource in found}


def test_every_resource_of_the_template_is_made_and_none_whose_condition_is_false(fixture: RunningFixture) -> None:
    written = set(yaml_parse((FIXTURE / "template.yaml").read_text())["Resources"])
    made = {name for name, resource in resources(fixture.cloud).items() if resource["PhysicalResourceId"]}
    serverless_layer = "Words"  # SAM appends a hash to a layer's name
    assert written - made == {"Mailing", serverless_layer}
    assert [name for name in made if name.startswith("Words")]


def test_sam_adds_roles_versions_and_aliases(fixture: RunningFixture) -> None:
    kinds = {resource["ResourceType"] for resource in resources(fixture.cloud).values()}
    assert {"AWS::IAM::Role", "AWS::Lambda::Version", "AWS::Lambda::Alias", "AWS::Lambda::EventInvokeConfig"} <= kinds


def test_outputs_and_physical_ids_are_what_ref_gives(fixture: RunningFixture) -> None:
    cloud = fixture.cloud
    assert cloud.outputs["TableName"] == cloud.physical_id("Table")
    assert cloud.client("dynamodb").list_tables()["TableNames"] == [cloud.physical_id("Table")]
    assert (
        cloud.outputs["TopicArn"]
        == cloud.physical_id("Topic")
        == cloud.client("sns").list_topics()["Topics"][0]["TopicArn"]
    )
    assert cloud.outputs["EchoAlias"].endswith(f":{cloud.physical_id('EchoFunction')}:live")


def test_an_unknown_logical_id_is_answered_with_the_known_ones(fixture: RunningFixture) -> None:
    with pytest.raises(LocalCloudError, match=r"the stack has no resource Tabel; it has .*Table,.*Topic"):
        fixture.cloud.physical_id("Tabel")


def test_a_table_keeps_its_time_to_live_its_backups_and_its_encryption(fixture: RunningFixture) -> None:
    dynamodb, name = fixture.cloud.client("dynamodb"), fixture.cloud.outputs["TableName"]
    ttl = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    table = dynamodb.describe_table(TableName=name)["Table"]
    assert table["SSEDescription"]["SSEType"] == "KMS"
    assert fixture.cloud.physical_id("Key") in table["SSEDescription"]["KMSMasterKeyArn"]


def test_a_bucket_keeps_its_versions_its_lifecycle_and_its_privacy(fixture: RunningFixture) -> None:
    s3, name = fixture.cloud.client("s3"), fixture.cloud.outputs["BucketName"]
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert rule["ID"] == "Old"
    assert rule["Expiration"] == {"Days": 400}
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    access = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert access["BlockPublicAcls"]
    assert access["BlockPublicPolicy"]
    encryption = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]
    assert encryption["Rules"][0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_a_denial_without_tls_does_not_lock_the_bucket_here(fixture: RunningFixture) -> None:
    s3, name = fixture.cloud.client("s3"), fixture.cloud.outputs["BucketName"]
    s3.put_object(Bucket=name, Key="seen", Body=b"kept")
    assert s3.get_object(Bucket=name, Key="seen")["Body"].read() == b"kept"


def test_a_secret_is_generated_as_the_template_says(fixture: RunningFixture) -> None:
    found = fixture.cloud.client("secretsmanager").get_secret_value(SecretId=fixture.cloud.outputs["SecretArn"])
    secret = json.loads(found["SecretString"])
    assert secret["user"] == "me"
    assert len(secret["password"]) == 20


def test_small_resources_keep_their_properties(fixture: RunningFixture) -> None:
    cloud = fixture.cloud
    (group,) = cloud.client("logs").describe_log_groups(logGroupNamePrefix="/openbell/echo")["logGroups"]
    assert group["retentionInDays"] == 7  # a parameter of type Number, which CloudFormation hands over as a text
    (alarm,) = cloud.client("cloudwatch").describe_alarms(AlarmNames=[cloud.physical_id("Alarm")])["MetricAlarms"]
    assert alarm["AlarmActions"] == [cloud.outputs["TopicArn"]]
    assert alarm["Threshold"] == 0
    (metric_filter,) = cloud.client("logs").describe_metric_filters(logGroupName="/openbell/echo")["metricFilters"]
    assert metric_filter["metricTransformations"][0]["metricName"] == "Errors"
    setting = cloud.client("ssm").get_parameter(Name=cloud.outputs["ParameterName"])
    assert setting["Parameter"]["Value"] == "5"
    (board,) = cloud.client("cloudwatch").list_dashboards()["DashboardEntries"]
    assert board["DashboardName"] == cloud.physical_id("Board")


def test_a_workflow_keeps_its_type_its_logging_and_its_tracing(fixture: RunningFixture) -> None:
    found = fixture.cloud.client("stepfunctions").describe_state_machine(
        stateMachineArn=fixture.cloud.physical_id("Workflow")
    )
    assert found["type"] == "STANDARD"
    assert found["loggingConfiguration"]["level"] == "ERROR"
    assert found["tracingConfiguration"] == {"enabled": True}
    assert "${" not in found["definition"]
