"""A run's decisions, made once more from what it kept."""

from pathlib import Path

import pytest

from openbell.config import PlatformConfig, parse_config
from openbell.errors import InvalidInput
from openbell.model import Halt
from openbell.replay import decide_again
from openbell.runs import inputs_key
from tests.integration.workflow.stage import WEDNESDAY, Stage, only_momentum


def played(settings: PlatformConfig) -> tuple[Stage, str]:
    stage = Stage(settings)
    return stage, stage.run().run_id


def test_a_run_decides_again_as_it_did() -> None:
    stage, run_id = played(only_momentum())
    replay = decide_again(run_id, ledger=stage.ledger, archive=stage.archive)
    assert replay.identical
    assert b'"symbol": "RRC"' in replay.recomputed


def test_other_inputs_give_other_decisions() -> None:
    stage, run_id = played(only_momentum())
    inputs = stage.archive.get(inputs_key(run_id))
    stage.archive.put(inputs_key(run_id), inputs.replace(b'"hold": 3', b'"hold": 2'))
    replay = decide_again(run_id, ledger=stage.ledger, archive=stage.archive)
    assert not replay.identical
    assert "signals.momentum[2]" in {found.where for found in replay.differences}


def test_a_run_that_ended_before_it_had_decided_cannot_be_replayed() -> None:
    stage, run_id = played(only_momentum())
    with pytest.raises(InvalidInput, match=r"run another kept no runs/another/inputs.json: it ended before"):
        decide_again("another", ledger=stage.ledger, archive=stage.archive)
    stage.archive.put(inputs_key("another"), stage.archive.get(inputs_key(run_id)))
    with pytest.raises(InvalidInput, match=r"run another kept no runs/another/decisions.json"):
        decide_again("another", ledger=stage.ledger, archive=stage.archive)


def test_a_run_that_only_sold_everything_has_nothing_to_replay() -> None:
    stage, _ = played(only_momentum())
    stage.next_day()
    stage.ledger.set_halt(Halt("leaving", "jo", WEDNESDAY, flatten=True))
    sold = stage.run("second").run_id
    assert stage.held() == {}
    with pytest.raises(InvalidInput, match="sold everything because of a halt: no strategy decided anything"):
        decide_again(sold, ledger=stage.ledger, archive=stage.archive)


def test_inputs_that_this_version_cannot_read_are_told_by_field() -> None:
    stage, run_id = played(only_momentum())
    inputs = stage.archive.get(inputs_key(run_id))
    stage.archive.put(inputs_key(run_id), inputs.replace(b'"fence": 1', b'"fence": "one"'))
    with pytest.raises(InvalidInput, match=f"cannot read what the run kept: {run_id}: fence: "):
        decide_again(run_id, ledger=stage.ledger, archive=stage.archive)


CODE = '''
from openbell.model import Signal
from openbell.strategies import Context, Parameters, Strategy


class First(Strategy[Parameters]):
    """The first symbol of its universe."""

    def signals(self, context: Context) -> list[Signal]:
        return [Signal(str(context.closes.columns[0]), 1.0, "it is the first")]
'''


def test_a_strategys_file_is_found_where_it_lies_now(tmp_path: Path) -> None:
    there, here = tmp_path / "layer" / "config", tmp_path / "checkout" / "config"
    for folder in (there, here):
        (folder / "strategies").mkdir(parents=True)
        (folder / "strategies" / "first.py").write_text(CODE)
    entry = {"uses": f"{there}/strategies/first.py:First", "allocation": "0.4", "universe": {"members": "tradable"}}
    stage, run_id = played(parse_config({"strategies": {"first": entry}}, "test"))
    (there / "strategies" / "first.py").unlink()
    replay = decide_again(run_id, ledger=stage.ledger, archive=stage.archive, config_folder=here)
    assert replay.identical
    assert b"it is the first" in replay.recomputed
