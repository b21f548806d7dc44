from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from openbell.config import parse_config
from openbell.decision import choose_universes, decide, rank_universe
from openbell.errors import StrategyFailed
from openbell.model import Account, MarketClock, Side, Signal, Sleeve
from openbell.runs import Decisions, RunInputs, Universes
from openbell.snapshot import Snapshot
from openbell.strategies.protocol import Context, Market, Parameters, Strategy
from tests.builders import AS_OF, D, closes, sleeve

PRICES = {"A": D(100), "B": D(50)}
FRAME = closes({"A": [100.0] * 40, "B": [50.0] * 40})
SNAPSHOT = Snapshot(AS_OF, "test", FRAME, PRICES, frozenset(PRICES), {})
ALL = dict.fromkeys(("one", "two", "broken"), ("A", "B"))


class Says(Strategy[Parameters]):
    """Signals that the test chose."""

    def __init__(self, *signals: Signal) -> None:
        super().__init__(Parameters())
        self.said = list(signals)

    def signals(self, context: Context) -> list[Signal]:
        return self.said


class Breaks(Says):
    """Raises, as any strategy might."""

    def signals(self, context: Context) -> list[Signal]:
        raise ZeroDivisionError("division by zero")


def inputs(*sleeves: Sleeve) -> RunInputs:
    names = [s.strategy for s in sleeves]
    config = parse_config({"strategies": {name: {"allocation": 0.1, "uses": "momentum"} for name in names}}, "test")
    return RunInputs(
        run_id="20220615-1500-ab12",
        fence=1,
        clock=MarketClock(
            AS_OF, is_open=True, next_open=AS_OF + timedelta(days=1), next_close=AS_OF + timedelta(hours=1)
        ),
        config=config,
        strategies=tuple(names),
        account=Account(D(100_000), D(100_000), D(100_000), D(100_000)),
        sleeves={s.strategy: s for s in sleeves},
        position_values={},
    )


def run(given: RunInputs, **strategies: Strategy[Any]) -> Decisions:
    return decide(given, SNAPSHOT, Universes(ALL), {}, strategies)


def buy(symbol: str) -> Signal:
    return Signal(symbol, 1.0, "up")


def test_a_signal_becomes_an_order_of_the_sleeves_weight() -> None:
    made = run(inputs(sleeve("one", "10000")), one=Says(buy("A")))
    assert [(o.symbol, o.side, o.qty, o.reason) for o in made.plan.orders] == [("A", Side.BUY, 95, "one: up")]


def test_a_broken_strategy_keeps_its_positions_and_the_others_trade() -> None:
    given = inputs(sleeve("broken", positions={"B": ("10", "500")}), sleeve("one"))
    made = run(given, broken=Breaks(), one=Says(buy("A")))
    assert made.failed_strategies == {"broken": "ZeroDivisionError: division by zero"}
    assert [(o.symbol, o.side) for o in made.plan.orders] == [("A", Side.BUY)]


def test_a_signal_for_a_symbol_outside_the_universe_is_the_strategys_failure() -> None:
    made = run(inputs(sleeve("one")), one=Says(buy("GME")))
    assert made.failed_strategies == {"one": "ValueError: signals for symbols outside its universe: GME"}
    assert made.plan.orders == ()


def test_a_signal_for_a_symbol_with_a_pending_order_is_left_out() -> None:
    made = run(replace(inputs(sleeve("one")), pending=("A",)), one=Says(buy("A"), buy("B")))
    assert [order.symbol for order in made.plan.orders] == ["B"]


def test_opposite_strategies_meet_inside_the_account() -> None:
    given = inputs(sleeve("one", "0", {"A": ("50", "5000")}), sleeve("two", "2000"))
    made = run(given, one=Says(Signal("A", -1.0, "down")), two=Says(buy("A")))
    assert [(c.seller, c.buyer, c.qty) for c in made.plan.crosses] == [("one", "two", 19)]
    assert [(o.side, o.qty) for o in made.plan.orders] == [(Side.SELL, 31)]


def test_the_same_inputs_give_the_same_decisions() -> None:
    given = inputs(sleeve("one"), sleeve("two"))
    strategies: dict[str, Strategy[Any]] = {"one": Says(buy("A")), "two": Says(buy("B"), buy("A"))}
    assert run(given, **strategies) == run(given, **strategies)


def test_a_nan_score_cannot_be_built() -> None:
    with pytest.raises(ValueError, match=r"score must lie in \[-1, 1\]"):
        Signal("A", float("nan"), "?")


def test_holdings_are_always_in_the_universe_and_pending_symbols_never_enter_it() -> None:
    held = sleeve("one", positions={"Z": ("1", "1")})
    frame = closes({"A": [1.0, 2.0, 3.0], "B": [1.0, 1.0, 1.0]})
    assert rank_universe(Says(), frame, 2, 2, held, pending=("A",)) == ("B", "Z")


def test_a_strategy_that_cannot_rank_keeps_its_holdings_and_the_others_trade() -> None:
    given = inputs(sleeve("broken", positions={"B": ("10", "500")}), sleeve("one"))

    def rank(name: str) -> tuple[str, ...]:
        if name == "broken":
            raise KeyError("volume")
        return ("A", "B")

    chosen = choose_universes(given, rank)
    assert chosen.by_strategy == {"broken": ("B",), "one": ("A", "B")}
    made = decide(given, SNAPSHOT, chosen, {}, {"broken": Says(Signal("B", -1.0, "down")), "one": Says(buy("A"))})
    assert made.failed_strategies == {"broken": "KeyError: 'volume'"}
    assert [(o.symbol, o.side) for o in made.plan.orders] == [("A", Side.BUY)]


class Spoils(Says):
    """Changes what it is shown."""

    def universe(self, market: Market, size: int, lookback: int) -> tuple[str, ...]:
        market.closes.loc[:, "A"] = 0.0
        return ("A",)

    def signals(self, context: Context) -> list[Signal]:
        context.closes.loc[:, "B"] = 0.0
        cast("dict[str, Any]", context.holdings).clear()
        return []


def test_what_a_strategy_does_to_its_view_changes_nothing_for_others() -> None:
    held = sleeve("one", positions={"B": ("10", "500")})
    frame = FRAME.copy()
    assert rank_universe(Spoils(), frame, 1, 2, held, ()) == ("A", "B")
    assert frame.equals(FRAME)
    made = run(inputs(held), one=Spoils())
    assert made.failed_strategies == {}
    assert SNAPSHOT.closes.equals(closes({"A": [100.0] * 40, "B": [50.0] * 40}))
    assert held.positions["B"].qty == 10


def test_a_universe_of_anything_but_symbols_is_refused() -> None:
    class Numbers(Says):
        def universe(self, market: Market, size: int, lookback: int) -> tuple[str, ...]:
            return (1,)  # type: ignore[return-value]

    with pytest.raises(StrategyFailed, match="TypeError: its universe has 1, which is no symbol"):
        rank_universe(Numbers(), FRAME, 1, 2, sleeve("one"), ())


def test_a_strategy_that_cannot_rank_still_leaves_at_the_end_of_the_day() -> None:
    given = inputs(sleeve("broken", positions={"B": ("10", "500")}))
    entry = given.config.strategies["broken"].model_copy(update={"overnight": "exit"})
    config = given.config.model_copy(update={"strategies": {"broken": entry}})
    last_tick = replace(given.clock, next_close=AS_OF + timedelta(minutes=5))
    at_the_end = replace(given, config=config, clock=last_tick)
    made = decide(at_the_end, SNAPSHOT, Universes({"broken": ("B",)}, {"broken": "KeyError"}), {}, {"broken": Says()})
    assert [(o.symbol, o.side, o.qty) for o in made.plan.orders] == [("B", Side.SELL, 10)]
