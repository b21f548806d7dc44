from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from lab.figures import data_hash
from lab.membership import Membership
from lab.trials import Combination, Terms, Trial, TrialResult, run_trial
from lab.trials.bars import pack_history, pack_membership, unpack_history, unpack_membership
from lab.trials.batch import BatchPlayer, Done, Item, Plan, bars_key, members_key, plan_key, result_key
from openbell.adapters.memory.archive import MemoryArchive
from openbell.codec import from_json, to_json
from openbell.errors import InvalidInput
from paper import BarArrays, History, Split
from tests.unit.lab.trials.searches import SESSIONS, config, market


def prepared(folder: Path) -> MemoryArchive:
    archive = MemoryArchive()
    told = config(folder).model_dump(mode="json")
    told["strategies"]["holds"]["uses"] = "holds.py:Holds"  # relative to what was deployed
    archive.put(plan_key("s"), to_json(Plan(told, Terms(), data_hash(market()), "", {})))
    archive.put(bars_key("s"), pack_history(market()))
    return archive


def item(number: int, pick: str) -> Item:
    return Item(number, Trial("holds", Combination({"pick": pick}), SESSIONS[60], SESSIONS[80]))


def result(archive: MemoryArchive, number: int, *, failed: bool = False) -> TrialResult:
    return from_json(TrialResult, archive.get(result_key("s", number, failed=failed)))


def test_each_trial_of_a_batch_stores_the_result_that_it_has_elsewhere(tmp_path: Path) -> None:
    archive = prepared(tmp_path)
    done = BatchPlayer(archive, tmp_path).play("s", [item(7, "UP"), item(8, "BOOM"), item(9, "DOWN")])
    assert done == Done(played=2, failed=1)
    assert result(archive, 7) == run_trial(market(), config(tmp_path), item(7, "UP").trial, Terms())
    assert "out of ideas" in result(archive, 8, failed=True).error


def test_a_batch_that_is_sent_again_plays_what_has_no_result_and_nothing_else(tmp_path: Path) -> None:
    archive = prepared(tmp_path)
    BatchPlayer(archive, tmp_path).play("s", [item(0, "UP")])
    marked = replace(result(archive, 0), troubles=("played before",))
    archive.put(result_key("s", 0, failed=False), to_json(marked))
    assert BatchPlayer(archive, tmp_path).play("s", [item(0, "UP"), item(1, "DOWN")]) == Done(2, 0)
    assert result(archive, 0) == marked
    assert result(archive, 1).figures


@pytest.mark.parametrize("lacking", ["plan.json", "bars.npz"])
def test_a_sweep_whose_files_are_gone_is_named(tmp_path: Path, lacking: str) -> None:
    whole, archive = prepared(tmp_path), MemoryArchive()
    for key in (plan_key("s"), bars_key("s")):
        if not key.endswith(lacking):
            archive.put(key, whole.get(key))
    with pytest.raises(InvalidInput, match=f"sweep s: the archive has no sweeps/s/{lacking}"):
        BatchPlayer(archive, tmp_path).play("s", [item(0, "UP")])


def test_a_history_travels_without_a_loss() -> None:
    luck = np.random.default_rng(3)
    closes = luck.random((3, 2))
    closes[1, 0] = np.nan
    bars = BarArrays(closes, luck.random((3, 2)), luck.random((3, 2)), luck.random((3, 2)), luck.random((3, 2)))
    split = Split("BRK.B", date(2021, 1, 6), Decimal("0.1"))
    before = History(["BRK.B", "NA"], SESSIONS[:3], bars, [split])
    after = unpack_history(pack_history(before))
    assert data_hash(after) == data_hash(before)
    assert (after.symbols, after.sessions, after.splits) == (before.symbols, before.sessions, before.splits)


def test_what_was_never_known_of_a_history_stays_unknown() -> None:
    after = unpack_history(pack_history(market()))
    assert after.bars.open is None
    assert not after.splits


def test_the_members_of_an_index_travel_too_and_equal_ones_are_equal_bytes() -> None:
    one = Membership((date(2020, 1, 2), date(2021, 1, 4)), (frozenset("AB"), frozenset("BC")), "index.csv")
    other = Membership((date(2020, 1, 2), date(2021, 1, 4)), (frozenset("BA"), frozenset("CB")), "index.csv")
    assert unpack_membership(pack_membership(one)) == one
    assert pack_membership(one) == pack_membership(other)


def test_only_members_of_the_day_are_candidates_in_a_lambda_too(tmp_path: Path) -> None:
    members = Membership((date(2020, 1, 2),), (frozenset({"DOWN", "FLAT"}),), "index.csv")
    archive = prepared(tmp_path)
    plan = from_json(Plan, archive.get(plan_key("s")))
    archive.put(plan_key("s"), to_json(replace(plan, members_hash="some")))
    archive.put(members_key("s"), pack_membership(members))
    BatchPlayer(archive, tmp_path).play("s", [item(0, "DOWN")])
    expected = run_trial(market(), config(tmp_path), item(0, "DOWN").trial, Terms(members=members))
    assert expected.figures
    assert result(archive, 0) == expected
    BatchPlayer(archive, tmp_path).play("s", [item(1, "UP")])
    assert "UP" in result(archive, 1, failed=True).error  # it is no member, so it has no price and no place
