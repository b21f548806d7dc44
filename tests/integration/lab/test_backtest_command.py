"""`openbell backtest`, whole: table, JSON, tear sheet, failures that leave the others alone."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app

OWN = """
from openbell.model import Signal
from openbell.strategies import Context, Parameters, Strategy


class Raises(Strategy[Parameters]):
    def signals(self, context: Context) -> list[Signal]:
        raise RuntimeError("out of ideas")


class SaysNan(Strategy[Parameters]):
    def signals(self, context: Context) -> list[Signal]:
        return [Signal(symbol, float("nan"), "who knows") for symbol in context.closes.columns]


class Elsewhere(Strategy[Parameters]):
    def signals(self, context: Context) -> list[Signal]:
        return [Signal("ELSEWHERE", 1.0, "greener grass")]


class NoUniverse(Strategy[Parameters]):
    def universe(self, market, size, lookback):
        raise KeyError("no market today")

    def signals(self, context: Context) -> list[Signal]:
        return []


class Nothing(Strategy[Parameters]):
    def universe(self, market, size, lookback):
        return ()

    def signals(self, context: Context) -> list[Signal]:
        return []
"""


def played(folder: Path, *arguments: str) -> Result:
    files = ["--report", str(folder / "sheet.html"), "--cache", str(folder / "forecasts")]
    return CliRunner().invoke(app, ["backtest", "--from", "2022-05-02", "--to", "2022-06-17", *files, *arguments])


def config_file(folder: Path, **strategies: str) -> Path:
    (folder / "own.py").write_text(OWN)
    entries = "".join(f"  {name}: {entry}\n" for name, entry in strategies.items())
    path = folder / "strategies.yaml"
    path.write_text(f"strategies:\n{entries}")
    return path


class Page(HTMLParser):
    """Text and outside references of a page."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.text, self.outside = "", list[str]()
        self.feed(content)

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"src", "href"} and value and not value.startswith("#"):
                self.outside.append(value)


def test_the_table_and_the_tear_sheet_tell_the_verdict(tmp_path: Path) -> None:
    outcome = played(tmp_path, "--strategies", "sma_cross,momentum")
    assert outcome.exit_code == 0, outcome.output
    page = Page((tmp_path / "sheet.html").read_text())
    for text in (" ".join(outcome.stdout.split()), page.text):
        assert "buy-and-hold after costs" in text
        assert "urvivorship" in text
        assert "lay idle" in text  # the entries of the configuration leave half of the account free
    assert page.outside == []
    for part in ("Returns by month", "Turnover", "Exposure", "Drawdown", "By strategy", "Costs", "Trades"):
        assert part in page.text
    assert "adjusted closes" in page.text
    assert "closes only" in page.text


def test_json_has_every_figure_and_nothing_else_on_stdout(tmp_path: Path) -> None:
    outcome = played(tmp_path, "--strategies", "sma_cross", "--json", "--cost-bps", "5")
    answer = json.loads(outcome.stdout)
    figures = {
        "cagr",
        "volatility",
        "sharpe",
        "sortino",
        "calmar",
        "omega",
        "value_at_risk",
        "expected_shortfall",
        "skew",
    }
    assert figures <= answer["account"].keys()
    assert {"alpha", "beta", "information_ratio"} <= answer["against"].keys()
    assert {"win_rate", "profit_factor", "expectancy", "trips"} <= answer["trades"].keys()
    assert len(answer["provenance"]["data_hash"]) == 16
    assert answer["provenance"]["seed"] == 0
    assert [at["cost_bps"] for at in answer["sensitivity"]] == [0, 1, 2, 5, 10, 20, 50]
    assert len(answer["curves"]["sessions"]) == len(answer["curves"]["account"])
    assert answer["account"]["sortino"] is None or isinstance(answer["account"]["sortino"], float)
    assert answer["report"] == str(tmp_path / "sheet.html")


def test_commission_comes_off_at_the_rate_that_was_asked_for(tmp_path: Path) -> None:
    def ends(cost: str) -> tuple[float, float, float]:
        answer = json.loads(played(tmp_path, "--strategies", "sma_cross", "--json", "--cost-bps", cost).stdout)
        return answer["account"]["end"], answer["costs"]["traded"], answer["costs"]["commission"]

    free, traded, nothing = ends("0")
    dear, same, commission = ends("50")
    assert (traded, nothing) == (same, 0)
    assert commission == pytest.approx(traded * 0.005)
    assert dear == pytest.approx(free - commission)


def test_a_second_time_reads_the_forecasts_and_tells_the_same(tmp_path: Path) -> None:
    arguments = ("--strategies", "prophet_trend", "--every", "1w", "--json")
    first = played(tmp_path, *arguments)
    assert first.exit_code == 0, first.output
    kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "forecasts").iterdir()}
    assert len(kept) == 7  # weeks
    assert played(tmp_path, *arguments).stdout == first.stdout
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "forecasts").iterdir()} == kept
    assert json.loads(first.stdout)["accuracy"]["prophet_trend"][0]["horizon"] == 1


BROKEN = {
    "Raises": "RuntimeError: out of ideas",
    "SaysNan": "score must lie in [-1, 1], got nan",
    "Elsewhere": "signals for symbols outside its universe: ELSEWHERE",
    "NoUniverse": "KeyError: 'no market today'",
}


@pytest.mark.parametrize(("broken", "message"), BROKEN.items())
def test_a_strategy_that_fails_is_named_and_the_others_results_survive(
    broken: str, message: str, tmp_path: Path
) -> None:
    file = config_file(
        tmp_path,
        sound="{uses: buy_and_hold, allocation: 0.5}",
        broken=f"{{uses: 'own.py:{broken}', allocation: 0.5}}",
    )
    outcome = played(tmp_path, "--config", str(file), "--json")
    assert outcome.exit_code == 0, outcome.output
    answer: dict[str, Any] = json.loads(outcome.stdout)
    (failure,) = answer["strategy_failures"]
    assert failure["strategy"] == "broken"
    assert message in failure["message"]
    assert len(failure["days"]) == 34
    assert message in Page((tmp_path / "sheet.html").read_text()).text
    alone = json.loads(played(tmp_path, "--config", str(file), "--strategies", "sound", "--json").stdout)
    assert answer["strategies"]["sound"]["performance"] == alone["strategies"]["sound"]["performance"]


def test_a_strategy_whose_universe_is_always_empty_is_named(tmp_path: Path) -> None:
    file = config_file(tmp_path, empty="{uses: 'own.py:Nothing', allocation: 1}")
    outcome = played(tmp_path, "--config", str(file))
    assert outcome.exit_code == 0, outcome.output
    assert "empty: its universe was empty in all 34 runs" in " ".join(outcome.stdout.split())


def test_when_every_run_fails_the_reason_is_told_and_the_exit_code_says_so(tmp_path: Path) -> None:
    outcome = played(tmp_path, "--strategies", "sma_cross", "--from", "1990-01-03", "--to", "1990-01-20")
    assert outcome.exit_code == 1
    assert "StaleData" in outcome.stdout
    assert "at least 30 are needed" in " ".join(outcome.stdout.split())


def members_file(folder: Path, *rows: str) -> Path:
    path = folder / "members.csv"
    path.write_text("\n".join(["date,tickers", *rows]) + "\n")
    return path


def test_without_members_survivorship_is_told_everywhere(tmp_path: Path) -> None:
    answer = json.loads(played(tmp_path, "--strategies", "buy_and_hold", "--json").stdout)
    assert answer["membership"] is None
    assert "survivorship bias flatters every line" in answer["verdict"]["survivorship"]
    assert "survivorship bias flatters every line" in Page((tmp_path / "sheet.html").read_text()).text


def test_with_members_candidates_are_those_of_the_day_and_gaps_are_told(tmp_path: Path) -> None:
    file = members_file(tmp_path, '2020-01-02,"AAPL,MSFT,LEH-200809"', '2022-05-20,"JPM,KO"')
    answer = json.loads(played(tmp_path, "--strategies", "buy_and_hold", "--members", str(file), "--json").stdout)
    assert answer["benchmark_symbols"] == ["AAPL", "MSFT"]
    assert {trip["symbol"] for trip in answer["trips"]} <= {"AAPL", "MSFT"}
    assert answer["membership"]["without_bars"] == ["LEH.200809"]
    assert "no bars of 1 of them (LEH.200809)" in answer["verdict"]["survivorship"]
    assert "Candidates were the members of the day" in Page((tmp_path / "sheet.html").read_text()).text


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (['2022-05-20,"AAPL"'], "begins on 2022-05-20; who belonged on 2022-05-02 is not known"),
        (['2020-01-02,"NOBODY,ELSE"'], "of the members on 2022-05-02 the data has no symbol at all"),
        (['2020-13-02,"AAPL"'], "line 2: '2020-13-02' is not a date"),
    ],
)
def test_members_that_cannot_be_followed_are_told(tmp_path: Path, rows: list[str], told: str) -> None:
    ended = played(tmp_path, "--members", str(members_file(tmp_path, *rows)))
    assert ended.exit_code == 2
    assert told in " ".join(ended.stderr.split())


def test_the_chance_that_it_is_luck_is_told_with_its_interval(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app, ["backtest", "--strategies", "buy_and_hold", "--from", "2021-01-04", "--report", str(tmp_path / "s.html")]
    )
    told = " ".join(result.stdout.replace("│", " ").split())
    assert "true Sharpe ratio is above 0 with a chance of" in told
    assert "of resampled histories have one from" in told
    assert "That can be luck." in told
    assert "(probabilistic Sharpe ratio)" in Page((tmp_path / "s.html").read_text()).text
