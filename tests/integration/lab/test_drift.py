"""The drift report over runs on the paper exchange: what was made different is told, and nothing else."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from cli.exits import Exit
from cli.places import STRATEGIES
from cli.views.drift import Drift, Row, drift_tables, read_drift
from lab.drift.session import DriftQuery, drift_report
from lab.exchange import ExchangeBroker, ExchangeData
from lab.forecasts import ForecastStore
from openbell.config import PlatformConfig, parse_config
from openbell.errors import DataUnavailable, InvalidInput, MarketClosed
from openbell.model import NEW_YORK, BrokerOrder, Halt, OrderRequest
from paper import BarArrays, History
from tests.builders import AS_OF, D
from tests.integration.cli.shown import printed
from tests.integration.lab.markets import ohlc_market
from tests.integration.workflow.stage import Stage, config, sample

WEDNESDAY, THURSDAY, FRIDAY = date(2022, 6, 15), date(2022, 6, 16), date(2022, 6, 17)


def drift(
    stage: Stage, history: History | None = None, *, bps: str = "2", last: date = FRIDAY, at_once: bool = False
) -> Drift:
    query = DriftQuery(WEDNESDAY, last, D(bps), at_once, STRATEGIES.parent)
    return read_drift(drift_report(query, stage.ledger, stage.archive, history or sample(), ForecastStore(None)))


def gaps_allowed() -> PlatformConfig:
    """Stops whose limit lies far below, so that Thursday's gap in RRC fills them."""
    plain = config()
    wide = plain.strategies["prophet_trend"].model_copy(update={"parameters": {"stop_limit": "0.2"}})
    return plain.model_copy(update={"strategies": {**plain.strategies, "prophet_trend": wide}})


def close(symbol: str, day: date) -> Decimal:
    found = sample().prices(symbol, day).close
    assert found is not None
    return found


def row(found: Drift, symbol: str) -> Row:
    (only,) = [row for row in found.orders if row.symbol == symbol]
    return only


def causes(row: Row) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    return row.split.price, row.split.timing, row.split.rejection, row.split.data


class Refusing(ExchangeBroker):
    """The exchange stops trading CVX in the moment in which it is to be bought."""

    def submit(self, request: OrderRequest) -> BrokerOrder:
        if request.symbol == "CVX":
            self._exchange.by_hand.set_asset("CVX", tradable=False)
        return super().submit(request)


class NoPrices(ExchangeData):
    def daily_closes(self, symbols: Sequence[str], start: date, end: date) -> pd.DataFrame:
        raise DataUnavailable("the source is down")


def test_runs_with_the_fill_model_of_the_backtest_have_no_drift() -> None:
    stage = Stage(gaps_allowed())
    for execution in ("one", "two", "three"):
        stage.run(execution)
        stage.next_day()
    found = drift(stage)
    assert found.runs == 3
    assert {"buy RRC", "sell RRC"} <= {f"{row.side} {row.symbol}" for row in found.orders}  # an entry, and its stop
    assert all(causes(row) == (0, 0, 0, 0) for row in found.orders)
    assert found.verdict == "Live and backtest did the same over 3 runs, to the cent."


def test_protective_orders_that_met_highs_and_lows_have_no_drift() -> None:
    universe = {"members": "tradable", "size": 12, "lookback": 60}
    entries = {
        "prophet_trend": {"allocation": "0.5", "parameters": {"skill_gate": False, "rule": "trendline"}},
        "mean_reversion": {"allocation": "0.5", "parameters": {"trend": 20, "oversold": 30}},
    }
    settings = parse_config({"strategies": {n: {"universe": universe} | e for n, e in entries.items()}}, "test")
    stage = Stage(settings, ohlc_market(), datetime(2022, 6, 1, 15, tzinfo=NEW_YORK))
    for number in range(12):
        stage.run(str(number))
        stage.next_day()
    query = DriftQuery(date(2022, 6, 1), FRIDAY, D(2), fills_at_once=False, config_folder=STRATEGIES.parent)
    found = read_drift(drift_report(query, stage.ledger, stage.archive, ohlc_market(), ForecastStore(None)))
    assert {"entry", "stop"} == {row.kind for row in found.orders}
    assert len(found.orders) > 30
    assert all(causes(row) == (0, 0, 0, 0) for row in found.orders)


def test_slippage_that_the_fill_model_lacks_is_price() -> None:
    stage = Stage()
    stage.run()
    found = drift(stage, bps="0", last=WEDNESDAY)
    bought = {row.symbol: row.filled for row in found.orders}
    assert set(bought) == {"CVX", "RRC", "XOM"}
    for symbol, qty in bought.items():
        # 2 bps of what was bought, in cents as the books have it
        at_close = close(symbol, WEDNESDAY)
        paid = (qty * (at_close * D("1.0002")).quantize(D("0.0001"))).quantize(D("0.01"))
        assert causes(row(found, symbol)) == ((qty * at_close).quantize(D("0.01")) - paid, 0, 0, 0)
    assert found.total.total == found.total.price == sum(row.split.total for row in found.orders) < 0
    assert found.by_strategy == {"momentum": found.total}
    assert "less than the backtest over 1 run. The largest cause is price" in found.verdict


def test_a_rejected_order_is_what_it_would_have_made_until_its_strategy_decided_again() -> None:
    stage = Stage(broker=Refusing)
    stage.run("one")
    stage.next_day()
    stage.exchange.by_hand.set_asset("CVX", tradable=True)
    stage.run("two")
    found = drift(stage)
    first = next(row for row in found.orders if row.symbol == "CVX")
    assert (first.filled, first.ordered) == (0, first.backtest_filled)
    # the second run, too, meets its market at the close: until then a share went from 158.5917 to Thursday's close
    bought_at = (close("CVX", WEDNESDAY) * D("1.0002")).quantize(D("0.0001"))
    paid = (first.ordered * bought_at).quantize(D("0.01"))
    assert causes(first) == (0, 0, paid - first.ordered * close("CVX", THURSDAY), 0)
    assert first.note.startswith("rejected: asset CVX is not tradable")
    others = [row for row in found.orders if row.symbol != "CVX"]
    assert others
    assert all(causes(row) == (0, 0, 0, 0) for row in others)
    assert f"most of all the buy of CVX for momentum at 2022-06-15 15:00: {first.note}" in found.verdict


def test_different_slippage_and_a_rejected_order_are_told_apart() -> None:
    stage = Stage(broker=Refusing)
    stage.run()
    found = drift(stage, bps="5", last=THURSDAY)
    better = {row.symbol: row.split for row in found.orders if row.symbol != "CVX"}
    assert all(split.price == split.total > 0 for split in better.values())  # 2 bps were paid, 5 were modelled
    assert row(found, "CVX").split.rejection == row(found, "CVX").split.total != 0
    assert found.total.price == sum(split.price for split in better.values())
    assert found.total.rejection == row(found, "CVX").split.rejection
    assert found.total.total == found.total.price + found.total.rejection
    assert (found.total.timing, found.total.data) == (0, 0)


def test_a_broker_that_fills_at_once_meets_another_market_than_the_close() -> None:
    stage = Stage()
    stage.run()
    found = row(drift(stage, last=WEDNESDAY, at_once=True), "XOM")
    # decided at Tuesday's close, at which such a broker would have filled; the backtest meets Wednesday's
    moved = close("XOM", WEDNESDAY) - close("XOM", date(2022, 6, 14))
    assert found.split.timing == found.filled * moved
    assert found.split.price == -found.split.timing
    assert found.split.total == 0


def test_a_halt_in_the_middle_of_sending_is_rejection() -> None:
    class HaltsAfterOne(ExchangeBroker):
        def submit(self, request: OrderRequest) -> BrokerOrder:
            stage.ledger.set_halt(Halt("enough", "jo", AS_OF))
            return super().submit(request)

    stage = Stage(broker=HaltsAfterOne)
    stage.run()
    found = drift(stage, last=THURSDAY)
    sent = [row for row in found.orders if row.filled]
    dropped = [row for row in found.orders if not row.filled]
    assert (len(sent), len(dropped)) == (1, 2)
    assert causes(sent[0]) == (0, 0, 0, 0)
    for row in dropped:
        assert row.split.rejection == row.split.total != 0
        assert row.note == "dropped: trading was halted by jo: enough"


def test_a_run_that_failed_before_its_plan_misses_all_that_the_backtest_bought() -> None:
    stage = Stage()
    stage.data = NoPrices(stage.exchange)
    with pytest.raises(DataUnavailable):
        stage.run()
    found = drift(stage, last=THURSDAY)
    assert {row.symbol: row.filled for row in found.orders} == {"CVX": 0, "RRC": 0, "XOM": 0}
    assert all(row.split.total == row.split.rejection != 0 for row in found.orders)
    assert {row.note for row in found.orders} == {"DataUnavailable: the source is down"}


def test_a_symbol_that_the_bars_at_hand_lack_is_data() -> None:
    stage = Stage()
    stage.run()
    whole = sample()
    kept = [column for column, symbol in enumerate(whole.symbols) if symbol != "CVX"]
    without = History(
        [whole.symbols[column] for column in kept], whole.sessions, BarArrays(whole.bars.close[:, np.array(kept)])
    )
    found = drift(stage, without, last=THURSDAY)
    lacking = row(found, "CVX")
    assert (lacking.backtest_ordered, lacking.backtest_filled) == (0, 0)
    (other,) = [row for row in found.orders if row.symbol not in {"CVX", "RRC", "XOM"}]  # third in the ranking now
    assert other.filled == other.ordered == 0
    # bought by the backtest alone, and worth Thursday's close since
    bought_at = (close(other.symbol, WEDNESDAY) * D("1.0002")).quantize(D("0.0001"))
    paid = (other.backtest_filled * bought_at).quantize(D("0.01"))
    assert causes(other) == (0, 0, 0, paid - other.backtest_filled * close(other.symbol, THURSDAY))
    assert found.total.total == sum(row.split.total for row in found.orders)


def test_a_protective_order_that_the_bars_never_reached_is_data() -> None:
    stage = Stage(gaps_allowed())
    stage.run("one")
    stage.next_day()
    stage.exchange.close_session()
    stage.next_day()
    stage.run("two")  # the stop of RRC was filled at Thursday's close, which this run books
    whole = sample()
    calm = whole.bars.close.copy()
    thursday = whole.sessions.index(THURSDAY)
    calm[thursday:, whole.columns["RRC"]] = calm[thursday - 1, whole.columns["RRC"]]
    found = drift(stage, History(whole.symbols, whole.sessions, BarArrays(calm)), last=THURSDAY)
    (stop,) = [row for row in found.orders if row.kind == "stop" and row.symbol == "RRC"]
    assert (stop.filled, stop.backtest_filled) == (400, 0)
    assert stop.split.total == stop.split.price + stop.split.data
    # sold for what the ledger has, worth Wednesday's close at the end by these bars
    assert stop.price is not None
    assert abs(stop.split.total - 400 * (stop.price - close("RRC", WEDNESDAY))) < D("0.05")


def test_a_skipped_run_is_named_and_where_nothing_can_be_compared_the_exit_code_says_so() -> None:
    stage = Stage()
    stage.exchange.close_session()
    with pytest.raises(MarketClosed):
        stage.run()
    found = drift(stage)
    assert found.exit is Exit.FAILED
    assert found.verdict == "No run could be set beside a backtest."
    assert "it was skipped: " in printed(found, drift_tables)


def test_a_run_after_the_bars_at_hand_is_left_out() -> None:
    stage = Stage()
    stage.run()
    whole = sample()
    end = whole.sessions.index(WEDNESDAY)
    short = History(whole.symbols, whole.sessions[:end], BarArrays(whole.bars.close[:end]))
    (left_out,) = drift(stage, short).left_out
    assert left_out.why == "the bars at hand, of 1990-01-02 to 2022-06-14, have no session 2022-06-15"


@pytest.mark.parametrize(
    ("span", "message"),
    [
        ((FRIDAY, WEDNESDAY), "--from 2022-06-17 is after --to 2022-06-15"),
        ((date(2022, 7, 1), date(2022, 7, 8)), "no run from 2022-07-01 to 2022-07-08; the runs of this platform are "),
    ],
)
def test_a_span_without_runs_is_said(span: tuple[date, date], message: str) -> None:
    stage = Stage()
    stage.run()
    query = DriftQuery(*span, D(2), fills_at_once=False, config_folder=STRATEGIES.parent)
    with pytest.raises(InvalidInput, match=message):
        drift_report(query, stage.ledger, stage.archive, sample(), ForecastStore(None))


def test_a_platform_that_has_not_run_yet_says_so() -> None:
    query = DriftQuery(WEDNESDAY, FRIDAY, D(2), fills_at_once=False, config_folder=STRATEGIES.parent)
    stage = Stage()
    with pytest.raises(InvalidInput, match="this platform has not run yet"):
        drift_report(query, stage.ledger, stage.archive, sample(), ForecastStore(None))
