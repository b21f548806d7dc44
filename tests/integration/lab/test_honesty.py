"""Strategies that cheat, each in its own way, are found out; honest ones are not accused."""

import json
from datetime import date
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from cli.main import app
from lab.closes import Closes, Window
from lab.forecasts import ForecastStore
from lab.honesty import Difference, Examination, Stage, Status, examine, scenes
from lab.honesty.again import HASH_SEEDS
from openbell.config import PlatformConfig, parse_config
from paper import BarArrays, History
from tests.integration.lab.markets import ohlc_market
from tests.integration.workflow.stage import sample

_UNIVERSE = {"members": "tradable", "size": 6, "lookback": 20}
_FORECAST = {"history": 60, "horizon": 5, "preset": "raw"}

_HEAD = """
import random
import time
from pathlib import Path

import numpy as np
import pandas as pd
from openbell.model import Signal
from openbell.strategies import Context, Parameters, Strategy


def up_or_down(symbol, up):
    return Signal(symbol, 1.0 if up else -1.0, "because")
"""

_HONEST = """
class Own(Strategy[Parameters]):
    def signals(self, context: Context) -> list[Signal]:
        rise = context.closes.iloc[-1] / context.closes.iloc[-6] - 1
        return [up_or_down(symbol, value > 0) for symbol, value in rise.items()]
"""

_READS_ALL_AT_IMPORT = """
PRICES = pd.read_csv({file!r}, parse_dates=["date"]).pivot(index="date", columns="symbol", values="close")


class Own(Strategy[Parameters]):
    def signals(self, context: Context) -> list[Signal]:
        ahead = PRICES.loc[str(context.session):].head(5)
        return [up_or_down(s, len(ahead) and ahead[s].iloc[-1] > context.closes[s].iloc[-1]) for s in context.closes]
"""

_READS_ONLY_THE_PAST = """
class Own(Strategy[Parameters]):
    def signals(self, context: Context) -> list[Signal]:
        prices = pd.read_csv(Path({file!r}))
        past = prices[prices.date < str(context.session)].groupby("symbol").close.last()
        return [up_or_down(s, past[s] > context.closes[s].iloc[-6]) for s in context.closes]
"""

_REACHES_BEHIND_THE_FRAME = """
class Own(Strategy[Parameters]):
    def universe(self, market, size, lookback):
        frame = market.closes
        whole = frame.to_numpy()
        while whole.base is not None and isinstance(whole.base, np.ndarray):
            whole = whole.base
        whole = whole if whole.shape[1] == len(frame.columns) else whole.T
        last = frame.iloc[-1].to_numpy()
        row = int(np.flatnonzero((whole == last).all(axis=1))[0])
        ahead = whole[min(row + 3, len(whole) - 1)] / last
        return tuple(frame.columns[np.argsort(-ahead)][:size])

    def signals(self, context: Context) -> list[Signal]:
        return [up_or_down(symbol, True) for symbol in context.closes]
"""

_COUNTS_IN_ITS_CLASS = """
class Own(Strategy[Parameters]):
    asked = 0

    def signals(self, context: Context) -> list[Signal]:
        Own.asked += 1
        return [up_or_down(symbol, Own.asked % 2) for symbol in context.closes]
"""

_REMEMBERS_IN_ITSELF = """
class Own(Strategy[Parameters]):
    def signals(self, context: Context) -> list[Signal]:
        first = not hasattr(self, "seen")
        self.seen = True
        return [up_or_down(symbol, first) for symbol in context.closes]
"""

_THROWS_DICE = """
class Own(Strategy[Parameters]):
    def signals(self, context: Context) -> list[Signal]:
        return [up_or_down(symbol, random.random() > 0.5) for symbol in context.closes]
"""

_ORDERS_BY_HASH = """
class Own(Strategy[Parameters]):
    def signals(self, context: Context) -> list[Signal]:
        chosen = list(set(context.closes.columns))[:3]
        return [up_or_down(symbol, True) for symbol in chosen]
"""

_LOOKS_AT_ALL_IT_IS_SHOWN = """
class Own(Strategy[Parameters]):
    def signals(self, context: Context) -> list[Signal]:
        return [up_or_down(s, context.closes[s].iloc[-1] > context.closes[s].mean()) for s in context.closes]
"""

_SAYS_NOTHING = """
class Own(Strategy[Parameters]):
    def signals(self, context: Context) -> list[Signal]:
        return []
"""

_RAISES = """
class Own(Strategy[Parameters]):
    def signals(self, context: Context) -> list[Signal]:
        raise RuntimeError("out of ideas")
"""

RUNS, AHEAD, OUTSIDE, TWICE, STATE, WARM, ELSEWHERE = range(7)


@cache
def market() -> History:
    """The last 500 sessions of 12 stocks of the sample."""
    whole = sample()
    return History(whole.symbols[:12], whole.sessions[-500:], BarArrays(close=whole.bars.close[-500:, :12].copy()))


@cache
def as_csv() -> str:
    days = [day.isoformat() for day in market().sessions]
    table = pd.DataFrame(market().bars.close, index=pd.Index(days, name="date"), columns=market().symbols)
    return table.melt(ignore_index=False, var_name="symbol", value_name="close").reset_index().to_csv(index=False)


def config(uses: str) -> PlatformConfig:
    entry = {"uses": uses, "allocation": "1", "universe": _UNIVERSE, "forecast": _FORECAST}
    return parse_config({"strategies": {"own": entry}}, "test")


def examined(uses: str, cuts: int = 3, hash_seeds: tuple[str, ...] = ()) -> Examination:
    stage = Stage(market(), config(uses), "own", ForecastStore(None))
    return examine(stage, scenes(stage, None, None, cuts, seed=0), hash_seeds=hash_seeds)


def own(folder: Path, code: str, cuts: int = 3, hash_seeds: tuple[str, ...] = ()) -> Examination:
    file = folder / "own.py"
    file.write_text(_HEAD + code)
    return examined(f"{file}:Own", cuts, hash_seeds)


def example(found: Examination, question: int) -> Difference:
    verdict = found.verdicts[question]
    assert verdict.status is Status.FOUND
    assert verdict.example
    return verdict.example


def test_an_honest_strategy_of_ones_own_passes_every_question(tmp_path: Path) -> None:
    found = own(tmp_path, _HONEST, hash_seeds=HASH_SEEDS)
    assert [verdict.status for verdict in found.verdicts] == [Status.PASSED] * 7
    assert found.honest
    assert found.signals > 100


@pytest.mark.parametrize("uses", ["mean_reversion", "momentum", "prophet_trend"])
def test_strategies_that_ship_pass(uses: str) -> None:
    parameters = {"mean_reversion": {"trend": 20, "oversold": 50}, "momentum": {"lookback": 40, "skip": 5}}
    entry = {"uses": uses, "allocation": "1", "universe": _UNIVERSE, "forecast": _FORECAST}
    settings = parse_config({"strategies": {"own": entry | {"parameters": parameters.get(uses, {})}}}, "test")
    stage = Stage(ohlc_market(), settings, "own", ForecastStore(None))
    found = examine(stage, scenes(stage, None, None, 2, seed=0), hash_seeds=())
    assert [verdict for verdict in found.verdicts if verdict.status is not Status.PASSED] == []


def test_a_strategy_that_reads_all_prices_when_it_is_imported_is_found_to_look_ahead(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text(as_csv())
    found = own(tmp_path, _READS_ALL_AT_IMPORT.format(file=str(tmp_path / "prices.csv")))
    changed = example(found, AHEAD)
    assert (changed.what, changed.before, changed.after) == ("signal", "1", "-1")
    assert changed.symbol in market().symbols
    assert changed.session in found.sessions
    assert found.verdicts[OUTSIDE].told == f"own.py, line 15 reads {tmp_path}/prices.csv"


def test_a_strategy_that_reads_a_file_and_uses_the_past_of_it_does_not_look_ahead_but_reads(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text(as_csv())
    found = own(tmp_path, _READS_ONLY_THE_PAST.format(file=str(tmp_path / "prices.csv")), cuts=1)
    assert found.verdicts[AHEAD].status is Status.PASSED
    assert "the files that it reads" in found.verdicts[AHEAD].told
    assert found.verdicts[OUTSIDE].status is Status.FOUND
    assert not found.honest


def test_a_ranking_that_reaches_behind_the_frame_it_is_given_is_found(tmp_path: Path) -> None:
    changed = example(own(tmp_path, _REACHES_BEHIND_THE_FRAME), AHEAD)
    assert changed.what == "universe"


def test_a_data_path_that_shows_a_run_its_own_close_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Closes.window

    def one_too_many(self: Closes, today: date, last_complete: date | None, bars: int) -> Window:
        seen = honest(self, today, last_complete, bars)
        return Window(seen.first, min(seen.beyond + 1, len(self.sessions)), seen.late)

    monkeypatch.setattr(Closes, "window", one_too_many)
    changed = example(examined("prophet_trend", cuts=1), AHEAD)
    assert changed.what.startswith("forecast for bar 1")


def test_state_kept_in_the_class_is_found(tmp_path: Path) -> None:
    found = own(tmp_path, _COUNTS_IN_ITS_CLASS)
    assert example(found, STATE).what == "signal"
    assert found.verdicts[AHEAD].status is Status.PASSED


def test_state_kept_in_the_strategy_itself_is_found(tmp_path: Path) -> None:
    found = own(tmp_path, _REMEMBERS_IN_ITSELF, cuts=1)
    changed = example(found, STATE)
    assert (changed.before, changed.after) == ("-1", "1")
    assert "made anew for the run" in found.verdicts[STATE].told


def test_chance_is_found(tmp_path: Path) -> None:
    assert example(own(tmp_path, _THROWS_DICE, cuts=1), TWICE).what == "signal"


def test_an_order_that_hangs_on_hashes_is_found(tmp_path: Path) -> None:
    found = own(tmp_path, _ORDERS_BY_HASH, 1, HASH_SEEDS)
    assert example(found, ELSEWHERE).what == "signal"
    assert found.verdicts[TWICE].status is Status.PASSED


def test_signals_that_hang_on_how_much_is_shown_are_counted(tmp_path: Path) -> None:
    found = own(tmp_path, _LOOKS_AT_ALL_IT_IS_SHOWN)
    assert example(found, WARM).what == "signal"
    assert [row.bars for row in found.warm_up] == [21, 32, 42, found.warm_up[-1].bars]  # 1, 1.5, 2 times 21
    assert found.warm_up[0].largest == 2.0  # from 1 to -1
    assert found.warm_up[0].changed > 0


def test_silence_proves_nothing(tmp_path: Path) -> None:
    found = own(tmp_path, _SAYS_NOTHING, cuts=1)
    assert found.verdicts[RUNS].status is Status.UNPROVEN
    assert not found.honest


def test_a_strategy_that_raises_is_told_with_its_message(tmp_path: Path) -> None:
    assert example(own(tmp_path, _RAISES, cuts=1), RUNS).after == "RuntimeError: out of ideas"


def test_the_command_tells_the_counterexample_and_ends_with_1(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text(as_csv())
    (tmp_path / "own.py").write_text(_HEAD + _READS_ALL_AT_IMPORT.format(file=str(tmp_path / "prices.csv")))
    entry = f"{{uses: own.py:Own, allocation: 1, universe: {_UNIVERSE}, forecast: {_FORECAST}}}"
    (tmp_path / "strategies.yaml").write_text(f"strategies:\n  own: {entry}\n")
    files = ["--config", str(tmp_path / "strategies.yaml"), "--bars", str(tmp_path / "prices.csv")]
    told = CliRunner().invoke(app, ["check", "own", *files, "--cuts", "1"])
    assert told.exit_code == 1
    assert "was 1, became -1" in told.stdout
    assert "own: 2 answers of 7 were not what they should be." in told.stdout


def test_the_command_answers_in_json_and_with_0_for_an_honest_strategy(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text(as_csv())
    told = CliRunner().invoke(
        app, ["check", "sma_cross", "--cuts", "1", "--bars", str(tmp_path / "prices.csv"), "--json"]
    )
    answer = json.loads(told.stdout)
    assert (told.exit_code, answer["honest"], answer["strategy"]) == (0, True, "sma_cross")
    assert {verdict["status"] for verdict in answer["verdicts"]} == {"passed"}
    assert answer["warm_up"][-1]["changed"] == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["near_hgih"], "unknown strategy near_hgih"),
        (["momentum", "--cuts", "0"], "--cuts 0: expected a number of sessions from 1 to 1000"),
        (["momentum", "--from", "2023-01-01"], "no session to look at from 2023-01-01"),
        (["momentum", "--to", "yesterday"], "--to yesterday: expected a date"),
    ],
)
def test_wrong_input_is_told_and_ends_with_2(arguments: list[str], told: str) -> None:
    ended = CliRunner().invoke(app, ["check", *arguments])
    assert ended.exit_code == 2
    assert told in " ".join(ended.stderr.split())
