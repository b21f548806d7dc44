"""make chaos: thousands of runs, each with faults at calls to the outside, and every promise checked after each."""

import argparse
import sys
from collections.abc import Iterable, Sequence

from tests.chaos.catalogue import by_chance, on_the_wire, pairs, pointed, systematic
from tests.chaos.cloud import KILLS, campaign
from tests.chaos.explorer import Found, Tally, explore, told
from tests.chaos.faults import Kind
from tests.chaos.killer import Kill
from tests.chaos.schedule import Schedule, play
from tests.months import campaign as months
from tests.months.month import Lived, live

_PROCESSES = 2
_BY_CHANCE, _ON_THE_WIRE, _MONTHS = 300, 40, 2000


def main(arguments: Sequence[str]) -> int:
    """1 if a promise was broken, or a fault could not be brought about."""
    asked = _asked(arguments)
    if asked.seed.startswith("kill:"):
        return 0 if _killings([Kill.read(asked.seed)]) else 1
    if asked.seed.startswith("month:"):
        lived = live(int(asked.seed.removeprefix("month:")))
        _say(months.told(lived))
        return 1 if lived.violations else 0
    if asked.seed:
        played = play(Schedule.read(asked.seed))
        _say(told(played))
        return 1 if played.violations else 0
    found = {tier: _TIERS[tier](asked) for tier in asked.tier}
    return 0 if all(found.values()) else 1


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", default="", help="replay one play, as it was printed, call by call")
    parser.add_argument("--tier", nargs="+", choices=sorted(_TIERS), default=list(_BY_DEFAULT), help="what to play on")
    parser.add_argument("--from", dest="first", type=int, default=0, help="first number of the plays by chance")
    parser.add_argument("--count", type=int, default=None, help="how many plays by chance")
    return parser.parse_args(arguments)


def _in_process(asked: argparse.Namespace) -> bool:
    _say("In process: the state machine, the handlers and the paper exchange; faults at the ports.")
    count = _BY_CHANCE if asked.count is None else asked.count
    chance = (by_chance(seed) for seed in range(asked.first, asked.first + count))
    return _campaign([*systematic(), *pointed(), *chance], pairs())


def _over_http(asked: argparse.Namespace) -> bool:
    _say("Over HTTP: the same with alpaca-trade-api between handlers and exchange; faults on the wire.")
    count = _ON_THE_WIRE if asked.count is None else asked.count
    chance = (on_the_wire(seed) for seed in range(asked.first, asked.first + count))
    return _campaign([*systematic(http=True), *chance], pairs(http=True))


def _in_the_cloud(_: argparse.Namespace) -> bool:
    return _killings(KILLS)


def _in_months(asked: argparse.Namespace) -> bool:
    _say("Months by a seed: strategies, splits, dividends, gaps, and an owner who trades by hand and changes his mind.")
    count, lived = _MONTHS if asked.count is None else asked.count, []

    def heard(month: Lived) -> None:
        lived.append(month)
        for sentence in month.violations:
            _say(f"VIOLATED by make chaos SEED='month:{month.seed}': {sentence}")

    kept = months.campaign(range(asked.first, asked.first + count), _PROCESSES, heard)
    broken = sum(1 for month in lived if month.violations)
    runs, fills = sum(month.runs for month in lived), sum(month.fills for month in lived)
    _say(f"{len(lived)} months, {runs} runs, {fills} fills; {broken} months with violations\n")
    return kept


_TIERS = {"process": _in_process, "http": _over_http, "cloud": _in_the_cloud, "months": _in_months}
_BY_DEFAULT = ("process", "http", "cloud")  # months take as long as all of these


def _killings(kills: Sequence[Kill]) -> bool:
    _say("In the local cloud: handler processes are killed (SIGKILL) at a call to the outside.")
    ended = []
    for killed in campaign(kills):
        ended.append(killed)
        _say(f"  {killed.kill}: {killed.victims} killed, then {', '.join(killed.ended)} ({killed.seconds:.0f} s)")
        for sentence in killed.violations:
            _say(f"    VIOLATED by make chaos SEED='{killed.kill}': {sentence}")
    missed = [killed for killed in ended if killed.victims != killed.kill.times]
    for killed in missed:
        _say(f"NOT COVERED {killed.kill}: {killed.victims} killed")
    broken = [killed for killed in ended if killed.violations]
    _say(f"{len(ended)} schedules tried, {sum(k.victims for k in ended)} processes killed")
    _say(f"{len(broken)} schedules with violations\n")
    return not broken and not missed


def _campaign(schedules: Sequence[Schedule], to_cover: Iterable[tuple[str, Kind]]) -> bool:
    tally = explore(schedules, _PROCESSES, _say_failure)
    missing = tally.missing(to_cover)
    _say(_coverage(tally))
    _say(f"{tally.schedules} schedules tried in {tally.seconds:.0f} s")
    _say(f"{sum(tally.faults.values())} faults injected: {_counts(tally)}")
    for place, kind in missing:
        _say(f"NOT COVERED {place} {kind}")
    _say(f"{len(tally.failures)} schedules with violations\n")
    return not tally.failures and not missing


def _say_failure(found: Found) -> None:
    if found.violations:
        _say(f"VIOLATED by make chaos SEED='{found.seed}'")
        for sentence in found.violations:
            _say(f"    {sentence}")


def _coverage(tally: Tally) -> str:
    lines = (f"  {place}: {' '.join(sorted(kinds))}" for place, kinds in sorted(tally.covered.items()))
    return "\n".join(["Covered, call by call:", *lines])


def _counts(tally: Tally) -> str:
    return ", ".join(f"{kind.value} {count}" for kind, count in tally.faults.most_common())


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
