"""Forecasts and their record for programs: one JSON object. Ratios are fractions; what is not known is null."""

import json
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import Any

from cli.forecasting.ahead import Outlook, Outlooks
from cli.forecasting.past import Record, verdict_on, verdicts
from openbell.accuracy import Accuracy


def outlooks_answer(outlooks: Outlooks, plot: Path | None) -> str:
    """The forecasts as JSON; prices in USD."""
    answer = {
        "as_of": outlooks.as_of.isoformat(),
        "source": outlooks.source,
        "forecasts": [_outlook(outlook) for outlook in outlooks.made],
        "failed": dict(outlooks.failed),
        "plot": str(plot.resolve()) if plot else None,
    }
    return json.dumps(answer, indent=1)


def record_answer(record: Record) -> str:
    """The record as JSON, by horizon in bars and by ticker."""
    answer = {
        "from": record.first.isoformat(),
        "to": record.last.isoformat(),
        "sessions": record.sessions,
        "interval_width": record.interval_width,
        "horizons": {str(horizon): accuracy_answer(found) for horizon, found in record.horizons.items()},
        "tickers": {ticker: accuracy_answer(found) for ticker, found in record.tickers.items()},
        "overall": accuracy_answer(record.overall),
        "verdict": " ".join(verdicts(record)),
        "failed": {ticker: {"forecasts": n, "last_reason": why} for ticker, (n, why) in record.failed.items()},
    }
    return json.dumps(answer, indent=1)


def _outlook(outlook: Outlook) -> dict[str, Any]:
    result = outlook.result
    bars = zip(result.sessions, result.yhat, result.yhat_lower, result.yhat_upper, outlook.came, strict=True)
    return {
        "symbol": outlook.ticker,
        "last_close": result.last_close,
        "engine": result.engine,
        "skill": result.skill,
        "naive_is_better": None if result.skill is None else not result.skill > 0,
        "scored": outlook.scored if result.skill is not None else 0,
        "interval_width": result.interval_width,
        "bars": [
            {
                "session": session.isoformat(),
                "yhat": float(yhat),
                "yhat_lower": float(lower),
                "yhat_upper": float(upper),
                "came": _number(came),
            }
            for session, yhat, lower, upper, came in bars
        ],
    }


def accuracy_answer(found: Accuracy) -> dict[str, Any]:
    """The means and what they say."""
    figures = {name: _number(value) for name, value in asdict(found).items()}
    return {**figures, "skill": _number(found.skill), "verdict": verdict_on(found)}


def _number(value: float) -> float | None:
    return value if isfinite(value) else None
