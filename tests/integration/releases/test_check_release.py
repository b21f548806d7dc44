"""A deployment proves itself before it gets a run: a good one is promoted, bad ones are stopped and send no order."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from local import DeployError
from openbell.model import RunStatus
from openbell.runs import inputs_key
from tests.integration.operations.recorded_calls import recorder, used_actions
from tests.integration.operations.rights import allowed
from tests.integration.releases.project import Platform, a_platform, change, copy_of_the_project

PACKAGE, FUNCTIONS = Path("shared/openbell"), Path("functions")

# What is wrong with a release: the file, a place in it, what stands there instead; and what the refusal says of it.
BAD: dict[str, tuple[Path, str, str, str]] = {
    "sizes twice as large": (
        PACKAGE / "portfolio/sizing.py",
        "qty = bought_with(budget, price, quantum)",
        "qty = bought_with(budget * 2, price, quantum)",
        "decided otherwise",
    ),
    "shares rounded up": (
        PACKAGE / "money.py",
        "(cash / price).quantize(quantum, ROUND_DOWN)",
        "(cash / price).quantize(quantum, ROUND_DOWN) + 1",
        "decided otherwise",
    ),
    "losers instead of winners": (
        PACKAGE / "strategies/momentum.py",
        "key=lambda symbol: (-returns[symbol], symbol)",
        "key=lambda symbol: (returns[symbol], symbol)",
        "decided otherwise",
    ),
    "no silence between rebalances": (
        PACKAGE / "strategies/momentum.py",
        "if context.rebalanced_this_month:",
        "if False:",
        "decided otherwise",
    ),
    "limits that are forgotten": (
        PACKAGE / "portfolio/risk.py",
        "    if verdict is None or verdict[0] == trade.qty:",
        "    if verdict is None or name:",
        "decided otherwise",
    ),
    "a crash in the decision": (
        PACKAGE / "decision.py",
        "    plan = _plan(inputs, snapshot, targets, unsized)\n",
        "    plan = _plan(inputs, snapshot, targets, unsized.no_such_thing)\n",
        "cannot be decided: AttributeError",
    ),
    "an hour that decides": (
        PACKAGE / "portfolio/sizing.py",
        "return Target(sleeve.strategy, signal.symbol, qty, signal.reason, bracket), None",
        "import time; return Target(sleeve.strategy, signal.symbol, qty, str(time.time()), bracket), None",
        "decided otherwise",
    ),
    "inputs that it cannot read": (
        PACKAGE / "runs.py",
        "    strategies: tuple[str, ...]  # due in this run\n",
        "    strategies: tuple[str, ...]  # due in this run\n    mood: str\n",
        "mood",
    ),
    "a function that cannot be imported": (
        FUNCTIONS / "execute_order/app.py",
        "from openbell import bootstrap\n",
        "from openbell import bootstrap, no_such_module\n",
        "does not start: .*no_such_module",
    ),
    "a layer that is no Python": (
        PACKAGE / "execution/settling.py",
        "\nfrom openbell.execution.booking",
        "\nfrom from openbell.execution.booking",
        "SyntaxError",
    ),
    "settings that are none": (Path("template.yaml"), "POWERTOOLS_LOG_LEVEL: INFO", "OPENBELL_MODE: pretend", "mode"),
}


@dataclass
class Proving:
    """The platform with two runs behind it, and the folder of the project's copies."""

    platform: Platform
    folder: Path

    def release(self) -> Path:
        """A copy of the project as it is; gives the template."""
        shutil.rmtree(self.folder / "next", ignore_errors=True)
        return copy_of_the_project(self.folder / "next")

    def live(self) -> str:
        """The version of the state machine that runs start with."""
        states, arn = self.platform.cloud.client("stepfunctions"), self.platform.cloud.outputs["LiveMachineArn"]
        (route,) = states.describe_state_machine_alias(stateMachineAliasArn=arn)["routingConfiguration"]
        return str(route["stateMachineVersionArn"])


@pytest.fixture(scope="module")
def proving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proving]:
    folder = tmp_path_factory.mktemp("proof")
    with a_platform(folder, {"sitecustomize.py": recorder(folder)}) as platform:
        assert platform.run() == "SUCCEEDED"
        platform.next_day()
        assert platform.run() == "SUCCEEDED"
        yield Proving(platform, folder)


@pytest.mark.parametrize("what", BAD)
def test_a_bad_release_is_stopped_and_everything_is_as_it_was(proving: Proving, what: str) -> None:
    file, old, new, words = BAD[what]
    before, orders = proving.live(), len(proving.platform.exchange.orders())
    template = proving.release()
    change(proving.folder / "next" / file, old, new)
    with pytest.raises(DeployError, match=rf"ReleaseCheck .*{words}"):
        proving.platform.cloud.deploy(template)
    assert proving.live() == before
    assert len(proving.platform.exchange.orders()) == orders


def test_after_all_that_the_platform_trades_as_before(proving: Proving) -> None:
    proving.platform.next_day()
    assert proving.platform.run() == "SUCCEEDED"
    assert {run.status for run in proving.platform.ledger.runs()} == {RunStatus.COMPLETED}
    used = proving.platform.versions_used()
    assert {used[state][-1] for state in ("OpenRun", "AggregateSignals", "CloseRun")} == {"1"}


def test_a_good_release_is_promoted(proving: Proving) -> None:
    before = proving.live()
    template = proving.release()
    with (proving.folder / "next" / PACKAGE / "decision.py").open("a") as file:
        file.write("\n# nothing that decides\n")
    proving.platform.cloud.deploy(template, {"Release": "2611272000-c0ffee1"})
    assert proving.live() != before


def test_an_intended_difference_is_shown_and_wants_an_approval_that_names_the_release(proving: Proving) -> None:
    before = proving.live()
    template = proving.release()
    change(proving.folder / "next" / PACKAGE / "strategies/momentum.py", "12-1 return {returns", "12-1 gain {returns")
    named = {"Release": "2611272100-abad1de"}
    with pytest.raises(DeployError, match=r"ApprovedDifferences=abad1de.*12-1 gain"):
        proving.platform.cloud.deploy(template, named)
    with pytest.raises(DeployError, match="ApprovedDifferences=abad1de"):
        proving.platform.cloud.deploy(template, named | {"ApprovedDifferences": "c0ffee1"})
    assert proving.live() == before
    proving.platform.cloud.deploy(template, named | {"ApprovedDifferences": "abad1de"})
    assert proving.live() != before


def test_what_was_approved_is_what_the_next_release_is_measured_by(proving: Proving) -> None:
    with (proving.folder / "next" / PACKAGE / "decision.py").open("a") as file:
        file.write("\n# nothing that decides\n")
    before = proving.live()
    template = proving.folder / "next" / "template.yaml"
    proving.platform.cloud.deploy(template, {"Release": "2611272200-5eed5ed", "ApprovedDifferences": ""})
    assert proving.live() != before


def test_a_run_that_cannot_be_decided_any_more_can_be_approved_for_a_release(proving: Proving) -> None:
    """Such as one whose strategy was removed: or else no deployment would be possible for twenty runs."""
    cloud, lost = proving.platform.cloud, proving.platform.ledger.runs()[-1].run_id
    cloud.client("s3").delete_object(Bucket=cloud.outputs["BucketName"], Key=inputs_key(lost))
    before = proving.live()
    template = proving.release()
    with (proving.folder / "next" / PACKAGE / "decision.py").open("a") as file:
        file.write("\n# nothing that decides\n")
    named = {"Release": "2611272300-1057f11e"}
    with pytest.raises(DeployError, match=rf"ApprovedDifferences=1057f11e. run {lost}: cannot be decided"):
        cloud.deploy(template, named)
    assert proving.live() == before
    cloud.deploy(template, named | {"ApprovedDifferences": "1057f11e"})
    assert proving.live() != before


def test_the_check_may_do_what_it_does_and_no_more(proving: Proving) -> None:
    function = proving.platform.cloud.physical_id("CheckReleaseFunction")
    assert used_actions(proving.folder)[function] == allowed("CheckReleaseFunction")


def test_the_log_has_every_difference(proving: Proving) -> None:
    lines = proving.platform.cloud.logs("CheckReleaseFunction")
    told = [json.loads(line) for line in lines if line.startswith('{"run"')]
    assert {line["run"] for line in told} <= {run.run_id for run in proving.platform.ledger.runs()}
    assert any("12-1 gain" in " ".join(line["differences"]) for line in told)
