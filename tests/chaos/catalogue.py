"""Which plays are worth playing: each fault at each place at least once, and then whatever chance suggests."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from random import Random

from tests.chaos.faults import Fault, Kind, kinds_at
from tests.chaos.market import Setting
from tests.chaos.schedule import Schedule, play

_MARKETS = 4
_MOST_FAULTS = 4
_LATEST = 6  # calls of a place among which chance picks one
_NEARBY, _ON_THE_WAY, _TELLING = 0.35, 0.75, 0.5
_IN_A_TABLE = 0.4  # of the plays by chance keep their ledger in a DynamoDB-like table
_OF_THE_WORLD = 0.2  # of the plays by chance have splits; and as many parts of shares, and so on
_SILENCE = (Kind.SILENT_BEFORE, Kind.SILENT_AFTER, Kind.CRASH_AFTER, Kind.ZOMBIE_BEFORE, Kind.ZOMBIE_AFTER)
_WAY_OF_AN_ORDER = {  # the calls that move orders and books, and the faults that such code gets wrong most easily
    "broker.submit": (Kind.LATE, Kind.STUCK, Kind.REJECTED, *_SILENCE),
    "broker.find_order": (Kind.PRINT, Kind.TWICE_AFTER, *_SILENCE),
    "broker.cancel": (Kind.PRINT, Kind.PRINT, *_SILENCE),
    "ledger.save_order": (Kind.TWICE_BEFORE, Kind.TWICE_AFTER, Kind.TAKEN_OVER, *_SILENCE),
    "ledger.save_plan": (Kind.TWICE_BEFORE, Kind.TAKEN_OVER, *_SILENCE),
    "dynamo.transact_write_items": (Kind.REPEATED, Kind.CONFLICT, Kind.TWICE_BEFORE, Kind.TAKEN_OVER, *_SILENCE),
    "dynamo.put_item": (Kind.REPEATED, *_SILENCE),
    "ledger.sleeves": (Kind.TWICE_BEFORE, Kind.TWICE_AFTER, Kind.TAKEN_OVER, Kind.PRINT),
}

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
    Schedule(replace(_FAST, dynamo=True), (), clean=1),
    Schedule(replace(_SLOW, dynamo=True), (_FAILING,), clean=1),
)


@dataclass(frozen=True)
class Site:
    """A place, how often a play comes to it, and that play."""

    place: str
    calls: int
    context: Schedule


@cache
def sites(*, http: bool = False) -> tuple[Site, ...]:
    """Every place that the contexts come to, each with the first of them that does; or every place on the wire."""
    found: dict[str, Site] = {}
    for context in CONTEXTS:
        for place, calls in play(replace(context, http=http)).record.places.items():
            if not http or ".http." in place:
                found.setdefault(place, Site(place, calls, replace(context, http=http)))
    return tuple(found[place] for place in sorted(found))


def systematic(*, http: bool = False) -> Iterator[Schedule]:
    """Each fault at each place, when a play first comes there."""
    for site in sites(http=http):
        for kind in kinds_at(site.place):
            fault = Fault(kind, site.place)
            others = tuple(other for other in site.context.faults if other != fault)
            yield replace(site.context, faults=(*others, fault))


_POINTS = (
    Fault(Kind.SILENT_AFTER, "ExecuteSell.broker.submit"),  # an order is booked, and nobody says so
    Fault(Kind.HALT, "ExecuteSell.ledger.order"),  # trading is halted between two orders
    Fault(Kind.PRINT, "ExecuteSell.broker.cancel"),  # a protective leg fills while it is cancelled
    Fault(Kind.STUCK, "ExecuteBuy.broker.submit"),  # an order arrives when the next run has begun
    Fault(Kind.STUCK, "ExecuteSell.broker.submit"),
    Fault(Kind.TAKEN_OVER, "AggregateSignals.ledger.save_plan"),  # a run wakes up when another has traded
    Fault(Kind.TAKEN_OVER, "OpenRun.broker.account"),
    Fault(Kind.TAKEN_OVER, "SettleBuys.ledger.save_order"),
    Fault(Kind.ZOMBIE_AFTER, "ExecuteBuy.broker.submit", 1),  # two Lambdas with the same order
    Fault(Kind.TWICE_BEFORE, "SettleBuys.ledger.save_order"),  # two Lambdas with the same fill
)


def pointed() -> Iterator[Schedule]:
    """Trouble that has to meet the right moment to be trouble, in several markets."""
    for market in range(_MARKETS):
        for point in _POINTS:
            for clean in (1, 2):
                yield Schedule(replace(_FAST, market=market), (point,), clean, soon=20)


def by_chance(seed: int) -> Schedule:
    """A play with several faults, the same for the same seed (as long as the code makes the same calls)."""
    random = Random(seed)
    setting = Setting(
        market=random.randrange(_MARKETS),
        closing=random.random() < 0.5,
        fill_share=random.choice(("1", "1", "0.5", "0.2")),
        unfilled=random.choice(("cancel", "cancel", "leave", "reprice")),
        dynamo=random.random() < _IN_A_TABLE,
        **{name: random.random() < _OF_THE_WORLD for name in ("companies", "fractional", "hostile", "edited", "slow")},
    )
    faults: list[Fault] = []
    for _ in range(random.randint(1, _MOST_FAULTS)):
        faults.append(_fault(random, faults, _reachable(setting.dynamo)))
    return Schedule(setting, tuple(faults), clean=random.choice((0, 1, 1, 2)), soon=random.choice((0, 0, 20, 300)))


@cache
def _reachable(dynamo: bool) -> tuple[Site, ...]:
    """The places that a play comes to: it has one store for its ledger or the other."""
    other = ".ledger." if dynamo else ".dynamo."
    return tuple(site for site in sites() if other not in site.place)


def _fault(random: Random, earlier: Sequence[Fault], reachable: Sequence[Site]) -> Fault:
    """A fault on the way of an order, or near an earlier one, or anywhere: trouble comes where trouble is."""
    chance = random.random()
    if earlier and chance < _NEARBY:
        state = earlier[-1].place.partition(".")[0]
        found = [site for site in reachable if site.place.startswith(f"{state}.")]
    elif chance < _ON_THE_WAY:
        found = [site for site in reachable if site.place.partition(".")[2] in _WAY_OF_AN_ORDER]
    else:
        found = list(reachable)
    site = random.choice(found)
    kinds = kinds_at(site.place)
    telling = _WAY_OF_AN_ORDER.get(site.place.partition(".")[2])
    if telling and random.random() < _TELLING:
        kinds = telling
    return Fault(random.choice(kinds), site.place, random.randrange(min(max(site.calls, 2), _LATEST)))


def on_the_wire(seed: int) -> Schedule:
    """A play of chance over HTTP, with one more fault on the wire."""
    site = Random(seed).choice(sites(http=True))
    fault = Fault(Random(seed).choice(kinds_at(site.place)), site.place, Random(seed).randrange(3))
    chance = by_chance(seed)
    return replace(chance, http=True, faults=(*chance.faults[:2], fault))


def pairs(*, http: bool = False) -> list[tuple[str, Kind]]:
    """All that is to be covered."""
    return [(site.place, kind) for site in sites(http=http) for kind in kinds_at(site.place)]
