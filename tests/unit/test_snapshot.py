import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from openbell.snapshot import Quality, Snapshot, fetch_closes, read_closes, usable
from tests.builders import AS_OF, closes

END = date(2022, 6, 14)
GOOD = [100.0 + 0.1 * i for i in range(40)]


def snapshot(frame: pd.DataFrame) -> Snapshot:
    return Snapshot(
        AS_OF, "test", frame, {"A": Decimal("101.5")}, frozenset({"A"}), {"Z": "no prices at all"}, {"A": "Alpaca"}
    )


def test_a_snapshot_reads_back_bit_by_bit() -> None:
    frame = closes({"A": [0.1 + 0.2, 1 / 3, 1e-17, np.pi * 1e9]})
    before = snapshot(frame)
    after = Snapshot.from_bytes(*before.to_bytes())
    assert np.array_equal(after.closes.to_numpy(), frame.to_numpy())
    assert list(after.closes.index) == list(frame.index)
    assert (after.as_of, after.prices, after.tradable) == (before.as_of, before.prices, before.tradable)
    assert (after.left_out, after.sources) == (before.left_out, before.sources)


def test_the_same_snapshot_gives_the_same_bytes() -> None:
    frame = closes({"A": GOOD})
    assert snapshot(frame).to_bytes() == snapshot(frame).to_bytes()


def test_a_forecast_reads_only_its_columns() -> None:
    content, _ = snapshot(closes({"A": GOOD, "B": GOOD, "C": GOOD})).to_bytes()
    assert list(read_closes(content, ["C"]).columns) == ["C"]


def test_bars_have_an_age_in_sessions() -> None:
    assert snapshot(closes({"A": [1, 2, 3], "B": [1, 2, np.nan]})).bar_ages() == {"A": 0, "B": 1}


def test_a_snapshot_written_before_sources_were_told_reads_back() -> None:
    closes_, meta = snapshot(closes({"A": GOOD})).to_bytes()
    facts = json.loads(meta)
    del facts["sources"]
    assert Snapshot.from_bytes(closes_, json.dumps(facts).encode()).sources == {}


# The quality gate.


def test_good_prices_are_usable() -> None:
    frame, left_out = usable(closes({"A": GOOD}), ["A"], END)
    assert (list(frame.columns), left_out) == (["A"], {})


def test_each_fault_leaves_its_ticker_out_with_the_reason() -> None:
    with_gaps = [*GOOD]
    with_gaps[5:10] = [np.nan] * 5
    frame = closes(
        {
            "FEW": [1.0] * 29,
            "ZERO": [*GOOD[:-1], 0.0],
            "NEGATIVE": [*GOOD[:-1], -0.01],
            "GAPS": with_gaps,
            "STALE": [*GOOD[:-1], np.nan],
            "INF": [*GOOD[:-2], np.inf, 100.0],
            "SPLIT": [*[200.0] * 20, *[100.0] * 20],
            "GOOD": GOOD,
        }
    )
    good, left_out = usable(frame, [*frame.columns, "NONE", "TOLD"], END, missing={"TOLD": "Yahoo says: no"})
    assert list(good.columns) == ["GOOD"]
    assert left_out == {
        "FEW": "only 29 bars up to 2022-06-14; at least 30 are needed",
        "ZERO": "price 0 on 2022-06-14; prices must be above 0 and finite",
        "NEGATIVE": "price -0.01 on 2022-06-14; prices must be above 0 and finite",
        "GAPS": "5 of 40 bars are missing, first 2022-04-27; at most 5% may be",
        "STALE": "no bar for the last session 2022-06-14; the last one is of 2022-06-13 (103.8)",
        "INF": "price inf on 2022-06-13; prices must be above 0 and finite",
        "SPLIT": "a jump from 200 on 2022-05-17 to 100 on 2022-05-18, times 0.50; "
        "believed without a split is 0.55 to 1.82 (data.max_jump)",  # exp(-0.6) = 0.549, exp(0.6) = 1.822
        "NONE": "no prices at all",
        "TOLD": "Yahoo says: no",
    }


@pytest.mark.parametrize(("factor", "believed"), [(0.56, True), (0.54, False), (1.81, True), (1.83, False)])
def test_the_limit_of_a_jump_is_a_log_return(factor: float, believed: bool) -> None:
    frame = closes({"A": [*[100.0] * 39, 100 * factor]})
    assert bool(usable(frame, ["A"], END)[1]) is not believed
    assert usable(frame, ["A"], END, Quality(max_jump=0.7))[1] == {}  # exp(-0.7) = 0.497, exp(0.7) = 2.01


def test_a_jump_over_a_gap_is_a_jump() -> None:
    _, left_out = usable(closes({"A": [*[100.0] * 20, np.nan, *[40.0] * 19], "B": GOOD}), ["A", "B"], END)
    assert left_out["A"].startswith("a jump from 100 on 2022-05-17 to 40 on 2022-05-19, times 0.40")


def test_a_bar_may_be_as_old_as_is_configured() -> None:
    frame = closes({"OLD": [*GOOD[:-2], np.nan, np.nan], "NEW": GOOD})
    assert "OLD" in usable(frame, ["OLD"], END, Quality(max_age_sessions=1))[1]
    assert usable(frame, ["OLD"], END, Quality(max_age_sessions=2))[1] == {}


def test_two_bars_of_one_day_leave_their_ticker_out_and_nobody_else() -> None:
    frame = closes({"TWICE": GOOD, "ONCE": GOOD})
    extra = pd.DataFrame({"TWICE": [99.0], "ONCE": [np.nan]}, index=[pd.Timestamp("2022-06-09")])
    good, left_out = usable(pd.concat([frame, extra]), ["TWICE", "ONCE"], END)
    assert left_out == {"TWICE": "several bars of 2022-06-09: 103.6 and 99"}
    assert good["ONCE"].tolist() == GOOD
    assert good.index.is_unique
    assert good.index.is_monotonic_increasing


def test_bars_out_of_order_leave_their_ticker_out_and_nobody_else() -> None:
    frame = closes({"MIXED": GOOD, "TIDY": GOOD})
    earlier = pd.DataFrame({"MIXED": [95.0], "TIDY": [np.nan]}, index=[pd.Timestamp("2022-04-01")])
    good, left_out = usable(pd.concat([frame, earlier]), ["MIXED", "TIDY"], END)
    assert left_out == {"MIXED": "the bar of 2022-04-01 (95) comes after 2022-06-14"}
    assert good["TIDY"].dropna().tolist() == GOOD
    assert good.index.is_monotonic_increasing


@pytest.mark.parametrize(("end", "fresh"), [(date(2022, 6, 20), True), (date(2022, 6, 21), False)])
def test_a_source_that_has_fallen_behind_is_of_no_use(end: date, fresh: bool) -> None:
    """Weekdays after Tuesday 14 June: 15, 16, 17, 20 are as many as the exchange was ever closed; 21 is one more."""
    _, left_out = usable(closes({"A": GOOD}), ["A"], end)
    told = {} if fresh else {"A": "the newest bar of any ticker is of 2022-06-14, 5 weekdays before 2022-06-21"}
    assert left_out == told


def test_no_prices_of_anybody_are_told_one_by_one() -> None:
    empty = pd.DataFrame(index=pd.DatetimeIndex([]))
    assert usable(empty, ["A"], END)[1] == {"A": "no prices at all"}


# What sources tell.


class Plain:
    """A source that can give closes, and no more."""

    name = "Plain"

    def daily_closes(self, symbols: Sequence[str], start: date, end: date) -> pd.DataFrame:
        return closes({symbol: GOOD for symbol in symbols if symbol != "GONE"})

    def latest_prices(self, symbols: Sequence[str]) -> dict[str, Decimal]:
        return {}


def test_a_source_without_a_story_is_named_for_every_column() -> None:
    found = fetch_closes(Plain(), ["A", "GONE"], date(2022, 1, 3), END)
    assert found.sources == {"A": "Plain"}
    assert found.missing == {"GONE": "Plain has no prices"}
