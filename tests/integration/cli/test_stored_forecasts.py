"""`openbell forecasts score --stored`: the record that a platform keeps of its own forecasts."""

import json
from datetime import date, timedelta

import pytest
from typer.testing import CliRunner

from cli.forecasting.stored import read_stored, stored_tables, told_stored
from cli.main import app
from openbell.accuracy import Tally
from openbell.adapters.memory.ledger import MemoryLedger
from openbell.codec import to_plain
from openbell.model import Run, RunStatus
from tests.builders import AS_OF
from tests.integration.cli.shown import line_with, printed

GOOD = Tally(bars=2, percentage_error=0.04, scaled_error=3.0, naive_scaled_error=4.0, moved=2, hits=1, covered=2)
BAD = Tally(bars=2, percentage_error=0.08, scaled_error=5.0, naive_scaled_error=4.0, moved=0, hits=0, covered=0)
FIRST = date(2022, 3, 1)


@pytest.fixture
def ledger() -> MemoryLedger:
    """One run of prophet_trend, of whose forecasts 70 sessions were scored: 10 badly, then 60 well."""
    made = MemoryLedger()
    made.start_run(Run("20220615-1500-aaaa", "e", AS_OF, RunStatus.COMPLETED, "daily", ("prophet_trend",)), None)
    for number in range(70):
        made.save_accuracy("prophet_trend", FIRST + timedelta(number), {1: BAD if number < 10 else GOOD})
    return made


def test_by_default_the_last_sessions_are_told(ledger: MemoryLedger) -> None:
    record = read_stored(ledger, None, None)
    accuracy = record.strategies["prophet_trend"][1]
    assert (accuracy.bars, accuracy.mase, accuracy.naive_mase) == (60 * 2, 1.5, 2.0)
    text = printed(record, stored_tables)
    assert "prophet_trend, the last 60 sessions that have any" in text
    assert "better than naive by 25\N{NO-BREAK SPACE}%" in line_with(text, "1.500", "2.000")


def test_the_sessions_can_be_chosen(ledger: MemoryLedger) -> None:
    record = read_stored(ledger, FIRST, FIRST + timedelta(9))
    assert record.span == "from 2022-03-01 up to 2022-03-10"
    assert record.strategies["prophet_trend"][1].mase == 2.5
    assert "naive is better by 25\N{NO-BREAK SPACE}%" in printed(record, stored_tables)


def test_what_is_not_known_is_null_for_programs(ledger: MemoryLedger) -> None:
    told = json.loads(json.dumps(to_plain(told_stored(read_stored(ledger, FIRST, FIRST))), allow_nan=False))
    at_1 = told["strategies"]["prophet_trend"]["1"]
    assert at_1["hit_rate"] is None  # no price moved
    assert at_1["verdict"] == "naive is better by 25\N{NO-BREAK SPACE}%"


def test_without_a_scored_forecast_it_says_when_there_will_be_one() -> None:
    record = read_stored(MemoryLedger(), None, None)
    assert record.strategies == {}
    assert "No forecast has met its close yet" in printed(record, stored_tables)


def test_what_to_forecast_and_a_platforms_record_exclude_each_other() -> None:
    told = CliRunner().invoke(app, ["forecasts", "score", "--stack", "openbell-paper", "--symbols", "AAPL"])
    assert told.exit_code == 2
    assert "a platform's record has no use for them" in " ".join(told.stderr.split())
