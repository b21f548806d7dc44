"""How much signals change with the number of bars that a strategy is shown."""

from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np
import pandas as pd

from lab.closes import Closes, Window
from lab.honesty.facts import NOTHING
from lab.honesty.playing import Scene, Stage, play
from lab.honesty.verdicts import Difference, WarmUpRow
from lab.quick_run import Ran
from openbell.forecasts import Forecast
from openbell.snapshot import Quality
from openbell.strategies import Context, Signal, build_strategy
from openbell.workflow.select_universe import bars_wanted

_TIMES = (1.0, 1.5, 2.0)  # the lookback
_SHOWN = "what a run shows it"
_MANY = 4  # times what a run shows: what all is compared with

type Scores = dict[tuple[date, str], float]  # by session and symbol; a symbol without a signal is missing


def warm_up(stage: Stage, sessions: Sequence[date]) -> list[WarmUpRow]:
    """Signals from few bars beside those from many, on `sessions`; the last row is what a run shows the strategy.

    Universe and prices are those of the run of each session; the strategy holds nothing.
    """
    runs = [run for day in sessions for run in play(stage, Scene(day, day))[1]]
    shown = bars_wanted(stage.config, (stage.name,))
    lookback = stage.entry.universe.lookback + 1
    meanings = {round(lookback * times): f"{times:g} x its lookback" for times in _TIMES}
    fewest = _fewest(stage)
    meanings = {bars: told for bars, told in meanings.items() if fewest <= bars < shown} | {shown: _SHOWN}
    histories = [(run, _history(stage, run)) for run in runs]
    many = _scores(stage, histories, _MANY * shown)
    return [_row(bars, told, _scores(stage, histories, bars), many) for bars, told in meanings.items()]


def _fewest(stage: Stage) -> int:
    """A forecast is made from as many bars as it is told to: with fewer it is another one."""
    asks = build_strategy(stage.name, stage.entry).needs_forecasts
    return stage.entry.forecast.bars if asks else 1


def _history(stage: Stage, run: Ran) -> pd.DataFrame:
    """All closes before the run's session of the symbols that the strategy looked at."""
    rules, session = run.inputs.config.data, run.inputs.clock.session
    closes = Closes(stage.history, Quality(max_jump=rules.max_jump, max_age_sessions=rules.max_age_sessions))
    closes.as_of(session)
    symbols = [str(symbol) for symbol in run.snapshot.closes.columns]
    columns = np.array([closes.columns[symbol] for symbol in symbols], dtype=np.intp)
    return pd.DataFrame(closes.table(Window(0, closes.row_of(session), late=False), columns))


def _scores(stage: Stage, histories: Sequence[tuple[Ran, pd.DataFrame]], bars: int) -> Scores:
    found: Scores = {}
    for run, history in histories:
        for signal in _signals(stage, run, history.iloc[-bars:]):
            found[run.inputs.clock.session, signal.symbol] = signal.score
    return found


def _signals(stage: Stage, run: Ran, closes: pd.DataFrame) -> list[Signal]:
    """What the strategy says of `closes`; nothing if it cannot bear so few."""
    strategy = build_strategy(stage.name, stage.entry)
    known = [symbol for symbol in run.decisions.universe[stage.name] if symbol in closes.columns]
    forecasts: dict[str, Forecast] = {}
    if strategy.needs_forecasts:
        forecasts = dict(stage.store.get(closes, sorted(known), stage.entry.forecast).made)
    prices = {symbol: run.snapshot.prices[symbol] for symbol in known if symbol in run.snapshot.prices}
    context = Context(run.inputs.clock.session, closes[known], prices, forecasts, {}, None)
    try:
        return strategy.signals(context)
    except Exception:  # told as signals that are missing: the backtest itself names what a strategy raises
        return []


def _row(bars: int, meaning: str, few: Scores, many: Scores) -> WarmUpRow:
    found = sorted(_gaps(few, many), key=lambda gap: (-gap[0], gap[1].session, gap[1].symbol))
    changed = sum(_side(few.get(key)) != _side(many.get(key)) for key in few.keys() | many.keys())
    largest, example = found[0] if found else (0.0, None)
    return WarmUpRow(bars, meaning, len(few.keys() | many.keys()), changed, largest, example)


def _gaps(few: Scores, many: Scores) -> Iterator[tuple[float, Difference]]:
    for key in few.keys() | many.keys():
        one, other = few.get(key), many.get(key)
        gap = abs((one or 0.0) - (other or 0.0))
        if gap > 0 or (one is None) != (other is None):
            yield gap, Difference(key[0], "signal", key[1], _told(other), _told(one))


def _side(score: float | None) -> int:
    return 0 if score is None else int(np.sign(score))


def _told(score: float | None) -> str:
    return NOTHING if score is None else f"{score:.6g}"
