"""A search's results as JSON-able data: what --json prints and what is written to the reports."""

import json
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from cli.trials.search import Search
from lab import metrics
from lab.trials import FoldResult, Luck, TrialResult, WalkForward
from openbell.codec import to_plain

type Json = dict[str, Any]


def sweep_answer(search: Search, results: Sequence[TrialResult], best: TrialResult | None, luck: Luck | None) -> Json:
    """Every trial, the best one, and how much of it may be luck."""
    known: Json = _known(
        {
            **_provenance(search),
            "trials": [_result(result) for result in results],
            "failed": sum(bool(result.error) for result in results),
            "best": _result(best) if best else None,
            "luck": to_plain(luck),
        }
    )
    return known


def walk_forward_answer(search: Search, found: WalkForward, luck: Luck | None) -> Json:
    """Every fold, the stitched out-of-sample series, and how much of it may be luck."""
    inside, outside = found.mean_sharpes()
    known: Json = _known(
        {
            **_provenance(search),
            "folds": [_fold(fold) for fold in found.folds],
            "trials": len(found.results),
            "failed": sum(bool(result.error) for result in found.results),
            "out_of_sample": stitched(found),
            "mean_sharpe": {"in_sample": inside, "out_of_sample": outside},
            "luck": to_plain(luck),
        }
    )
    return known


def stitched(found: WalkForward) -> Json:
    """Figures of the out-of-sample returns one after the other; empty if there are none."""
    returns = found.returns
    if not len(returns):
        return {}
    return {
        "sessions": len(returns),
        "sharpe": metrics.sharpe(returns),
        "cagr": metrics.cagr(returns),
        "volatility": metrics.volatility(returns),
        "max_drawdown": metrics.max_drawdown(returns),
        "total_return": metrics.total_return(returns),
        "returns": [float(value) for value in returns],
    }


def write_answer(answer: Json, path: Path) -> None:
    """Write it as JSON; OSError if that cannot be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(answer, indent=1) + "\n")


def _provenance(search: Search) -> Json:
    return {
        **search.asked,
        "data": search.market.source,
        "data_hash": search.data_hash,
        "terms": {name: to_plain(value) for name, value in vars(search.terms).items() if name != "members"},
        "members": search.terms.members.source if search.terms.members else None,
        "seed": search.seed,
        "config": search.config.only((search.grid.strategy,)).model_dump(mode="json"),
    }


def _fold(found: FoldResult) -> Json:
    return {
        **to_plain(found.fold),
        "chosen": _result(found.chosen) if found.chosen else None,
        "out_of_sample": _result(found.out_of_sample) if found.out_of_sample else None,
        "trials": [_result(result) for result in found.in_sample],
    }


def _result(result: TrialResult) -> Json:
    figures = result.figures
    told = {} if figures is None else {"annual_sharpe": figures.annual_sharpe, **to_plain(figures)}
    told.pop("packed_returns", None)
    chosen = to_plain(result.trial.combination)
    named = {section: values for section, values in chosen.items() if values}
    return {**named, "figures": told or None, "error": result.error, "troubles": list(result.troubles)}


def _known(value: Any) -> Any:
    """JSON knows no NaN: what is not known is null."""
    if isinstance(value, dict):
        return {key: _known(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_known(part) for part in value]
    return None if isinstance(value, float) and not isfinite(value) else value
