"""The template goes on with a table and a bucket that are there already."""

from pathlib import Path
from typing import Any

import pytest

import local.cloud
import local.deploy
from local import LocalCloud
from local.account import Clients

TEMPLATE = Path(__file__).parents[3] / "template.yaml"
EXISTING = {"ExistingTable": "ledger-of-before", "ExistingBucket": "archive-of-before"}


def told(cloud: LocalCloud, name: str) -> set[str]:
    """What the functions that are told `name` are told."""
    found = [function["Environment"]["Variables"] for function in cloud.client("lambda").list_functions()["Functions"]]
    return {variables[name] for variables in found if name in variables}


def allowed(cloud: LocalCloud) -> str:
    """The text of every policy of OpenRun's role."""
    iam = cloud.client("iam")
    role = cloud.physical_id("OpenRunFunctionRole")
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    return str([iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names])


@pytest.fixture
def there_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bucket is there when the stack is deployed: the check of the release writes to it."""
    deploy = local.deploy.deploy

    def deploy_beside(*arguments: Any) -> Any:
        clients: Clients = next(found for found in arguments if isinstance(found, Clients))
        clients.get("s3").create_bucket(Bucket=EXISTING["ExistingBucket"])
        return deploy(*arguments)

    monkeypatch.setattr(local.cloud, "deploy", deploy_beside)


@pytest.mark.usefixtures("there_before")
def test_every_function_is_told_of_them_and_may_reach_them_and_none_is_made() -> None:
    with LocalCloud(template=TEMPLATE, parameters=EXISTING) as cloud:
        assert told(cloud, "OPENBELL_TABLE") == {cloud.outputs["TableName"]} == {"ledger-of-before"}
        assert told(cloud, "OPENBELL_BUCKET") == {cloud.outputs["BucketName"]} == {"archive-of-before"}
        assert ":table/ledger-of-before'" in allowed(cloud)
        assert ":::archive-of-before/runs/*'" in allowed(cloud)
        assert cloud.client("dynamodb").list_tables()["TableNames"] == []
        buckets = {found["Name"] for found in cloud.client("s3").list_buckets()["Buckets"]}
        assert buckets == {"archive-of-before", "local-artefacts"}
