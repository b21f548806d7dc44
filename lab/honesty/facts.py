"""Everything that a run decided for a strategy, piece by piece, so that two runs can be held against each other."""

from collections.abc import Iterator, Mapping
from datetime import date
from math import isclose, isnan

from lab.honesty.verdicts import Difference
from lab.quick_run import Ran

type Value = float | str
type Facts = Mapping[tuple[str, str], Value]  # by what it is and the symbol
type Days = Mapping[date, Facts]  # by the run's session

NOTHING = "none"
_SAME = 1e-9  # relative: above what another order of additions makes of a float, far below what trades
_TRADED = frozenset({"run", "failure", "signal", "veto", "target", "order"})  # what a silent run has none of
_ORDER = ("run", "failure", "forecast", "universe", "signal", "veto", "target", "order")  # causes come first


def facts_of(ran: Ran, name: str) -> Facts:
    """What the run decided for the strategy `name`; a number of shares is negative where they are sold."""
    decisions = ran.decisions
    found: dict[tuple[str, str], Value] = {}
    if name in decisions.failed_strategies:
        found["failure", ""] = decisions.failed_strategies[name]
    for symbol, forecast in ran.forecasts.get(name, {}).items():
        for bars in range(len(forecast.yhat)):
            label = f"forecast for bar {bars + 1}"
            found[label, symbol] = forecast.yhat[bars]
            found[f"{label}, lower end", symbol] = forecast.yhat_lower[bars]
            found[f"{label}, upper end", symbol] = forecast.yhat_upper[bars]
    found |= {("universe", s): f"number {rank}" for rank, s in enumerate(decisions.universe.get(name, ()), start=1)}
    for signal in decisions.signals.get(name, ()):
        found["signal", signal.symbol] = signal.score
        found |= {("veto", signal.symbol): signal.vetoed} if signal.vetoed else {}
    found |= {("target", one.symbol): f"{one.qty:f} shares" for one in decisions.targets if one.strategy == name}
    for order in decisions.plan.orders:
        found["order", order.symbol] = f"{order.side.value} {order.qty:f}"
    return found


def count_signals(days: Days) -> int:
    """How many signals there are in all."""
    return sum(what == "signal" for facts in days.values() for what, _ in facts)


def first_difference(before: Days, after: Days) -> Difference | None:
    """The first thing that is not the same in both, by session and then causes before what they cause.

    A session of which one side has no run at all was silent there: only what trades is compared.
    """
    for session in sorted(before.keys() | after.keys()):
        both = session in before and session in after
        one, other = before.get(session, {}), after.get(session, {})
        differing = [d for d in _differences(session, one, other) if both or d.what in _TRADED]
        if differing:
            return min(differing, key=_place)
    return None


def _place(difference: Difference) -> tuple[int, str, str]:
    return _ORDER.index(difference.what.split()[0]), difference.symbol, difference.what


def _differences(session: date, before: Facts, after: Facts) -> Iterator[Difference]:
    for what, symbol in before.keys() | after.keys():
        one, other = before.get((what, symbol), NOTHING), after.get((what, symbol), NOTHING)
        if not _same(one, other):
            yield Difference(session, what, symbol, _told(one), _told(other))


def _same(one: Value, other: Value) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return isclose(one, other, rel_tol=_SAME, abs_tol=_SAME) or (isnan(one) and isnan(other))
    return one == other


def _told(value: Value) -> str:
    return f"{value:.6g}" if isinstance(value, float) else value
