"""The sentence that tells the largest cause."""

from cli.views.drift import read_drift
from lab.drift.components import Cause, Components, LivePart, ModelPart
from lab.drift.report import DriftReport, Line
from openbell.model import LegKind, Side
from tests.builders import AS_OF, D


def line(symbol: str, parts: Components, note: str = "") -> Line:
    live, model = LivePart(D(1)), ModelPart(D(1), D(1), D(100), D(100), D(100))
    return Line(
        "run", AS_OF, "momentum", symbol, Side.BUY, LegKind.ENTRY, live, model, D(100), parts.total, parts, note
    )


def verdict(*lines: Line, runs: int = 2) -> str:
    return read_drift(DriftReport(lines, runs, ())).verdict


def test_the_largest_cause_is_told_with_the_order_that_has_most_of_it() -> None:
    told = verdict(
        line("AAPL", Components(price=D("-3"))),
        line("MSFT", Components(price=D("2"), rejection=D("-20")), "rejected: no money"),
        line("KO", Components(rejection=D("5"))),
    )
    # -3 + 2 - 20 + 5 = -16; rejection -15, price -1
    assert told == (
        "Live made 16.00 USD less than the backtest over 2 runs. The largest cause is rejection (\N{MINUS SIGN}15.00 "
        "USD): orders that the backtest fills were not filled, most of all the buy of MSFT for momentum at 2022-06-15 "
        "15:00: rejected: no money."
    )


def test_the_order_has_the_sign_of_the_whole() -> None:
    report = DriftReport((line("AAPL", Components(data=D(-9))), line("KO", Components(data=D(10)))), 1, ())
    assert (report.cause, report.worst) == (Cause.DATA, report.lines[1])


def test_differences_that_cancel_out_are_not_called_none() -> None:
    told = verdict(line("AAPL", Components(timing=D(-4))), line("KO", Components(timing=D(4))))
    assert told.startswith("Live made as much as the backtest over 2 runs, by differences that cancel out. ")
    assert "orders met the market at a worse price than in the backtest, most of all the buy of AAPL" in told


def test_no_difference_is_told_to_the_cent() -> None:
    assert verdict(line("AAPL", Components())) == "Live and backtest did the same over 2 runs, to the cent."
    assert verdict(runs=0) == "No run could be set beside a backtest."
