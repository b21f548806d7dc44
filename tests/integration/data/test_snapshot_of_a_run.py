"""What a run asks of its price source, and what its snapshot says of it."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

import pandas as pd
import pytest

from cli.run_report import SnapshotPart
from lab.exchange import ExchangeData
from openbell.adapters.fallback import FallbackData
from openbell.errors import StaleData
from openbell.model import NEW_YORK, RunStatus
from openbell.runs import LATEST_CLOSES, snapshot_keys
from openbell.schedules import Schedule
from openbell.snapshot import LastPrice, Snapshot, read_closes
from tests.integration.workflow.stage import WEDNESDAY, Stage, history, only_momentum, sample


class Partial(ExchangeData):
    """The exchange's prices, with some of the tickers lacking; notes whose last prices it is asked for."""

    name = "Partial"
    lacking: frozenset[str] = frozenset()
    asked: tuple[str, ...] = ()

    def daily_closes(self, symbols: Sequence[str], start: date, end: date) -> pd.DataFrame:
        return super().daily_closes([symbol for symbol in symbols if symbol not in self.lacking], start, end)

    def latest_prices(self, symbols: Sequence[str]) -> dict[str, Decimal]:
        self.asked = tuple(symbols)
        return super().latest_prices(symbols)


def partial(stage: Stage, *lacking: str) -> Partial:
    data = Partial(stage.exchange)
    data.lacking = frozenset(lacking)
    return data


def snapshot_of(stage: Stage, run_id: str) -> Snapshot:
    closes, meta = (stage.archive.get(key) for key in snapshot_keys(run_id))
    return Snapshot.from_bytes(closes, meta)


def small_universe() -> Stage:
    """A stage whose strategy chooses 5 of the exchange's 20 symbols."""
    settings = only_momentum()
    entry = settings.strategies["momentum"]
    small = entry.model_copy(update={"universe": entry.universe.model_copy(update={"size": 5})})
    return Stage(settings.model_copy(update={"strategies": {"momentum": small}}))


def test_last_prices_are_asked_for_the_chosen_tickers_only() -> None:
    stage = small_universe()
    stage.data = data = partial(stage)
    found = snapshot_of(stage, stage.run().run_id)
    assert len(data.asked) == 5
    assert set(data.asked) == set(found.closes.columns) == set(found.prices) == set(found.tradable)


def test_the_snapshot_and_the_report_name_the_source_of_every_column() -> None:
    stage = Stage()
    stage.data = FallbackData(partial(stage, "KO", "PEP"), ExchangeData(stage.exchange))  # type: ignore[assignment]
    closed = stage.run()
    sources = snapshot_of(stage, closed.run_id).sources
    assert {symbol for symbol, source in sources.items() if source == "Paper exchange"} == {"KO", "PEP"}
    assert {source for symbol, source in sources.items() if symbol not in {"KO", "PEP"}} == {"Partial"}
    assert closed.report
    assert closed.report["snapshot"]["sources"] == dict(sources)
    assert closed.report["snapshot"]["source"] == "Partial, else Paper exchange"
    told = SnapshotPart.model_validate(closed.report["snapshot"])
    assert told.stand_ins == {"Paper exchange": ("KO", "PEP")}  # in the HTML report


def test_a_run_leaves_the_closes_of_all_candidates_for_the_next() -> None:
    stage = small_universe()
    stage.run()
    stored = read_closes(stage.archive.get(LATEST_CLOSES))
    assert stored.shape[1] == 20
    assert f"{stored.index[-1]:%Y-%m-%d}" == "2022-06-14"


def test_a_second_run_of_the_day_trades_on_the_closes_of_the_first_when_no_source_answers() -> None:
    stage = Stage()
    stage.run("first")
    everybody = stage.exchange.history.symbols
    stage.data = FallbackData(partial(stage, *everybody), None, stage.archive)  # type: ignore[assignment]
    closed = stage.run("second", schedule="manual")
    assert closed.status is RunStatus.COMPLETED
    assert set(snapshot_of(stage, closed.run_id).sources.values()) == {"closes of the last run"}


def test_too_many_gaps_stop_the_run_before_any_order_and_say_why() -> None:
    stage = Stage()
    stage.data = partial(stage, *sorted(stage.exchange.history.symbols)[:6])  # 6 of 20 are 30 %; 25 % are allowed
    told = r"6 of 20 tickers have no usable prices from Partial \(allowed: 25%\). AAPL: Partial has no prices;"
    with pytest.raises(StaleData, match=told):
        stage.run()
    assert stage.exchange.orders() == []
    (run,) = stage.ledger.runs()
    assert run.status is RunStatus.FAILED


def test_a_ticker_with_a_split_that_nobody_adjusted_for_fails_alone() -> None:
    market = sample()
    prices = pd.DataFrame(market.bars.close, pd.DatetimeIndex(market.sessions), market.symbols).loc["2019":"2022-06-15"]
    prices.loc["2022-06-10":, "KO"] /= 2
    stage = Stage(market=history(prices))
    closed = stage.run()
    left_out = snapshot_of(stage, closed.run_id).left_out
    assert list(left_out) == ["KO"]
    assert left_out["KO"] == (  # 59.194 / 2 = 29.597
        "a jump from 59.57 on 2022-06-09 to 29.597 on 2022-06-10, times 0.50; "
        "believed without a split is 0.55 to 1.82 (data.max_jump)"
    )
    assert closed.report
    assert closed.report["snapshot"]["left_out"] == left_out


class Yesterdays(Partial):
    """Tells the times of its last prices: some are of yesterday, and some symbols have none."""

    old: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()

    def last_trades(self, symbols: Sequence[str]) -> dict[str, LastPrice]:
        now = datetime(2022, 6, 15, 14, 59, tzinfo=NEW_YORK)
        return {
            symbol: LastPrice(price, now - timedelta(days=symbol in self.old))
            for symbol, price in self.latest_prices(symbols).items()
            if symbol not in self.silent
        }


def test_a_price_of_yesterday_is_no_price() -> None:
    first = min(Stage().run().report["targets"], key=lambda target: target["symbol"])["symbol"]
    stage = Stage()
    stage.data = data = Yesterdays(stage.exchange)
    data.old = frozenset({first})
    closed = stage.run()
    found = snapshot_of(stage, closed.run_id)
    assert first not in found.prices
    assert found.left_out[first] == "its last price is of 2022-06-14, not of this session"
    assert first not in stage.held()
    assert stage.held()


@pytest.mark.parametrize("how", ["old", "silent"])
def test_a_holding_without_a_price_of_today_can_be_sold_and_not_bought(how: str) -> None:
    settings = only_momentum()
    entry = settings.strategies["momentum"].model_copy(update={"overnight": "exit", "schedule": Schedule(every="15m")})
    stage = Stage(settings.model_copy(update={"strategies": {"momentum": entry}}), at=WEDNESDAY)
    stage.run("first", "manual")
    symbol = min(stage.held())
    stage.exchange.advance(WEDNESDAY.replace(minute=45))
    stage.data = data = Yesterdays(stage.exchange)
    setattr(data, how, frozenset({symbol}))
    closed = stage.run("second", "manual")
    assert symbol in snapshot_of(stage, closed.run_id).doubtful
    assert stage.held() == {}
