"""The questions that a strategy is asked, and its answers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from lab.honesty.again import HASH_SEEDS, repeated_elsewhere
from lab.honesty.facts import Days, count_signals, facts_of, first_difference
from lab.honesty.futures import Future, with_future
from lab.honesty.outside import Reach, files_as_of, watched
from lab.honesty.own_code import files_of, forget
from lab.honesty.playing import Played, Scene, Stage, pairs, play, play_all
from lab.honesty.verdicts import Difference, Status, Verdict, WarmUpRow
from lab.honesty.warm_up import warm_up
from lab.quick_run import Ran
from openbell.decision import decide
from openbell.runs import Universes
from openbell.strategies import build_strategies, build_strategy

type OnProgress = Callable[[str], None]


@dataclass(frozen=True)
class Examination:
    """All verdicts on a strategy."""

    strategy: str
    sessions: tuple[date, ...]  # behind each of which the future was changed
    runs: int
    signals: int
    verdicts: tuple[Verdict, ...]
    warm_up: tuple[WarmUpRow, ...]

    @property
    def honest(self) -> bool:
        """Whether every question was answered well."""
        return all(verdict.status is Status.PASSED for verdict in self.verdicts)


def examine(
    stage: Stage,
    scenes: Sequence[Scene],
    seed: int = 0,
    on_progress: OnProgress | None = None,
    hash_seeds: Sequence[str] = HASH_SEEDS,
) -> Examination:
    """Ask a strategy all questions over `scenes`. Raises ConfigError if its code cannot be made, and ProcessFailed.

    Without `hash_seeds` no other process is asked.
    """
    tell = on_progress or (lambda _: None)
    sources = files_of(build_strategy(stage.name, stage.entry), stage.entry)
    ends = sorted({scene.last for scene in scenes})
    with repeated_elsewhere(stage, scenes, hash_seeds) as elsewhere:
        tell("the runs as they are")
        with watched(sources) as reach:
            played = {scene: play(stage, scene) for scene in scenes}
        before: Played = {scene: days for scene, (days, _) in played.items()}
        tell("other futures")
        verdicts = [_spoke(before, ends), _look_ahead(stage, before, reach, seed), _outside(reach)]
        tell("the same once more")
        verdicts += [_repeated(stage, before), _state(stage, played)]
        tell("fewer bars")
        rows = warm_up(stage, ends)
        verdicts += [_warm(rows), *_elsewhere(before, elsewhere.wait())]
    runs, signals = sum(map(len, before.values())), sum(map(count_signals, before.values()))
    return Examination(stage.name, tuple(ends), runs, signals, tuple(verdicts), tuple(rows))


def _spoke(before: Played, ends: Sequence[date]) -> Verdict:
    """Without signals nothing is proven."""
    signals, spoken = sum(map(count_signals, before.values())), _with_signals(before, ends)
    failed = _failure(before)
    told = f"{signals:,} signals; in {spoken} of the {len(ends)} sessions behind which the future is changed"
    status = Status.FOUND if failed else Status.PASSED if spoken else Status.UNPROVEN
    return Verdict("It runs and gives signals", status, told, failed)


def _with_signals(before: Played, ends: Sequence[date]) -> int:
    spoken = {scene.last for scene, days in before.items() if count_signals({scene.last: days.get(scene.last, {})})}
    return len(spoken & set(ends))


def _failure(before: Played) -> Difference | None:
    for days in before.values():
        for day, facts in sorted(days.items()):
            if ("failure", "") in facts:
                return Difference(day, "failure", "", "expected to run", str(facts["failure", ""]))
    return None


def _look_ahead(stage: Stage, before: Played, reach: Reach, seed: int) -> Verdict:
    question = "Decisions do not depend on what comes after them"
    for future in Future:
        for number, scene in enumerate(before):
            changed = stage.with_history(with_future(stage.history, scene.last, future, seed + number))
            found = first_difference(before[scene], play(changed, scene)[0])
            if found:
                return Verdict(question, Status.FOUND, f"with all that follows {scene.last} {_DONE[future]}", found)
    told = "with all that follows removed, shuffled, and replaced by noise"
    return _look_ahead_in_files(stage, before, reach, question, told) if reach.files else _passed(question, told)


_DONE: Mapping[Future, str] = {
    Future.REMOVED: "removed",
    Future.SHUFFLED: "shuffled",
    Future.NOISE: "replaced by noise",
}


def _look_ahead_in_files(stage: Stage, before: Played, reach: Reach, question: str, told: str) -> Verdict:
    """The same, with the files that it reads as they would have been on the day."""
    files = tuple(reach.files)
    for scene, days in before.items():
        with files_as_of(scene.last, files) as uncut:
            found = first_difference(days, play(stage, scene)[0])
        if found:
            names = ", ".join(str(file) for file in files if file not in uncut)
            return Verdict(question, Status.FOUND, f"with {names} as it would have been before {scene.last}", found)
    if uncut:
        names = ", ".join(map(str, uncut))
        return Verdict(question, Status.UNPROVEN, f"it reads {names}, which cannot be cut at a date")
    return _passed(question, f"{told}, in the data and in the files that it reads")


def _outside(reach: Reach) -> Verdict:
    question = "It looks at nothing but its context"
    found = [f"{line} reads {path}" for path, line in reach.files.items()]
    found += [f"{line} causes {event}" for event, line in reach.others.items()]
    if found:
        return Verdict(question, Status.FOUND, "; ".join(found))
    return _passed(question, "no file and no connection was opened by its code")


def _repeated(stage: Stage, before: Played) -> Verdict:
    return _same("The same inputs give the same decisions", "played twice", before, play_all(stage, list(before)))


def _elsewhere(before: Played, answers: Sequence[Played]) -> list[Verdict]:
    question, told = "Another process decides the same", f"in {len(answers)} that order sets and hashes otherwise"
    found = [_same(question, told, before, answer) for answer in answers]
    return sorted(found, key=lambda verdict: verdict.status is not Status.FOUND)[:1]


def _state(stage: Stage, played: Mapping[Scene, tuple[Days, list[Ran]]]) -> Verdict:
    """Runs in another order in one process, and each run once more with a strategy that is made anew for it."""
    question = "It keeps nothing from one run to the next"
    before = {scene: days for scene, (days, _) in played.items()}
    forget(stage.entry)
    backwards = play_all(stage, list(before)[::-1], anew=False)
    verdict = _same(question, "the same runs, the last ones first", before, backwards)
    if verdict.status is Status.FOUND:
        return verdict
    for scene, (days, runs) in played.items():
        for run in runs:
            found = first_difference(_of_run(run, days), _made_anew(stage, run))
            if found:
                return Verdict(question, Status.FOUND, f"made anew for the run, not in {scene.first}", found)
    return _passed(question, "runs in reverse order, and each with a strategy that was made for it alone")


def _of_run(run: Ran, days: Days) -> Days:
    session = run.inputs.clock.session
    return {session: days[session]}


def _made_anew(stage: Stage, run: Ran) -> Days:
    forget(stage.entry)
    universes = Universes(run.decisions.universe)
    again = decide(run.inputs, run.snapshot, universes, run.forecasts, build_strategies(stage.config))
    return {run.inputs.clock.session: facts_of(Ran(run.inputs, run.snapshot, again, run.forecasts), stage.name)}


def _same(question: str, told: str, before: Played, after: Played) -> Verdict:
    found = next(_all_differences(before, after), None)
    return Verdict(question, Status.FOUND, told, found) if found else _passed(question, told)


def _all_differences(before: Played, after: Played) -> Iterator[Difference]:
    for one, other in pairs(before, after):
        if found := first_difference(one, other):
            yield found


def _warm(rows: Sequence[WarmUpRow]) -> Verdict:
    question = "It is shown enough bars"
    shown = rows[-1]
    told = f"{shown.changed} of {shown.signals:,} signals look another way when it is shown many more than {shown.bars}"
    return Verdict(question, Status.FOUND if shown.changed else Status.PASSED, told, shown.example)


def _passed(question: str, told: str) -> Verdict:
    return Verdict(question, Status.PASSED, told)
