"""What a run of the backtest may see: the same as SelectUniverse takes."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from lab.closes import Closes, Table
from lab.exchange import ExchangeData
from lab.quick_exchange import QuickExchange
from lab.quick_history import QuickHistory
from lab.ranking import default_ranking
from lab.snapshots import QuickSnapshot
from openbell.model import NEW_YORK
from openbell.snapshot import Quality, Snapshot, usable
from openbell.strategies import Market, Parameters, Strategy
from paper import BarArrays, History, Split
from tests.integration.workflow.stage import sample

_DAYS = 400
_NOW = datetime(1991, 6, 14, 15, tzinfo=NEW_YORK)


def holed() -> History:
    """Prices with everything that data can lack: late starts, early ends, gaps, zeros, a symbol without any."""
    luck = np.random.default_rng(11)
    closes = sample().bars.close[:_DAYS].copy()
    for column in range(12):
        closes[: luck.integers(0, 380), column] = np.nan
        closes[luck.random(_DAYS) < luck.choice([0.0, 0.02, 0.04, 0.06]), column] = np.nan
        closes[luck.integers(0, _DAYS) :, column] = np.nan if luck.random() < 0.3 else closes[-1, column]
    closes[200, 13] = 0.0
    closes[:, 14] = np.nan
    closes[350, 15] = np.inf
    symbols = list(reversed(sample().symbols))  # not in their order, as a file may have them
    return History(symbols, sample().sessions[:_DAYS], BarArrays(closes))


def exchange(history: History, at: datetime = _NOW) -> QuickExchange:
    return QuickExchange(QuickHistory(history), Decimal(1000), at, Decimal(0))


@pytest.mark.parametrize("quality", [Quality(), Quality(max_jump=0.1, max_age_sessions=3), Quality(most_gaps=0.01)])
@pytest.mark.parametrize("bars", [40, 120, 300])
def test_the_same_symbols_are_usable_as_in_select_universe(bars: int, quality: Quality) -> None:
    history = holed()
    closes = Closes(history, quality)
    every = np.arange(len(closes.symbols))
    checked = 0
    for day in history.sessions[1:395:7]:
        window = closes.window(day, day - timedelta(days=1), bars)
        frame = closes.table(window, every).dropna(axis="columns", how="all")
        good, _ = usable(frame, closes.symbols, day - timedelta(days=1), quality)
        found = closes.usable(window, every)
        assert [closes.symbols[column] for column in np.flatnonzero(found)] == list(good.columns), day
        checked += len(good.columns)
    assert checked > 100


def test_many_windows_at_once_are_judged_as_one_by_one() -> None:
    closes = Closes(holed(), Quality())
    every = np.arange(len(closes.symbols))
    days = closes.sessions[1::10]
    together = closes.usable(closes.windows(days, 120), every)
    assert together.any()
    for number, day in enumerate(days):
        assert (
            together[number].tolist() == closes.usable(closes.window(day, day - timedelta(days=1), 120), every).tolist()
        )


def test_prices_that_stop_are_late_after_a_week() -> None:
    history = holed()
    closes = Closes(history, Quality())
    last = history.sessions[-1]
    for days in range(1, 20):
        day = last + timedelta(days=days)
        window = closes.window(day, day - timedelta(days=1), 120)
        every = np.arange(len(closes.symbols))
        good, _ = usable(closes.table(window, every), closes.symbols, day - timedelta(days=1))
        assert closes.usable(window, every).any() == bool(len(good.columns)), day


def test_closes_are_those_that_the_data_source_gives_with_splits_adjusted() -> None:
    split = Split("AAPL", date(1991, 3, 4), Decimal(2))
    history = History(sample().symbols, sample().sessions[:_DAYS], BarArrays(sample().bars.close[:_DAYS]), [split])
    market = exchange(history)
    closes = Closes(history, Quality())
    closes.as_of(market.market.splits_until(_NOW))
    window = closes.window(_NOW.date(), market.market.last_complete(_NOW), 200)
    first = history.sessions[window.first]
    expected = ExchangeData(market).daily_closes(closes.symbols, first, _NOW.date() - timedelta(days=1))
    table = closes.table(window, np.arange(len(closes.symbols)))
    assert np.array_equal(table.to_numpy(), expected.to_numpy())
    assert list(table.index) == list(expected.index)
    assert list(table.columns) == list(expected.columns)


def test_a_table_gives_columns_as_any_frame_does() -> None:
    frame = pd.DataFrame(np.arange(12.0).reshape(4, 3), columns=["A", "B", "C"])
    days = pd.date_range("2022-01-03", periods=4)
    table = Table.of(frame.to_numpy(), pd.DatetimeIndex(days), pd.Index(["A", "B", "C"]), {"A": 0, "B": 1, "C": 2})
    pd.testing.assert_frame_equal(table[["C", "A"]], frame.set_index(days)[["C", "A"]])
    assert table["B"].tolist() == [1, 4, 7, 10]
    with pytest.raises(KeyError):
        table[["A", "Z"]]


def test_facts_of_a_snapshot_are_the_same() -> None:
    luck = np.random.default_rng(2)
    values = luck.lognormal(4, 1, (50, 6))
    values[-1:, 1] = np.nan
    values[-4:, 2] = np.nan
    values[:, 3] = np.nan
    for rows in (50, 1, 0):
        frame = pd.DataFrame(values[:rows], pd.date_range("2022-01-03", periods=rows), list("ABCDEF"))
        slow = Snapshot(_NOW, "test", frame, {}, frozenset(), {})
        quick = QuickSnapshot(_NOW, "test", frame, {}, frozenset(), {})
        assert quick.last_closes() == slow.last_closes()
        assert quick.bar_ages() == slow.bar_ages()


def test_the_ranking_is_the_protocols() -> None:
    closes = sample().bars.close.copy()
    closes[3000:3010, 4] = np.nan
    symbols = sample().symbols
    ranker = Strategy(Parameters())
    for end in range(20, 8000, 331):
        window = closes[max(0, end - 100) : end]
        frame = pd.DataFrame(window, columns=list(symbols))
        for size, lookback in ((20, 60), (5, 60), (3, 99)):
            found = default_ranking(window, symbols, size, lookback)
            assert found == ranker.universe(Market(frame), size, lookback), (end, size, lookback)


@pytest.mark.parametrize("name", ["sample", "holed"])
def test_the_ranking_from_running_sums_is_the_protocols(name: str) -> None:
    history = sample() if name == "sample" else holed()
    closes, ranker, told = Closes(history, Quality()), Strategy(Parameters()), 0
    every = np.arange(len(closes.symbols))
    for day in history.sessions[3 :: max(1, len(history.sessions) // 60)]:
        window = closes.window(day, day - timedelta(days=1), 120)
        columns = every[closes.usable(window, every)]
        for size, lookback in ((20, 60), (4, 60), (3, 100)):
            expected = ranker.universe(Market(closes.table(window, columns)), size, lookback)
            found = closes.ranking(window, columns, size, lookback)
            assert found in {expected, None}, (day, size, lookback)
            told += found is not None
    assert told > 100


def test_twins_are_ranked_by_their_names() -> None:
    twins = History(["B", "A"], sample().sessions[:200], BarArrays(np.repeat(sample().bars.close[:200, :1], 2, axis=1)))
    closes = Closes(twins, Quality())
    window = closes.window(twins.sessions[-1], twins.sessions[-2], 100)
    assert closes.ranking(window, np.arange(2), 2, 60) is None  # rounding could swap them: the protocol is asked


def test_means_that_rounding_could_swap_are_left_to_the_protocol() -> None:
    twins = np.repeat(sample().bars.close[:100, :1], 2, axis=1)
    assert default_ranking(twins, ("A", "B"), 2, 60) is None
