from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd

from openbell.snapshot import Snapshot, read_closes, usable
from tests.builders import AS_OF, closes

END = date(2022, 6, 14)
GOOD = [100.0 + 0.1 * i for i in range(40)]


def snapshot(frame: pd.DataFrame) -> Snapshot:
    return Snapshot(AS_OF, "test", frame, {"A": Decimal("101.5")}, frozenset({"A"}), {"Z": "no prices at all"})


def test_a_snapshot_reads_back_bit_by_bit() -> None:
    frame = closes({"A": [0.1 + 0.2, 1 / 3, 1e-17, np.pi * 1e9]})
    before = snapshot(frame)
    after = Snapshot.from_bytes(*before.to_bytes())
    assert np.array_equal(after.closes.to_numpy(), frame.to_numpy())
    assert list(after.closes.index) == list(frame.index)
    assert (after.as_of, after.prices, after.tradable, after.left_out) == (
        before.as_of,
        before.prices,
        before.tradable,
        before.left_out,
    )


def test_the_same_snapshot_gives_the_same_bytes() -> None:
    frame = closes({"A": GOOD})
    assert snapshot(frame).to_bytes() == snapshot(frame).to_bytes()


def test_a_forecast_reads_only_its_columns() -> None:
    content, _ = snapshot(closes({"A": GOOD, "B": GOOD, "C": GOOD})).to_bytes()
    assert list(read_closes(content, ["C"]).columns) == ["C"]


def test_bars_have_an_age_in_sessions() -> None:
    assert snapshot(closes({"A": [1, 2, 3], "B": [1, 2, np.nan]})).bar_ages() == {"A": 0, "B": 1}


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
            "GAPS": with_gaps,
            "STALE": [*GOOD[:-1], np.nan],
            "INF": [*GOOD[:-2], np.inf, 100.0],
            "GOOD": GOOD,
        }
    )
    good, left_out = usable(frame, [*frame.columns, "NONE"], END)
    assert list(good.columns) == ["GOOD"]
    assert left_out == {
        "FEW": "only 29 bars up to 2022-06-14; at least 30 are needed",
        "ZERO": "price 0 on 2022-06-14; prices must be above 0",
        "GAPS": "5 of 40 bars are missing; at most 5% may be",
        "STALE": "no bar for the last session 2022-06-14; the last one is of 2022-06-13",
        "INF": "an infinite price",
        "NONE": "no prices at all",
    }
