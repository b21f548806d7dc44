"""Which plays are worth playing: each fault at each place at least once, and then whatever chance suggests."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from random import Random

from tests.chaos.faults import Fault, Kind, kinds_at
from tests.chaos.market import Setting
from tests.chaos.schedule import Schedule, play

_OF_EACH = 2  # calls of a place at which each fault strikes: the first, and the second, which may mean something else
_MARKETS = 4
_MOST_FAULTS = 4

_SLOW = Setting()
_FAST = Setting(closing=True)
_PARTLY = Setting(closing=True, fill_share="0.3", unfilled="reprice")
_FAILING = Fault(Kind.REFUSED, "SelectUniverse.broker.tradable_symbols")
_DOUBTFUL = Fault(Kind.SILENT_BEFORE, "ExecuteBuy.broker.submit")
_HALTING = Fault(Kind.FLATTEN, "OpenRun.broker.account")

# Plays that between them come to every place: from a first run to one that fails, is halted, or has orders in doubt.
CONTEXTS: tuple[Schedule, ...] = (
    Schedule(_SLOW, (), clean=1),
    Schedule(_SLOW, (), clean=0),
    Schedule(_FAST, (), clean=2),
    Schedule(_PARTLY, (), clean=1),
    Schedule(replace(_FAST, forecasts=True), (), clean=1),
    Schedule(_SLOW, (_FAILING,), clean=1),
    Schedule(_FAST, (_DOUBTFUL,), clean=0),
    Schedule(_SLOW, (_HALTING,), clean=1),
)


@dataclass(frozen=True)
class Site:
    """A place, how often a play comes to it, and that play."""

    place: str
    calls: int
    context: Schedule


@cache
def sites() -> tuple[Site, ...]:
    """Every place that the contexts come to, each with the first of them that does."""
    found: dict[str, Site] = {}
    for context in CONTEXTS:
        for place, calls in play(context).record.places.items():
            found.setdefault(place, Site(place, calls, context))
    return tuple(found[place] for place in sorted(found))


def systematic(of_each: int = _OF_EACH) -> Iterator[Schedule]:
    """Each fault at each place, at its first calls."""
    for site in sites():
        for kind in kinds_at(site.place):
            for nth in range(min(of_each, site.calls)):
                fault = Fault(kind, site.place, nth)
                if fault not in site.context.faults:
                    yield replace(site.context, faults=(*site.context.faults, fault))


def by_chance(seed: int) -> Schedule:
    """A play with several faults, the same for the same seed (as long as the code makes the same calls)."""
    random = Random(seed)
    setting = Setting(
        market=random.randrange(_MARKETS),
        closing=random.random() < 0.5,
        fill_share=random.choice(("1", "1", "0.5", "0.2")),
        unfilled=random.choice(("cancel", "cancel", "leave", "reprice")),
    )
    places = _places()
    faults = tuple(_fault(random, places) for _ in range(random.randint(1, _MOST_FAULTS)))
    return Schedule(setting, faults, clean=random.choice((0, 1, 1, 2)), soon=random.random() < 0.3)


def _fault(random: Random, places: Sequence[Site]) -> Fault:
    site = random.choice(places)
    return Fault(random.choice(kinds_at(site.place)), site.place, random.randrange(max(2, site.calls)))


@cache
def _places() -> tuple[Site, ...]:
    """Places where orders and books change come up more often than those where nothing does."""
    weighty = ("Execute", "Settle", "OpenRun", "CloseRun", "AbortRun", "AggregateSignals")
    return tuple(site for site in sites() for _ in range(3 if site.place.startswith(weighty) else 1))


def pairs() -> list[tuple[str, Kind]]:
    """All that is to be covered."""
    return [(site.place, kind) for site in sites() for kind in kinds_at(site.place)]
