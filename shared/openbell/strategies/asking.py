"""Where a strategy's own code runs: what it answers, as checked plain data, or its failure.

Nothing that the code does here harms anybody else: whatever it raises, takes too long for or answers wrongly becomes
`StrategyFailed`. What this cannot bound: memory, threads and processes that it starts, and native code that does not
return to Python.
"""

import signal
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from itertools import islice
from types import FrameType
from typing import Any, Self

from openbell.errors import StrategyFailed
from openbell.model import Signal
from openbell.portfolio.sizing import BracketRule, Sizing, SizingRule
from openbell.strategies.protocol import Context, Market, Strategy

LONGEST_REASON = 300  # characters
_LONGEST_SYMBOL = 16  # so that a client_order_id stays within its 48 characters


@dataclass(frozen=True)
class Answer:
    """What a strategy wants: its signals, one a symbol at most, and how they become weights."""

    signals: tuple[Signal, ...]
    rule: SizingRule


def ask_signals(strategy: Strategy[Any], context: Context, seconds: float) -> Answer:
    """The strategy's answer to what it sees, within `seconds`. Raises StrategyFailed."""
    symbols = frozenset(str(symbol) for symbol in context.closes.columns)
    shown = replace(  # its own copies: what it does to them stays its own
        context,
        holdings={symbol: replace(position) for symbol, position in context.holdings.items()},
        forecasts={symbol: replace(forecast) for symbol, forecast in context.forecasts.items()},
    )
    return ask(
        lambda: Answer(checked_signals(strategy.signals(shown), symbols), checked_rule(strategy.sizing_rule())), seconds
    )


def ask_universe(strategy: Strategy[Any], market: Market, size: int, lookback: int, seconds: float) -> tuple[str, ...]:
    """The strategy's ranking of `size` symbols at most, within `seconds`. Raises StrategyFailed."""
    shown = Market(market.closes.copy(deep=False))
    return ask(lambda: checked_universe(strategy.universe(shown, size, lookback), size), seconds)


def checked_signals(found: object, symbols: Collection[str]) -> tuple[Signal, ...]:
    """`found` as plain signals; TypeError or ValueError unless it is at most one for each of `symbols`."""
    signals: dict[str, Signal] = {}
    strange = set()
    for item in islice(_each(found, "signals"), len(symbols) + 1):
        made = _signal(item)
        if made.symbol in signals:
            raise ValueError(f"two signals for {made.symbol}; one a symbol is allowed")
        signals[made.symbol] = made
        if made.symbol not in symbols:
            strange.add(made.symbol)
    if strange:
        raise ValueError(f"signals for symbols outside its universe: {', '.join(sorted(strange))}")
    return tuple(signals.values())


def checked_universe(found: object, size: int) -> tuple[str, ...]:
    """`found` as plain symbols; TypeError or ValueError unless it is `size` different symbols at most."""
    symbols = [_symbol(item, "its universe") for item in islice(_each(found, "its universe"), size + 1)]
    if len(symbols) > size:
        raise ValueError(f"its universe has more than {size} symbols (universe.size)")
    twice = sorted(symbol for symbol, times in Counter(symbols).items() if times > 1)
    if twice:
        raise ValueError(f"its universe names {', '.join(twice)} more than once")
    return tuple(symbols)


def checked_rule(found: object) -> SizingRule:
    """`found` as a plain sizing rule; TypeError or ValueError if it is none."""
    if not isinstance(found, SizingRule):
        raise TypeError(f"its sizing_rule gives {_kind(found)}; expected a SizingRule")
    bracket = found.bracket
    plain = bracket and BracketRule(bracket.stop, bracket.stop_limit, bracket.take_profit)
    return SizingRule(Sizing(found.sizing), found.cash_buffer, plain, found.max_weight)


def _each(found: object, what: str) -> Iterable[object]:
    if isinstance(found, Iterable) and not isinstance(found, str | bytes):
        return found
    raise TypeError(f"{what} must be a list, got {_kind(found)}")


def _signal(item: object) -> Signal:
    if not isinstance(item, Signal):
        raise TypeError(f"signals has {_kind(item)}, which is no Signal")
    if isinstance(item.score, str | bytes):
        raise TypeError(f"signal for {item.symbol}: score must be a number, got {_kind(item.score)}")
    symbol = _symbol(item.symbol, "signals")
    return Signal(symbol, float(item.score), printable(item.reason), printable(item.vetoed))


def _symbol(item: object, what: str) -> str:
    if isinstance(item, str) and 0 < len(item) <= _LONGEST_SYMBOL and item.isascii() and item.isprintable():
        plain = str(item)
        if " " not in plain:
            return plain
    raise TypeError(f"{what} has {printable(repr(item), 60)}, which is no symbol")


def _kind(found: object) -> str:
    return f"a {type(found).__name__}"


def printable(text: object, longest: int = LONGEST_REASON) -> str:
    """`text` as any store and any page can hold it: valid UTF-8, and not too long."""
    plain = str(text)[: longest + 1].encode("utf-8", "replace").decode()
    return plain if len(plain) <= longest else f"{plain[: longest - 3]}..."


def describe(error: BaseException) -> str:
    """Type and message of what a strategy raised."""
    return printable(f"{type(error).__name__}: {error}", 1000)


# The guard.


def ask[R](call: Callable[[], R], seconds: float) -> R:
    """What `call` gives. Raises StrategyFailed for whatever it raises, and once it has taken `seconds`.

    Time is bounded in the main thread of a process only, where Lambda's handlers and the command line run. Ctrl-C of a
    person passes.
    """
    watch = _Watch()
    try:
        try:
            return _guarded(call, watch.start(seconds))
        finally:
            watch.stop()
    except _OutOfTime as end:
        watch.stop()
        raise StrategyFailed(f"it took longer than {seconds:g} seconds (max_seconds)") from end


def _guarded[R](call: Callable[[], R], watch: "_Watch") -> R:
    try:
        result = call()
    except _OutOfTime:
        raise
    except BaseException as error:
        if watch.interrupted and isinstance(error, KeyboardInterrupt):
            raise
        raise StrategyFailed(_safely_described(error)) from error
    if watch.expired:  # the code caught what should have ended it
        raise _OutOfTime
    return result


def _safely_described(error: BaseException) -> str:
    try:
        return describe(error)
    except _OutOfTime:
        raise
    except BaseException:  # an exception of its own whose text cannot be made
        return f"{type(error).__name__} (its message cannot be read)"


class _OutOfTime(BaseException):
    """Raised inside a call that takes too long."""


class _Watch:
    """An alarm in the main thread, and whether a person pressed Ctrl-C meanwhile."""

    def __init__(self) -> None:
        self.expired = False
        self.interrupted = False
        self._armed = False
        self._on_interrupt: object = None
        self._restore: list[Callable[[], object]] = []

    def start(self, seconds: float) -> Self:
        """Raise _OutOfTime in `seconds`, and again every second while it is being caught."""
        if hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
            self._handle(signal.SIGALRM, self._end)
            self._on_interrupt = signal.getsignal(signal.SIGINT)
            if callable(self._on_interrupt):
                self._handle(signal.SIGINT, self._interrupt)
            self._armed = True
            earlier = signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
            self._restore.append(lambda: signal.setitimer(signal.ITIMER_REAL, *earlier))
        return self

    def stop(self) -> None:
        """Put everything back; once is enough, twice does no harm."""
        self._armed = False
        while self._restore:
            self._restore[-1]()
            self._restore.pop()

    def _handle(self, number: signal.Signals, handler: Callable[[int, FrameType | None], None]) -> None:
        earlier = signal.signal(number, handler)
        self._restore.append(lambda: signal.signal(number, signal.SIG_DFL if earlier is None else earlier))

    def _end(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 a handler's arguments
        if self._armed:
            self.expired = True
            raise _OutOfTime

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.interrupted = True
        if callable(self._on_interrupt):
            self._on_interrupt(number, frame)
