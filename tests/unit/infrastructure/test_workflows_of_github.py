"""What GitHub runs: pinned actions, few rights, no long-lived keys; and the run that follows a deployment."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.smoke_run import smoke_run
from tests.unit.infrastructure.sources import ROOT

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def read(file: Path) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(file.read_text())
    return found


def test_there_is_a_workflow_for_tests_and_one_for_deployments() -> None:
    assert [file.name for file in FILES] == ["deploy.yml", "test.yml"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_actions_are_pinned_by_commit_and_jobs_have_few_rights(file: Path) -> None:
    text = file.read_text()
    for action in re.findall(r"uses: (\S+)", text):
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action), action
    assert read(file)["permissions"] == {"contents": "read"}
    assert not re.search(r"secrets\.|AWS_SECRET|AWS_ACCESS_KEY", text)
    for job in read(file)["jobs"].values():
        assert job["timeout-minutes"] <= 60
        assert job.get("permissions", {"contents": "read"}).items() <= {"contents": "read", "id-token": "write"}.items()


def test_tests_run_what_ci_runs() -> None:
    assert read(ROOT / ".github" / "workflows" / "test.yml")["jobs"]["test"]["steps"][-1]["run"] == ".ci/run"


def test_live_comes_after_paper_and_after_a_person() -> None:
    jobs = read(ROOT / ".github" / "workflows" / "deploy.yml")["jobs"]
    assert (jobs["paper"]["needs"], jobs["live"]["needs"]) == ("test", "paper")
    assert (jobs["paper"]["environment"], jobs["live"]["environment"]) == ("paper", "live")
    assert jobs["paper"]["steps"][-1]["run"].endswith("scripts.smoke_run openbell-paper")


def test_deployments_go_to_the_region_of_the_environment_not_to_that_of_samconfig() -> None:
    jobs = read(ROOT / ".github" / "workflows" / "deploy.yml")["jobs"]
    for name in ("paper", "live"):
        (deployment,) = [step["run"] for step in jobs[name]["steps"] if "make deploy" in step.get("run", "")]
        assert "--region $AWS_REGION" in deployment


class Aws:
    """CloudFormation and Step Functions with as many answers as a test needs."""

    def __init__(self, *statuses: str) -> None:
        self._statuses = list(statuses)

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 as boto3 has it
        return {"Stacks": [{"Outputs": [{"OutputKey": "LiveMachineArn", "OutputValue": f"arn:{StackName}"}]}]}

    def start_execution(self, **given: str) -> dict[str, str]:
        assert given == {"stateMachineArn": "arn:openbell-paper", "input": "{}"}
        return {"executionArn": "arn:aws:states:us-east-1:1:execution:m:name"}

    def describe_execution(self, executionArn: str) -> dict[str, str]:  # noqa: N803 as boto3 has it
        return {"status": self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]}


@pytest.mark.parametrize(
    ("statuses", "end"),
    [(("RUNNING", "SUCCEEDED"), "SUCCEEDED"), (("FAILED",), "FAILED"), (("RUNNING",), "RUNNING")],
)
def test_the_run_after_a_deployment_is_waited_for(
    statuses: tuple[str, ...], end: str, capsys: pytest.CaptureFixture[str]
) -> None:
    aws = Aws(*statuses)
    assert smoke_run(lambda _: aws, "openbell-paper", lambda _: None) == end
    assert capsys.readouterr().out == f"name: {end}\n"
