"""Backtrader and the paper exchange play the same runs to the same trades."""

import subprocess
import sys
from datetime import date
from typing import Any

import pytest

from cli.places import ROOT
from lab.backtest import backtest
from lab.bridge import in_backtrader
from lab.forecasts import ForecastStore
from lab.outcome import BacktestSettings, Outcome
from lab.trades import fills_of
from openbell.config import PlatformConfig, parse_config
from openbell.errors import InvalidInput
from openbell.model import LegKind
from paper import History, Split
from tests.builders import D
from tests.integration.lab.markets import ohlc_market
from tests.integration.workflow.stage import sample

_UNIVERSE = {"members": "tradable", "size": 12, "lookback": 60}


def config(**strategies: dict[str, Any]) -> PlatformConfig:
    entries = {name: {"universe": _UNIVERSE} | entry for name, entry in strategies.items()}
    return parse_config({"strategies": entries}, "test")


def both(
    settings: PlatformConfig, span: BacktestSettings, market: History | None = None, store: ForecastStore | None = None
) -> tuple[Outcome, Outcome]:
    store = store or ForecastStore(None)
    ours = backtest(market or sample(), settings, span, store)
    return ours, backtest(market or sample(), settings, span, store, player=in_backtrader())


@pytest.mark.parametrize("bps", ["0", "2"])
@pytest.mark.parametrize(
    ("code", "parameters", "trades"),
    [("sma_cross", {"fast": 10, "slow": 50}, 300), ("momentum", {"hold": 3}, 60)],
)
def test_both_engines_make_the_same_trades_and_end_with_the_same_value(
    code: str, parameters: dict[str, Any], trades: int, bps: str
) -> None:
    settings = config(**{code: {"allocation": "1", "parameters": parameters}})
    span = BacktestSettings(date(2020, 1, 2), date(2022, 12, 28), cash=D(1_000_000), slippage_bps=D(bps))
    ours, theirs = both(settings, span)
    assert len(fills_of(ours)) > trades
    assert fills_of(theirs) == fills_of(ours)  # days, symbols, sides, shares and values
    assert theirs.sessions == ours.sessions
    assert theirs.equity == ours.equity  # at every close, to a hundredth of a cent
    assert [dated.filled_at for dated in theirs.orders] == [dated.filled_at for dated in ours.orders]
    assert theirs.signals[code] >= ours.signals[code]  # Backtrader makes the silent runs too


def test_two_strategies_share_the_account_in_both() -> None:
    settings = config(
        sma_cross={"allocation": "0.5", "parameters": {"fast": 5, "slow": 20}},
        momentum={"allocation": "0.4", "parameters": {"hold": 3}},
    )
    ours, theirs = both(settings, BacktestSettings(date(2021, 1, 4), date(2021, 12, 31), every="1w"))
    assert theirs.crosses == ours.crosses
    assert fills_of(theirs) == fills_of(ours)
    assert theirs.equity == ours.equity


def test_the_close_fills_where_the_bars_have_opens_too() -> None:
    settings = config(sma_cross={"allocation": "1", "parameters": {"fast": 5, "slow": 20}})
    span = BacktestSettings(date(2022, 6, 1), date(2022, 12, 28))
    ours, theirs = both(settings, span, ohlc_market())
    assert len(fills_of(ours)) > 50
    assert fills_of(theirs) == fills_of(ours)
    assert theirs.equity == ours.equity


def test_brackets_are_backtraders_own() -> None:
    settings = config(prophet_trend={"allocation": "1", "parameters": {"skill_gate": False, "rule": "trendline"}})
    span = BacktestSettings(date(2022, 5, 20), date(2022, 6, 30), cash=D(1_000_000))
    ours, theirs = both(settings, span, ohlc_market())
    kinds = {fill.kind for fill in fills_of(theirs)}
    assert LegKind.STOP in kinds
    first = min(dated.day for dated in ours.orders)
    entries = [[d.order.symbol for d in outcome.orders if d.day == first] for outcome in (ours, theirs)]
    assert entries[0] == entries[1]
    assert not theirs.run_failures  # the books agree with Backtrader's positions in every run


def test_bars_with_splits_are_refused() -> None:
    market = ohlc_market()
    halved = History(market.symbols, market.sessions, market.bars, [Split("AAPL", market.sessions[-20], D(2))])
    with pytest.raises(InvalidInput, match="the bars come with splits or dividends, which Backtrader does not know"):
        both(config(momentum={"allocation": "1"}), BacktestSettings(date(2022, 6, 1), date(2022, 6, 30)), halved)


def command(*arguments: str, before: str = "pass") -> "subprocess.CompletedProcess[str]":
    code = f"import sys; {before}; from cli.main import app; app()"
    return subprocess.run(
        [sys.executable, "-c", code, "backtest", *arguments], capture_output=True, text=True, cwd=ROOT, check=False
    )


def test_without_backtrader_the_command_says_how_to_install_it() -> None:
    told = command("--engine", "backtrader", before="sys.modules['backtrader'] = None")
    assert told.returncode == 2
    assert "Backtrader is not installed; install it with `uv sync --extra backtrader`" in " ".join(told.stderr.split())


def test_another_engine_does_not_exist() -> None:
    told = command("--engine", "zipline")
    assert (told.returncode, "--engine zipline: expected openbell" in told.stderr) == (2, True)


def test_nothing_of_backtrader_is_imported_unasked() -> None:
    code = "import sys, cli.main, lab.session; sys.exit('backtrader' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0
