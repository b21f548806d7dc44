"""A search's results on the terminal."""

from collections import Counter
from collections.abc import Iterable, Sequence
from math import isnan

from rich.console import RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from cli.formats import MINUS, count, percent
from cli.grid import grid
from cli.trials.answer import stitched
from cli.trials.search import Search
from lab.membership import coverage
from lab.trials import FoldResult, Luck, TrialFigures, TrialResult, WalkForward

_SHOWN = 10  # trials of a sweep
_REASONS = 5  # of failed trials
_UNKNOWN = "\N{EN DASH}"
_CONVINCING = 0.95  # deflated


def sweep_tables(search: Search, results: Sequence[TrialResult], luck: Luck | None) -> Iterable[RenderableType]:
    """The best trials, what their best is worth, and why others failed."""
    played = [result for result in results if result.figures]
    ranked = sorted(played, key=lambda result: -_sharpe(result))
    if luck and ranked:
        yield Panel(_of_the_best(ranked[0], luck), border_style=_border(luck))
        yield _best(ranked[:_SHOWN], len(played))
        yield _candidates(search)
    yield from _failures(results)


def walk_forward_tables(search: Search, found: WalkForward, luck: Luck | None) -> Iterable[RenderableType]:
    """What held out of sample, fold by fold, and what of it may be luck."""
    if luck:
        yield Panel(_out_of_sample(found, luck), border_style=_border(luck))
    yield _folds(found.folds)
    yield _candidates(search)
    if (end := found.folds[-1].fold.out_last) < search.sessions[-1]:
        yield f"After {end} fewer sessions are left than an out-of-sample window has: they were not played."
    yield from _failures([*found.results, *(fold.out_of_sample for fold in found.folds if fold.out_of_sample)])


def _candidates(search: Search) -> str:
    if search.terms.members:
        return escape(coverage(search.terms.members, search.sessions, search.market.history.symbols).told)
    return "The symbols are those that lasted: survivorship bias flatters every line."


def _border(luck: Luck) -> str:
    return "green" if luck.deflated >= _CONVINCING else "yellow"


def _of_the_best(best: TrialResult, luck: Luck) -> str:
    return (
        f"[bold]The best: {escape(str(best.trial.combination))}[/]\n"
        f"Sharpe {_number(luck.annual_sharpe)} a year in sample; {_interval(luck)}.\n{_chances(luck)}\n"
        "It was chosen by the same history that it is judged by: a walk-forward tells what such a choice keeps."
    )


def _out_of_sample(found: WalkForward, luck: Luck) -> str:
    figures = stitched(found)
    inside, outside = found.mean_sharpes()
    kept = f"{percent(outside / inside, 0)} of it was kept" if inside > 0 else "there was nothing to keep"
    kept = "nothing was lost" if 0 < inside <= outside else kept
    different = len({str(combination) for combination in found.chosen})
    return (
        f"[bold]Out of sample: Sharpe {_number(luck.annual_sharpe)} a year[/] over {figures['sessions']:,} sessions; "
        f"{_interval(luck)}.\n"
        f"Growth {percent(figures['cagr'])} a year, deepest drawdown {percent(figures['max_drawdown'])}.\n"
        f"What was chosen had a Sharpe ratio of {_number(inside)} in sample and of {_number(outside)} afterwards, in "
        f"the mean of the folds: {kept}. {count(different, 'combination')} chosen in "
        f"{count(len(found.chosen), 'fold')}.\n{_chances(luck)}"
    )


def _interval(luck: Luck) -> str:
    if isnan(luck.low):
        return "the series is too short for an interval"
    return f"95{_NBSP}% of resampled histories: {_number(luck.low)} to {_number(luck.high)}"


_NBSP = "\N{NO-BREAK SPACE}"


def _chances(luck: Luck) -> str:
    return (
        f"Chance that the true ratio is above 0: {_chance(luck.probabilistic)}; above what the best of "
        f"{count(luck.trials, 'combination')} without any skill would show: {_chance(luck.deflated)} (deflated)."
    )


def _best(ranked: Sequence[TrialResult], played: int) -> Table:
    table = grid(f"The best {len(ranked)} of {played:,} trials", "Combination", *_COLUMNS)
    for result in ranked:
        table.add_row(escape(str(result.trial.combination)), *_cells(result.figures))
    return table


_COLUMNS = (">Sharpe", ">Growth a year", ">Drawdown", ">Trades", ">Turnover a year", ">Equity at the end, USD")


def _cells(figures: TrialFigures | None) -> tuple[str, ...]:
    if figures is None:
        return (_UNKNOWN,) * len(_COLUMNS)
    return (
        _number(figures.annual_sharpe),
        percent(figures.cagr),
        percent(figures.max_drawdown),
        str(figures.trades),
        _number(figures.turnover),
        f"{figures.final_equity:,.0f}",
    )


def _folds(folds: Sequence[FoldResult]) -> Table:
    columns = (">Sharpe in", ">out", ">Growth in", ">out", ">Drawdown", ">Trades")
    table = grid("In sample beside out of sample", ">Fold", "Searched", "Played", "Chosen", *columns)
    for found in folds:
        fold = found.fold
        inside = _cells(found.chosen.figures if found.chosen else None)
        outside = _cells(found.out_of_sample.figures if found.out_of_sample else None)
        table.add_row(
            str(fold.number),
            f"{fold.in_first} to {fold.in_last}",
            f"{fold.out_first} to {fold.out_last}",
            escape(str(found.chosen.trial.combination)) if found.chosen else "[red]every trial failed[/]",
            *(inside[0], outside[0], inside[1], outside[1], outside[2], outside[3]),
        )
    return table


def _failures(results: Sequence[TrialResult]) -> Iterable[str]:
    failed = [result for result in results if result.error]
    if failed:
        yield f"[red]{len(failed):,} of {count(len(results), 'trial')} failed[/]; the others are not affected:"
    reasons = Counter(result.error for result in failed)
    for reason, times in reasons.most_common(_REASONS):
        first = next(result for result in failed if result.error == reason)
        more = f" and {times - 1:,} more" if times > 1 else ""
        yield f"  {escape(str(first.trial.combination))}{more}: {escape(reason)}"
    if len(reasons) > _REASONS:
        yield f"  and {len(reasons) - _REASONS:,} other reasons, in the file"
    troubled = [result for result in results if result.troubles]
    if troubled:
        first = troubled[0]
        yield (
            f"[yellow]{count(len(troubled), 'trial')} with runs that came to nothing[/], such as "
            f"{escape(str(first.trial.combination))}: {escape(first.troubles[0])}"
        )


def _sharpe(result: TrialResult) -> float:
    return result.figures.sharpe if result.figures else float("-inf")


def _chance(value: float) -> str:
    return "not known" if isnan(value) else percent(value, 0)


def _number(value: float) -> str:
    return _UNKNOWN if isnan(value) else f"{value:.2f}".replace("-", MINUS)
