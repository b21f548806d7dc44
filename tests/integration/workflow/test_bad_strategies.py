"""One strategy's code or parameters are wrong: it keeps what it holds, the report says why, the others trade."""

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from openbell.config import PlatformConfig, parse_config
from openbell.model import Halt, RunStatus
from tests.builders import D
from tests.integration.workflow.stage import WEDNESDAY, Stage, only_momentum

GOOD = """
from openbell.strategies import Parameters, Signal, Sizing, Strategy

class Bad(Strategy[Parameters]):
    parameters_model = Parameters
    sizing = Sizing.ENTER

    def universe(self, market, size, lookback):
        return ("KO",)

    def signals(self, context):
        return [Signal("KO", 1.0, "always")]
"""
HOLDING = {"KO": D(165)}  # 9,500 of the 10,000 USD of its sleeve at 57.42 USD


def settings(file: Path, code: str, **changes: Any) -> PlatformConfig:
    file.write_text(dedent(code))
    bad = {"uses": f"{file}:Bad", "allocation": "0.1", "universe": {"members": "tradable", "size": 4}} | changes
    momentum = only_momentum().strategies["momentum"].model_dump()
    return parse_config({"strategies": {"bad": bad, "momentum": momentum}}, "test")


def sleeve_of(stage: Stage) -> dict[str, Any]:
    return {symbol: position.qty for symbol, position in stage.ledger.sleeves()["bad"].positions.items()}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("raise SystemExit(1)", "SystemExit: 1"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt: "),
        ("return [Signal('KO', -1.0, 'one'), Signal('KO', -1.0, 'two')]", "ValueError: two signals for KO"),
        ("return 'KO'", "TypeError: signals must be a list"),
        ("return [Signal('KO', float('nan'), 'odd')]", "ValueError: signal for KO: score must lie"),
        ("while True: pass", "it took longer than 1 seconds"),
    ],
)
def test_whatever_its_signals_do_is_its_own_failure(tmp_path: Path, body: str, told: str) -> None:
    stage = Stage(settings(tmp_path / "good.py", GOOD))
    stage.run("first")
    assert sleeve_of(stage) == HOLDING
    stage.next_day()
    stage.config = settings(
        tmp_path / "bad.py", GOOD.replace("return [Signal", f"{body}\n        [Signal"), max_seconds=1
    )
    closed = stage.run("second")
    assert closed.status is RunStatus.COMPLETED
    assert closed.report["failed_strategies"]["bad"].startswith(told)
    assert "momentum" not in closed.report["failed_strategies"]
    assert sleeve_of(stage) == HOLDING


@pytest.mark.parametrize(
    ("code", "changes", "told"),
    [
        (GOOD, {"parameters": {"cash_bufer": "0.1"}}, "strategies.bad.parameters: cash_bufer"),
        ("raise SystemExit(1)", {}, "line 1: SystemExit: 1"),
        ("def broken(:", {}, "line 1: SyntaxError"),
        ("while True: pass", {}, "it took longer than 1 seconds"),
        ("class Bad: pass", {}, "Bad is no subclass"),
        (GOOD.replace("Sizing.ENTER", "'enter'"), {}, "sizing must be a Sizing"),
    ],
)
def test_what_cannot_be_loaded_stops_neither_the_others_nor_a_flatten(
    tmp_path: Path, code: str, changes: dict[str, Any], told: str
) -> None:
    stage = Stage(settings(tmp_path / "good.py", GOOD))
    stage.run("first")
    stage.next_day()
    stage.config = settings(tmp_path / "bad.py", code, max_seconds=1, **changes)
    closed = stage.run("second")
    assert closed.status is RunStatus.COMPLETED
    assert told in closed.report["failed_strategies"]["bad"]
    assert closed.report["signals"] == {"momentum": []}  # it has spoken for this month
    assert sleeve_of(stage) == HOLDING
    stage.ledger.set_halt(Halt("leaving", "alice", WEDNESDAY, flatten=True))
    stage.next_day()
    assert stage.run("third", "quarter_hour").status is RunStatus.COMPLETED
    assert stage.held() == {}


def test_a_strategy_that_cannot_be_loaded_still_leaves_at_the_end_of_the_day(tmp_path: Path) -> None:
    stage = Stage(settings(tmp_path / "good.py", GOOD))
    stage.run("first")
    stage.exchange.close_session()
    stage.exchange.open_next_session(WEDNESDAY.replace(hour=15, minute=45).timetz().replace(tzinfo=None))
    stage.config = settings(tmp_path / "bad.py", "raise SystemExit(1)", overnight="exit")
    stage.run("second", "quarter_hour")
    assert sleeve_of(stage) == {}


class OddPrices:
    """The stage's data with one price of one's own."""

    name = "odd"

    def __init__(self, data: Any, price: str) -> None:
        self._data, self._price = data, D(price)

    def daily_closes(self, *arguments: Any) -> Any:
        return self._data.daily_closes(*arguments)

    def latest_prices(self, symbols: Any) -> Any:
        return self._data.latest_prices(symbols) | {"KO": self._price}


@pytest.mark.parametrize("price", ["NaN", "sNaN", "Infinity", "-Infinity", "0", "-5"])
def test_an_impossible_price_is_no_price(tmp_path: Path, price: str) -> None:
    stage = Stage(settings(tmp_path / "good.py", GOOD))
    stage.data = OddPrices(stage.data, price)  # type: ignore[assignment]
    closed = stage.run("first")
    assert closed.status is RunStatus.COMPLETED
    assert closed.report["failed_strategies"] == {}
    assert [(cut["rule"], cut["reason"]) for cut in closed.report["cuts"] if cut["symbol"] == "KO"] == [
        ("sizing", "no price in the snapshot")
    ]
    assert "prices must be above 0 and finite" in closed.report["snapshot"]["left_out"]["KO"]
    assert "momentum" in {name for order in closed.report["orders"] for name in order["strategies"]}
