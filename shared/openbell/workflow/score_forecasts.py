"""Part of CloseRun: earlier forecasts whose bars have arrived are scored, and the record of their strategy grows."""

from collections.abc import Mapping
from datetime import date

import pandas as pd

from openbell.codec import from_json
from openbell.forecasting.scoring import BarScore, score, tally
from openbell.forecasts import Forecast, spec_id
from openbell.model import NEW_YORK, Run, RunStatus
from openbell.ports import Archive, Ledger
from openbell.runs import RunInputs, inputs_key, recent_closes_key
from openbell.snapshot import read_closes
from openbell.strategies import build_each

_RUNS = 600  # looked through for earlier forecasts: three weeks of one every 15 minutes


def score_forecasts(run: Run, *, ledger: Ledger, archive: Archive) -> None:
    """Score the sessions that the run's closes show for the first time, for each of its forecasting strategies.

    Every session is scored once, by the forecasts of the last run of each earlier day. A forecast under an earlier
    specification is not the strategy's any more. A run that did not get as far as prices scores nothing.
    """
    try:
        inputs = from_json(RunInputs, archive.get(inputs_key(run.run_id)))
        closes = read_closes(archive.get(recent_closes_key(run.run_id)))
    except KeyError:
        return
    strategies = build_each(inputs.config).strategies
    for name in inputs.strategies:
        if name in strategies and strategies[name].needs_forecasts:
            spec = inputs.config.strategies[name].forecast
            _score_strategy(name, spec_id(spec), closes.iloc[-spec.horizon :].index, run, closes, ledger)


def _score_strategy(name: str, spec: str, candidates: pd.Index, run: Run, closes: pd.DataFrame, ledger: Ledger) -> None:
    sessions = [stamp.date() for stamp in pd.DatetimeIndex(candidates)]
    known = ledger.accuracy(name, since=sessions[0])
    due = [session for session in sessions if session not in known]
    if not due:
        return
    bars = pd.DatetimeIndex(closes.index)
    first = int(bars.searchsorted(pd.Timestamp(due[0]))) - len(sessions) + 1  # no older forecast reaches so far
    oldest = bars[max(0, first)].date()
    forecasts = [
        forecast
        for earlier in _last_of_each_day(name, run, oldest, ledger)
        for forecast in ledger.forecasts(earlier.run_id, spec).values()
    ]
    for session in due:
        scores = [one for forecast in forecasts for one in _score_at(session, forecast, closes)]
        if scores:
            ledger.save_accuracy(name, session, tally(scores))


def _last_of_each_day(name: str, run: Run, oldest: date, ledger: Ledger) -> list[Run]:
    """The newest completed run of each day before this one's that the strategy took part in, oldest first."""
    by_day: dict[date, Run] = {}
    for earlier in ledger.runs(_RUNS):
        day = earlier.as_of.astimezone(NEW_YORK).date()
        took_part = name in earlier.strategies and earlier.status is RunStatus.COMPLETED
        if took_part and oldest <= day < run.as_of.astimezone(NEW_YORK).date():
            by_day.setdefault(day, earlier)
    return [by_day[day] for day in sorted(by_day)]


def _score_at(session: date, forecast: Forecast, closes: pd.DataFrame) -> list[BarScore]:
    """The forecast's score of one session, in today's shares; nothing if it does not reach it or has no scale."""
    if session not in forecast.sessions or not forecast.naive_scale or forecast.symbol not in closes.columns:
        return []
    prices = _by_date(closes[forecast.symbol])
    before = [day for day in prices if day < forecast.sessions[0]]
    if session not in prices or not before:
        return []
    rescale = prices[before[-1]] / forecast.last_close
    return score(forecast, {session: prices[session]}, rescale)


def _by_date(column: "pd.Series[float]") -> Mapping[date, float]:
    present = column.dropna()
    return dict(zip((stamp.date() for stamp in pd.DatetimeIndex(present.index)), present.tolist(), strict=True))
