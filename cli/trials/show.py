"""How a search's results are told: a file in any case, and tables or JSON."""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import RenderableType
from rich.markup import escape

from cli.consoles import results as results_console
from cli.trials.answer import Json, sweep_answer, walk_forward_answer, write_answer
from cli.trials.search import Search
from cli.trials.tables import sweep_tables, walk_forward_tables
from lab.trials import TrialResult, WalkForward, best_of, luck_of


def show_sweep(search: Search, results: Sequence[TrialResult], path: Path, *, as_json: bool) -> None:
    """The trials, the best first."""
    best = best_of(results)
    sharpes = [result.figures.sharpe for result in results if result.figures]
    luck = luck_of(best.figures.returns, sharpes, search.seed) if best and best.figures else None
    _tell(sweep_answer(search, results, best, luck), sweep_tables(search, results, luck), path, as_json=as_json)


def show_walk_forward(search: Search, found: WalkForward, path: Path, *, as_json: bool) -> None:
    """The folds, and what they come to out of sample."""
    returns = found.returns
    luck = luck_of(returns, found.trial_sharpes, search.seed) if len(returns) else None
    _tell(
        walk_forward_answer(search, found, luck),
        walk_forward_tables(search, found, luck),
        path,
        as_json=as_json,
    )


def _tell(answer: Json, tables: Iterable[RenderableType], path: Path, *, as_json: bool) -> None:
    write_answer(answer, path)
    if as_json:
        sys.stdout.write(json.dumps({**answer, "report": str(path)}, indent=1) + "\n")
        return
    console = results_console()
    for table in tables:
        console.print(table, highlight=False)
    console.print(f"Every trial: {escape(str(path))}", soft_wrap=True)
