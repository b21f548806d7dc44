"""Whatever a strategy's code does, its caller gets plain data or the strategy's failure."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count, cycle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from openbell.errors import StrategyFailed
from openbell.forecasts import Forecast
from openbell.model import Position, Signal
from openbell.portfolio.sizing import BracketRule, Sizing, SizingRule
from openbell.strategies.asking import LONGEST_REASON, Answer, ask, ask_signals, ask_universe
from openbell.strategies.protocol import Context, Market, Parameters, Strategy
from tests.builders import AS_OF, D, closes

FRAME = closes({"A": [1.0, 2.0, 3.0], "B": [3.0, 2.0, 1.0]})
FORECAST = Forecast("A", 3.0, (AS_OF.date(),), (1.0,), (1.0,), (1.0,), 0.8, "exact")


def context() -> Context:
    return Context(AS_OF.date(), FRAME, {}, {"A": FORECAST}, {"A": Position(D(5), D(10))}, None)


class Answers(Strategy[Parameters]):
    """Gives, or does, whatever the test wants."""

    def __init__(self, given: object = (), ranked: object = (), rule: object = None) -> None:
        super().__init__(Parameters())
        self.given, self.ranked, self.rule = given, ranked, rule

    def signals(self, context: Context) -> Any:
        return self.given(context) if callable(self.given) else self.given

    def universe(self, market: Market, size: int, lookback: int) -> Any:
        return self.ranked(market) if callable(self.ranked) else self.ranked

    def sizing_rule(self) -> Any:
        return super().sizing_rule() if self.rule is None else self.rule


def answer(given: object, rule: object = None) -> Answer:
    return ask_signals(Answers(given, rule=rule), context(), seconds=5)


def ranking(ranked: object, size: int = 3) -> tuple[str, ...]:
    return ask_universe(Answers(ranked=ranked), Market(FRAME), size, 2, seconds=5)


def failure(call: Callable[[], object]) -> str:
    with pytest.raises(StrategyFailed) as caught:
        call()
    return str(caught.value)


def buy(symbol: str = "A", score: Any = 1.0, reason: str = "up") -> Signal:
    return Signal(symbol, score, reason)


@pytest.mark.parametrize("kind", [list, tuple, set, iter, lambda signals: (s for s in signals)])
def test_signals_may_come_in_any_collection(kind: Callable[[list[Signal]], object]) -> None:
    assert answer(kind([buy("A")])).signals == (buy("A"),)


@pytest.mark.parametrize("score", [np.float32(1), np.float64(1), np.int64(1), np.bool_(True), True, 1, D(1)])
def test_scores_of_any_number_type_become_floats(score: object) -> None:
    (made,) = answer([buy(score=score)]).signals
    assert (type(made.score), made.score) == (float, 1.0)


def test_symbols_and_reasons_of_numpy_become_plain_text() -> None:
    (made,) = answer([buy(np.str_("A"), reason=np.str_("up"))]).signals
    assert (type(made.symbol), type(made.reason)) == (str, str)
    assert [type(symbol) for symbol in ranking(np.array(["A", "B"]))] == [str, str]


def forged(**changes: object) -> Signal:
    """A signal that its constructor would have refused."""
    made = buy()
    for name, value in changes.items():
        object.__setattr__(made, name, value)
    return made


class Mute(Exception):
    def __str__(self) -> str:
        raise SystemExit(2)


async def later() -> list[Signal]:
    return []


def raises(error: BaseException) -> Callable[[Context], Any]:
    def given(_: Context) -> Any:
        raise error

    return given


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (None, "TypeError: signals must be a list, got a NoneType"),
        (buy(), "TypeError: signals must be a list, got a Signal"),
        ("A", "TypeError: signals must be a list, got a str"),
        ({"A": 1.0}, "TypeError: signals has a str, which is no Signal"),
        ([("A", 1.0, "up")], "TypeError: signals has a tuple, which is no Signal"),
        ([buy(), buy(score=-1.0)], "ValueError: two signals for A; one a symbol is allowed"),
        ([buy("GME")], "ValueError: signals for symbols outside its universe: GME"),
        ([forged(score=float("nan"))], "ValueError: signal for A: score must lie in [-1, 1], got nan"),
        ([forged(score="1")], "TypeError: signal for A: score must be a number, got a str"),
        ([forged(symbol=None)], "TypeError: signals has None, which is no symbol"),
        ([forged(reason="")], "ValueError: signal for A: a signal needs a reason"),
        (cycle([buy()]), "ValueError: two signals for A; one a symbol is allowed"),
        ((buy(f"S{n}") for n in count()), "ValueError: signals for symbols outside its universe: S0, S1, S2"),
        (raises(SystemExit(1)), "SystemExit: 1"),
        (raises(KeyboardInterrupt()), "KeyboardInterrupt: "),
        (raises(GeneratorExit()), "GeneratorExit: "),
        (raises(asyncio.CancelledError()), "CancelledError: "),
        (raises(MemoryError()), "MemoryError: "),
        (raises(Mute()), "Mute (its message cannot be read)"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,  # no address: workers compare ids
)
def test_a_wrong_answer_is_the_strategys_failure(given: object, told: str) -> None:
    assert failure(lambda: answer(given)) == told


def test_a_coroutine_is_no_answer() -> None:
    made = later()
    assert failure(lambda: answer(lambda _: made)) == "TypeError: signals must be a list, got a coroutine"
    made.close()


def test_a_generator_that_raises_on_the_way_is_the_strategys_failure() -> None:
    def given(_: Context) -> Iterator[Signal]:
        yield buy()
        raise SystemExit(3)

    assert failure(lambda: answer(given)) == "SystemExit: 3"


@pytest.mark.parametrize(
    ("ranked", "told"),
    [
        (None, "TypeError: its universe must be a list, got a NoneType"),
        ([1], "TypeError: its universe has 1, which is no symbol"),
        ([""], "TypeError: its universe has '', which is no symbol"),
        (["no symbol"], "TypeError: its universe has 'no symbol', which is no symbol"),
        (["Ä"], "TypeError: its universe has 'Ä', which is no symbol"),
        (["A", "B", "A"], "ValueError: its universe names A more than once"),
        ((f"S{n}" for n in count()), "ValueError: its universe has more than 3 symbols (universe.size)"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,  # no address: workers compare ids
)
def test_a_wrong_universe_is_the_strategys_failure(ranked: object, told: str) -> None:
    assert failure(lambda: ranking(ranked)) == told


def test_what_is_too_long_or_no_text_is_made_fit_for_every_store() -> None:
    (made,) = answer([buy(reason="\ud800" + "x" * 10**6)]).signals
    assert len(made.reason) == LONGEST_REASON
    assert made.reason.startswith("?xxx")
    assert made.reason.endswith("...")
    assert len(failure(lambda: answer(raises(ValueError("x" * 10**6))))) == 1000


@pytest.mark.parametrize(
    "rule",
    [
        "half",
        forged,
        lambda: SizingRule(Sizing.ENTER, D("NaN")),
        lambda: SizingRule(Sizing.ENTER, D("-0.5")),
        lambda: SizingRule(Sizing.ENTER, D(0), max_weight=D(0)),
        lambda: SizingRule(Sizing.ENTER, D(0), BracketRule(D("0.1"), D("0.05"), D("0.1"))),
    ],
)
def test_a_wrong_sizing_rule_is_the_strategys_failure(rule: Any) -> None:
    class Sizes(Answers):
        def sizing_rule(self) -> Any:
            return rule() if callable(rule) else rule

    failure(lambda: ask_signals(Sizes(), context(), seconds=5))


def test_what_a_strategy_does_to_what_it_is_shown_stays_its_own() -> None:
    shown = context()

    def spoil(given: Context) -> list[Signal]:
        object.__setattr__(given.holdings["A"], "qty", D(0))
        object.__setattr__(given.forecasts["A"], "yhat", ())
        given.holdings.clear()  # type: ignore[attr-defined]
        return []

    ask_signals(Answers(spoil), shown, seconds=5)
    assert (shown.holdings, shown.forecasts) == ({"A": Position(D(5), D(10))}, {"A": replace(FORECAST)})
    assert FORECAST.yhat == (1.0,)


def forever(_: object) -> Any:
    while True:
        time.sleep(0.01)


def stubborn(_: object) -> Any:
    try:
        forever(None)
    except BaseException:
        return []  # as if nothing had happened


@pytest.mark.parametrize("given", [forever, stubborn, lambda _: (buy() for _ in iter(int, 1) if forever(None))])
def test_time_is_bounded(given: object) -> None:
    begun = time.monotonic()
    told = failure(lambda: ask_signals(Answers(given), context(), seconds=0.05))
    assert told == "it took longer than 0.05 seconds (max_seconds)"
    assert time.monotonic() - begun < 2


def test_nothing_is_left_of_the_alarm() -> None:
    before = signal.getsignal(signal.SIGALRM), signal.getsignal(signal.SIGINT)
    failure(lambda: ask(lambda: forever(None), 0.02))
    ask(lambda: 1, 5)
    assert (signal.getsignal(signal.SIGALRM), signal.getsignal(signal.SIGINT)) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_the_interrupt_of_a_person_passes() -> None:
    def interrupted() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)

    with pytest.raises(KeyboardInterrupt):
        ask(interrupted, 5)


def test_a_thread_asks_without_a_limit() -> None:
    with ThreadPoolExecutor() as pool:
        assert pool.submit(ask, lambda: 7, 0.001).result() == 7


ANYTHING = some.recursive(
    some.none()
    | some.text(max_size=20)
    | some.floats()
    | some.integers()
    | some.binary(max_size=3)
    | some.builds(Signal, some.sampled_from(["A", "B", "C", ""]), some.floats(-1, 1), some.text(min_size=1)),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=2), inner, max_size=2),
    max_leaves=8,
)


@given(ANYTHING)
def test_any_answer_is_data_or_failure(found: object) -> None:
    try:
        made = answer(lambda _: found).signals
    except StrategyFailed:
        return
    symbols = [signal.symbol for signal in made]
    assert len(set(symbols)) == len(symbols)
    assert set(symbols) <= {"A", "B"}
    assert all(type(s) is Signal and type(s.score) is float and s.reason.encode() for s in made)
