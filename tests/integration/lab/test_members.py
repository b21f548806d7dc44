"""Point-in-time members: the backtest and the workflow look at the same candidates on every session."""

from datetime import date

import pytest

from lab.backtest import backtest
from lab.curves import CurveMaker
from lab.forecasts import ForecastStore
from lab.membership import Membership
from lab.outcome import BacktestSettings
from lab.quick_run import Ran
from lab.trades import fills_of
from openbell.config import PlatformConfig, parse_config
from tests.builders import D
from tests.integration.lab.identity import Played, check_identity
from tests.integration.workflow.stage import sample

_SYMBOLS = sorted(sample().symbols)
_UNIVERSE = {"members": "sp500", "size": 6, "lookback": 60}


def membership(*rows: tuple[date, list[str]]) -> Membership:
    return Membership(tuple(day for day, _ in rows), tuple(frozenset(found) for _, found in rows), "members.csv")


# A dozen, of which four leave for others every now and then; GONE has no bars at all.
CHANGING = membership(
    (date(1990, 1, 2), [*_SYMBOLS[:12], "GONE"]),
    (date(2022, 5, 26), [*_SYMBOLS[4:16], "GONE"]),
    (date(2022, 6, 8), [*_SYMBOLS[8:20], "GONE"]),
)


def config(**strategies: dict[str, object]) -> PlatformConfig:
    entries = {name: {"universe": _UNIVERSE} | entry for name, entry in strategies.items()}
    return parse_config({"strategies": entries}, "test")


def test_twenty_sessions_with_changing_members_are_the_same() -> None:
    settings = config(
        momentum={"allocation": "0.3", "parameters": {"hold": 3}},
        sma_cross={"allocation": "0.3", "parameters": {"fast": 5, "slow": 20}},
        prophet_trend={"allocation": "0.4", "parameters": {"skill_gate": False}},
    )
    played: Played = check_identity(sample(), settings, date(2022, 5, 20), date(2022, 6, 17), CHANGING)
    seen = {day: {s for u in decisions.universe.values() for s in u} for day, decisions in played.decisions.items()}
    joined = {day: bool(found & set(_SYMBOLS[12:])) for day, found in seen.items()}
    assert next(day for day, some in joined.items() if some) == date(2022, 5, 26)
    assert "GONE" not in set.union(*seen.values())


def test_a_symbol_is_bought_only_while_it_is_a_member_and_sold_whenever() -> None:
    runs: list[Ran] = []
    settings = config(sma_cross={"allocation": "1", "parameters": {"fast": 5, "slow": 20}})
    span = BacktestSettings(date(2022, 5, 20), date(2022, 7, 29), members=CHANGING)
    backtest(sample(), settings, span, ForecastStore(None), on_run=runs.append)
    bought = [(r.inputs.clock.session, o.symbol) for r in runs for o in r.decisions.plan.orders if o.side.sign > 0]
    sold = [(r.inputs.clock.session, o.symbol) for r in runs for o in r.decisions.plan.orders if o.side.sign < 0]
    assert bought
    assert all(symbol in CHANGING.on(day) for day, symbol in bought)
    assert any(symbol not in CHANGING.on(day) for day, symbol in sold)


@pytest.mark.parametrize("code", ["sma_cross", "momentum", "low_volatility", "buy_and_hold"])
def test_left_out_runs_change_nothing_that_is_traded_with_changing_members(code: str) -> None:
    years = [
        (date(year, month, 1), [s for n, s in enumerate(_SYMBOLS) if (n + year + month) % 3])
        for year in range(1995, 2000)
        for month in (1, 5, 9)
    ]
    entry = {"allocation": "1", "universe": _UNIVERSE}
    _same_without_skipping(parse_config({"strategies": {code: entry}}, "test"), membership(*years))


def test_left_out_runs_change_nothing_where_one_strategy_holds_what_another_may_choose() -> None:
    years = [
        (date(year, month, 1), [s for n, s in enumerate(_SYMBOLS) if (n + year + month) % 2])
        for year in range(1995, 2000)
        for month in (1, 4, 7, 10)
    ]
    settings = config(
        sma_cross={"allocation": "0.5", "parameters": {"fast": 5, "slow": 20}},
        buy_and_hold={"allocation": "0.5"},
    )
    _same_without_skipping(settings, membership(*years))


def _same_without_skipping(settings: PlatformConfig, members: Membership) -> None:
    span = BacktestSettings(date(1995, 1, 3), date(1999, 12, 30), cash=D(1_000_000), members=members)
    store = ForecastStore(None)
    quick = backtest(sample(), settings, span, store)
    whole = backtest(sample(), settings, span, store, skip_silent=False)
    assert quick.orders == whole.orders
    assert quick.equity == whole.equity
    assert quick.orders
    assert quick.asked < whole.asked == whole.runs


def test_buy_and_hold_buys_the_members_of_the_first_session() -> None:
    span = BacktestSettings(date(2022, 5, 20), date(2022, 6, 17), members=CHANGING)
    outcome = backtest(sample(), config(buy_and_hold={"allocation": "1"}), span, ForecastStore(None))
    _, symbols = CurveMaker(outcome, sample(), fills_of(outcome), D(0)).buy_and_hold()
    assert sorted(symbols) == _SYMBOLS[:12]
