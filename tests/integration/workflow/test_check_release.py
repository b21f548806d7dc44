"""The last runs, decided once more: what counts as a difference, and what an approval is worth."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from openbell.model import Halt, RunStatus
from openbell.runs import decisions_key, inputs_key
from openbell.workflow import check_release
from openbell.workflow.check_release import CheckedRun, approve, check_runs, read_approved
from tests.integration.workflow.stage import WEDNESDAY, Stage

FOLDER = Path(__file__).parents[3] / "config"


@pytest.fixture
def stage() -> Stage:
    played = Stage()
    assert played.run("first").status is RunStatus.COMPLETED
    played.next_day()
    assert played.run("second").status is RunStatus.COMPLETED
    return played


def checked(stage: Stage) -> tuple[CheckedRun, ...]:
    return check_runs(stage.ledger, stage.archive, FOLDER)


def first_run(stage: Stage) -> str:
    return stage.ledger.runs()[-1].run_id


def store(stage: Stage, run_id: str, **changes: object) -> None:
    """Make the run's stored decisions say something else."""
    decisions = json.loads(stage.archive.get(decisions_key(run_id)))
    stage.archive.put(decisions_key(run_id), json.dumps(decisions | changes).encode())


def test_the_same_code_decides_every_run_as_it_was_decided(stage: Stage) -> None:
    runs = [run.run_id for run in stage.ledger.runs()]
    assert [(each.run_id, each.same) for each in checked(stage)] == [(run_id, True) for run_id in runs]


def test_a_difference_is_told_in_words_with_both_sides(stage: Stage) -> None:
    store(stage, first_run(stage), failed_strategies={"momentum": "asleep"})
    (different,) = [each for each in checked(stage) if not each.same]
    assert different.run_id == first_run(stage)
    assert 'failed_strategies.momentum: "asleep" -> nothing' in different.differences


def test_only_the_last_runs_count_and_of_those_only_completed_ones(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(stage, first_run(stage), failed_strategies={"momentum": "asleep"})
    newest = stage.ledger.runs()[0]
    stage.ledger.start_run(replace(newest, run_id="skipped", execution="x", status=RunStatus.SKIPPED), None)
    monkeypatch.setattr(check_release, "RUNS", 1)
    assert [(each.run_id, each.same) for each in checked(stage)] == [(newest.run_id, True)]


def test_a_run_that_sold_everything_decided_nothing_and_does_not_count(stage: Stage) -> None:
    stage.ledger.set_halt(Halt("leaving", "a person", WEDNESDAY, flatten=True))
    stage.next_day()
    assert stage.run("selling").status is RunStatus.COMPLETED
    assert len(stage.ledger.runs()) == 3
    assert len(checked(stage)) == 2


def test_a_completed_run_whose_files_are_not_found_is_a_difference(stage: Stage) -> None:
    """Or else a version that looks for them elsewhere would have nothing to compare, and pass."""
    for key in (inputs_key, decisions_key):
        content = stage.archive.get(key(first_run(stage)))
        del stage.archive._contents[key(first_run(stage))]
        (different,) = [each for each in checked(stage) if not each.same]
        assert "cannot be decided" in different.differences[0]
        assert different.digest == ""
        stage.archive.put(key(first_run(stage)), content)


def test_what_was_approved_is_the_same_from_then_on_and_nothing_else_is(stage: Stage) -> None:
    store(stage, first_run(stage), failed_strategies={"momentum": "asleep"})
    different = [each for each in checked(stage) if not each.same]
    approve(different, stage.archive)
    assert all(each.same for each in checked(stage))
    approved = read_approved(stage.archive)
    assert approved == {first_run(stage): different[0].digest}
    approve([CheckedRun(first_run(stage), "0" * 64, ("other",))], stage.archive)
    assert [each.same for each in checked(stage)] == [True, False]


def test_a_run_that_could_not_be_decided_is_never_approved(stage: Stage) -> None:
    approve([CheckedRun("20220615-1500-e2b9", "", ("cannot be decided",))], stage.archive)
    assert read_approved(stage.archive) == {}
