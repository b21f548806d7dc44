"""A deployment while a run waits for fills: the run ends as it began, and the next one is new from its first state."""

from collections.abc import Iterator

import pytest

from openbell.model import RunStatus
from tests.integration.releases.project import STATES, Platform, a_platform, copy_of_the_project


@pytest.fixture(scope="module")
def deployed_during_a_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("release")
    template = copy_of_the_project(folder / "new")
    with (folder / "new" / "shared" / "openbell" / "lambdas.py").open(
        "a"
    ) as file:  # of the layer: all functions change
        file.write('\nprint("new")\n')
    with a_platform(folder) as platform:
        platform.while_waiting.append(lambda: platform.cloud.deploy(template))
        assert platform.run() == "SUCCEEDED"
        assert not platform.while_waiting, "the run has not waited for fills"
        platform.next_day()
        assert platform.run() == "SUCCEEDED"
        yield platform


def test_both_runs_are_completed_with_books_that_agree(deployed_during_a_run: Platform) -> None:
    runs = deployed_during_a_run.ledger.runs()
    assert [run.status for run in runs] == [RunStatus.COMPLETED] * 2
    held = {position.symbol: position.qty for position in deployed_during_a_run.exchange.positions()}
    owned = deployed_during_a_run.ledger.sleeves()["momentum"].positions
    assert held == {symbol: position.qty for symbol, position in owned.items()}


def test_each_run_used_one_version_from_its_first_state_to_its_last(deployed_during_a_run: Platform) -> None:
    used = deployed_during_a_run.versions_used()
    for versions in used.values():
        versions.remove("2")  # the deployment has asked each new version once whether it starts
    orders = [len(deployed_during_a_run.ledger.orders(run.run_id)) for run in deployed_during_a_run.ledger.runs()]
    assert orders == [0, 3]  # newest first: the second day has nothing to change
    assert used["ExecuteOrder"] == ["1"] * 3
    assert used["SettleOrders"][:-2] == ["1"] * (len(used["SettleOrders"]) - 2)
    assert used["SettleOrders"][-2:] == ["2", "2"]  # of sells, and of buys
    for state in ("OpenRun", "SelectUniverse", "AggregateSignals", "CloseRun"):
        assert used[state] == ["1", "2"], state


def test_the_second_run_used_the_new_code(deployed_during_a_run: Platform) -> None:
    for state in sorted({*STATES} - {"ExecuteOrder"}):
        assert "new" in deployed_during_a_run.cloud.logs(f"{state}Function"), state


def test_executions_are_told_under_the_machines_own_name(deployed_during_a_run: Platform) -> None:
    cloud = deployed_during_a_run.cloud
    machine = cloud.outputs["StateMachineArn"]
    found = cloud.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    assert {each["stateMachineArn"] for each in found} == {machine}
    assert len(found) == 2
