"""`openbell forecast`: the coming sessions of a ticker, and whether to believe what is said of them."""

import json
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from openbell.forecasting.batch import forecast_many
from openbell.forecasting.options import ForecastOptions
from tests.unit.forecasting.series import closes_until, walk

JUNETEENTH = ["2022-06-16", "2022-06-17", "2022-06-21"]  # the Monday between was a holiday


def openbell(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["forecast", *arguments])


def answer(*arguments: str) -> dict[str, Any]:
    told = openbell(*arguments, "--json")
    assert told.exit_code == 0, told.stderr
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def words(text: str) -> str:
    return " ".join(text.split())


def bars_file(folder: Path, **prices: Any) -> str:
    """A file with the closes of each ticker up to 2022-06-15; a shorter series begins later."""
    days = pd.DatetimeIndex(closes_until("2022-06-15", 600).index)
    rows = [
        (f"{day:%Y-%m-%d}", ticker, repr(float(price)))
        for ticker, series in prices.items()
        for day, price in zip(days[-len(series) :], series, strict=True)
    ]
    path = folder / "bars.csv"
    pd.DataFrame(rows, columns=["date", "symbol", "close"]).to_csv(path, index=False)
    return str(path)


def test_the_coming_sessions_are_the_exchanges_own() -> None:
    (made,) = answer("AAPL", "--as-of", "2022-06-15", "--horizon", "3")["forecasts"]
    assert [bar["session"] for bar in made["bars"]] == JUNETEENTH


def test_what_came_stands_beside_what_was_expected() -> None:
    (made,) = answer("AAPL", "--as-of", "2022-06-15", "--horizon", "3")["forecasts"]
    came = closes_until("2022-06-21", 3, "AAPL")["AAPL"].tolist()
    assert [bar["came"] for bar in made["bars"]] == came
    (newest,) = answer("AAPL", "--horizon", "3")["forecasts"]
    assert [bar["came"] for bar in newest["bars"]] == [None, None, None]


@pytest.mark.parametrize("preset", ["calibrated", "raw"])
def test_it_is_the_forecast_of_the_closes_known_then(preset: str) -> None:
    asked = ("AAPL", "ko", "--as-of", "2022-06-15", "--horizon", "3", "--preset", preset, "--interval", "0.9")
    found = answer(*asked)
    known = closes_until("2022-06-15", 504 + 252, "AAPL", "KO")
    options = ForecastOptions.preset(preset, horizon=3, history=504, interval_width=0.9)
    direct = forecast_many(known, options, sessions=[date.fromisoformat(day) for day in JUNETEENTH]).made
    assert (found["as_of"], found["failed"]) == ("2022-06-15", {})
    assert [made["symbol"] for made in found["forecasts"]] == ["AAPL", "KO"]
    for made in found["forecasts"]:
        expected = direct[made["symbol"]]
        assert made["engine"] == "exact"
        for name in ("yhat", "yhat_lower", "yhat_upper"):
            assert np.allclose([bar[name] for bar in made["bars"]], getattr(expected, name), rtol=1e-9)


def test_a_day_without_session_means_the_last_one_before() -> None:
    assert answer("AAPL", "--as-of", "2022-06-19")["as_of"] == "2022-06-17"


def test_where_naive_is_better_it_says_so() -> None:
    raw = openbell("AAPL", "--preset", "raw", "--as-of", "2022-06-15")
    assert "Naive is better here" in raw.stdout
    (made,) = answer("AAPL", "--preset", "raw", "--as-of", "2022-06-15")["forecasts"]
    assert made["naive_is_better"] is True
    assert made["skill"] < 0


def test_a_price_that_follows_its_trend_is_better_than_naive(tmp_path: Path) -> None:
    path = bars_file(tmp_path, AB=100 * 1.002 ** np.arange(500) * np.exp(0.002 * np.sin(np.arange(500))))
    told = openbell("AB", "--bars", path, "--horizon", "5")
    assert "Better than naive by" in told.stdout
    (made,) = answer("AB", "--bars", path, "--horizon", "5")["forecasts"]
    assert made["naive_is_better"] is False
    assert made["scored"] == 252


def test_the_table_has_a_row_for_each_session() -> None:
    told = openbell("AAPL", "--as-of", "2022-06-15", "--horizon", "3", "--interval", "0.5")
    assert "134.63 USD on Wed 15 June 2022, expected" in told.stdout
    assert "50\N{NO-BREAK SPACE}% from" in told.stdout
    assert "129.29 outside" in told.stdout  # what came on the first session: far below the interval
    assert [line.split()[1:4] for line in told.stdout.splitlines() if " 2022  " in line] == [
        ["16", "Jun", "2022"],
        ["17", "Jun", "2022"],
        ["21", "Jun", "2022"],
    ]


def test_a_ticker_with_too_few_bars_leaves_the_others_their_forecast(tmp_path: Path) -> None:
    path = bars_file(tmp_path, OLD=walk(400), NEW=walk(50, seed=2))
    told = openbell("OLD", "NEW", "--bars", path)
    assert told.exit_code == 2
    assert "no forecast of NEW: only 50 bars; at least 118 are needed" in words(told.stderr)
    assert "OLD" in told.stdout
    raw = openbell("NEW", "--bars", path, "--preset", "raw")
    assert raw.exit_code == 0
    assert "Its past forecasts were not scored" in raw.stdout


def test_a_chart_as_svg_follows_light_and_dark_mode(tmp_path: Path) -> None:
    path = tmp_path / "two.svg"
    told = openbell("AAPL", "KO", "--as-of", "2022-06-15", "--plot", str(path))
    assert told.exit_code == 0
    assert str(path) in told.stdout
    text = path.read_text()
    root = ElementTree.fromstring(text)
    assert root.get("height") == "600"  # 300 for each ticker
    assert "AAPL: 134.63 USD on 15 Jun 2022" in root.get("aria-label", "")
    assert "prefers-color-scheme:dark" in text
    assert "var(--accent)" in text
    assert "what came" in text
    assert "#0102" not in text  # a colour that only stands in for a role


def test_a_chart_as_png(tmp_path: Path) -> None:
    path = tmp_path / "one.png"
    assert answer("AAPL", "--plot", str(path))["plot"] == str(path)
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["APPL"], "unknown ticker APPL; the sample has 20 tickers, such as AAPL, AMD, BAC"),
        (["AAPL", "--horizon", "0"], "option horizon: 0 is not allowed; expected a whole number from 1 to 252"),
        (["AAPL", "--horizon", "253"], "option horizon: 253 is not allowed"),
        (["AAPL", "--history", "9"], "option history: 9 is not allowed; expected a whole number from 10 to 100000"),
        (["AAPL", "--interval", "80"], "option interval: 80.0 is not allowed; expected a number from 0.01 to 0.99"),
        (["AAPL", "--preset", "best"], "preset 'best' is unknown; allowed: calibrated, raw"),
        (["AAPL", "--as-of", "2022-02-30"], "--as-of 2022-02-30: day is out of range for month; expected a date"),
        (["AAPL", "--as-of", "2031-01-02"], "expected a date from 1990-01-02 to 2022-12-28"),
        (["AAPL", "--as-of", "1990-03-01"], "no forecast of AAPL: only 42 bars; at least 118 are needed"),
        (["AAPL", "--plot", "chart.pdf"], "--plot chart.pdf: expected a file that ends in .svg or .png"),
        (["AAPL", "--plot", "no/such/chart.svg"], "there is no folder no/such"),
        (["AAPL", "--bars", "none.csv"], "none.csv: no such file"),
        (["AAPL", "--bars", "my.csv", "--source", "yahoo"], "--bars and --source yahoo exclude each other"),
        (["AAPL", "--source", "moon"], "'moon' is not one of 'sample'"),
        (["AAPL,"], "expected names separated by commas"),
    ],
)
def test_bad_input_is_named_with_what_is_allowed(arguments: list[str], message: str) -> None:
    told = openbell(*arguments)
    assert (told.exit_code, told.stdout) == (2, "")
    assert message in words(told.stderr)
    assert "Traceback" not in told.output
