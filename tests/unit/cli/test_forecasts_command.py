"""`openbell forecasts score`: what forecasts of the past were worth beside "tomorrow equals today"."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from cli.forecasting.past import rows_of, score_past, verdict_on, verdicts
from cli.main import app
from openbell.accuracy import Tally
from openbell.errors import InvalidInput
from openbell.forecasting.options import ForecastOptions
from openbell.forecasting.scoring import tally
from openbell.forecasting.walk_forward import walk_forward
from tests.unit.forecasting.series import closes_until, frame_of, walk

OPTIONS = ForecastOptions(horizon=10)
WINDOW = ("--from", "2021-01-04", "--to", "2021-12-31", "--symbols", "AAPL,KO", "--every", "20")


def openbell(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["forecasts", "score", *arguments])


def words(text: str) -> str:
    return " ".join(text.split())


def answer(*arguments: str) -> dict[str, Any]:
    told = openbell(*arguments, "--json")
    assert told.exit_code == 0, told.stderr
    found: dict[str, Any] = json.loads(told.stdout)  # the progress bar is on stderr
    return found


def trend(bars: int) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """A price that rises steadily, with a little noise."""
    return np.asarray(100 * 1.002 ** np.arange(bars) * walk(bars, start=1, volatility=0.0005), dtype=np.float64)


def test_every_row_has_enough_bars_before_it_and_a_horizon_after_it() -> None:
    closes = frame_of(AB=walk(140))
    # 63 fitted, 40 scored, 10 ahead: 113 bars, so the first row is 112; the last has 10 bars after it: 139 - 10 = 129.
    assert list(rows_of(closes, OPTIONS, None, None, 5)) == [112, 117, 122, 127]
    assert list(rows_of(closes, OPTIONS, None, None, 1))[-1] == 129


def test_the_dates_are_included_on_both_sides() -> None:
    closes = frame_of(AB=walk(140))
    days = [stamp.date() for stamp in pd.DatetimeIndex(closes.index)]
    assert list(rows_of(closes, OPTIONS, days[120], days[122], 1)) == [120, 121, 122]


def test_a_span_without_a_session_to_forecast_from_says_what_is_needed() -> None:
    closes = frame_of(AB=walk(140))
    with pytest.raises(InvalidInput, match=r"no session up to 2022-06-20 has 113 bars up to it and 10 after"):
        rows_of(closes, OPTIONS, None, date(2022, 6, 20), 1)


def test_the_record_sums_what_the_walk_gave() -> None:
    closes = closes_until("2022-06-15", 400, "AAPL", "KO")
    record = score_past(closes, range(200, 300, 50), OPTIONS)
    steps = list(walk_forward(closes, [200, 250], OPTIONS, 504 + 252))
    ours = tally(one for step in steps for one in step.scores if one.symbol == "KO")
    assert record.sessions == 2
    assert record.tallies["KO"][10] == ours[10]
    assert record.overall.bars == 2 * 2 * 10  # sessions, tickers, horizons
    assert record.horizons[10].bars == 2 * 2
    assert list(record.told) == [1, 5, 10]


def test_the_answer_has_every_horizon_and_every_ticker() -> None:
    found = answer(*WINDOW)
    assert (found["from"], found["to"], found["sessions"]) == ("2021-01-04", "2021-12-15", 13)  # 12 * 20 sessions later
    assert list(found["horizons"]) == [str(horizon) for horizon in range(1, 11)]
    assert set(found["tickers"]) == {"AAPL", "KO"}
    at_5 = found["horizons"]["5"]
    assert at_5["bars"] == 26
    assert at_5["skill"] == pytest.approx(1 - at_5["mase"] / at_5["naive_mase"])
    assert {"mape", "hit_rate", "coverage", "pinball", "verdict"} <= set(at_5)


def test_raw_forecasts_of_stocks_lose_against_naive_and_the_table_says_so() -> None:
    told = openbell(*WINDOW, "--preset", "raw")
    assert told.exit_code == 0
    assert told.stdout.count("naive is better by") == 3  # at 1, 5 and 10 bars
    assert "Naive is better: the mean error is" in told.stdout
    assert "too narrow" in told.stdout


def test_forecasts_of_a_trend_win_against_naive(tmp_path: Path) -> None:
    days = pd.DatetimeIndex(closes_until("2022-06-15", 300).index)
    path = tmp_path / "bars.csv"
    pd.DataFrame({"date": days.strftime("%Y-%m-%d"), "symbol": "AB", "close": trend(300)}).to_csv(path, index=False)
    found = answer("--bars", str(path), "--horizon", "5")
    assert found["overall"]["skill"] > 0.2
    assert found["horizons"]["5"]["hit_rate"] == 1
    assert found["overall"]["verdict"].startswith("better than naive by")
    assert "smaller than that of naive" in found["verdict"]


def test_a_ticker_that_begins_later_is_counted_where_it_could_not_be_forecast() -> None:
    closes = frame_of(OLD=walk(200), NEW=np.concatenate([np.full(60, np.nan), walk(140, seed=2)]))
    record = score_past(closes, range(150, 190, 10), OPTIONS)
    # 60 bars later: rows 150 and 160 have 91 and 101 bars of NEW, 170 and 180 have 111 and 121; 113 are needed.
    number, reason = record.failed["NEW"]
    assert number == 3
    assert "only 111 bars" in reason
    assert (record.tallies["OLD"][1].bars, record.tallies["NEW"][1].bars) == (4, 1)


def test_where_nothing_can_be_forecast_it_is_an_error() -> None:
    closes = frame_of(AB=np.concatenate([np.full(150, np.nan), walk(50)]))
    with pytest.raises(InvalidInput, match="no forecast could be made and scored; AB: only 31 bars"):
        score_past(closes, range(180, 181), OPTIONS)


def test_the_verdict_compares_the_errors() -> None:
    better = Tally(bars=4, scaled_error=3.0, naive_scaled_error=4.0, covered=3)
    assert verdict_on(better.accuracy) == "better than naive by 25\N{NO-BREAK SPACE}%"  # 1 - 3 / 4
    worse = Tally(bars=4, scaled_error=4.1, naive_scaled_error=4.0)
    assert verdict_on(worse.accuracy) == "naive is better by 2.50\N{NO-BREAK SPACE}%"  # 4.1 / 4 - 1
    assert verdict_on(Tally(bars=4, scaled_error=1.0).accuracy) == "the price did not move"


def test_tickers_where_naive_is_better_are_named() -> None:
    good = Tally(bars=10, scaled_error=8.0, naive_scaled_error=10.0, covered=8)
    bad = Tally(bars=10, scaled_error=11.0, naive_scaled_error=10.0, covered=8)
    record = score_past(frame_of(AB=walk(200)), range(150, 151), OPTIONS)
    both = type(record)(record.first, record.last, 1, 0.8, {"AB": {1: good}, "CD": {1: bad}}, {})
    assert [sentence.replace("\N{NO-BREAK SPACE}", " ") for sentence in verdicts(both)] == [
        'The mean error is 5.00 % smaller than that of naive, which says "tomorrow equals today".',  # 1 - 19 / 20
        "The 80 % interval held 80.0 % of the closes: fair.",
        "Naive is better for CD.",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--symbols", "AAPL,ZZZZ"], "unknown ticker ZZZZ; the sample has 20 tickers"),
        (["--symbols", "AAPL,,KO"], "expected names separated by commas"),
        (["--every", "0"], "--every 0: expected a number of sessions from 1 on"),
        (["--horizon", "0"], "option horizon: 0 is not allowed"),
        (["--preset", "best"], "preset 'best' is unknown; allowed: calibrated, raw"),
        (["--from", "June"], "--from June: "),
        (["--from", "2022-12-20"], "no session from 2022-12-20 has 113 bars up to it and 10 after it"),
        (["--bars", "none.csv"], "none.csv: no such file"),
    ],
)
def test_bad_input_is_named_with_what_is_allowed(arguments: list[str], message: str) -> None:
    told = openbell(*arguments)
    assert (told.exit_code, told.stdout) == (2, "")
    assert message in words(told.stderr)
    assert "Traceback" not in told.output
