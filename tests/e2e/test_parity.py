"""The workflow on Step Functions, and the same days in one process: identical decisions and fills, to the cent."""

from datetime import time
from pathlib import Path

from cli.run_report import RunReport
from openbell.model import RunStatus
from tests.e2e.stages import playing
from tests.integration.workflow.stage import Stage, config

_DAYS = 3
_SAME = {
    "run_id",
    "status",
    "strategies",
    "account",
    "equity",
    "universe",
    "prices",
    "forecasts",
    "signals",
    "targets",
    "crosses",
    "cuts",
    "orders",
    "sleeves",
    "reconciliation",
    "checks",
}


def test_days_in_the_cloud_and_in_one_process_are_the_same(tmp_path: Path) -> None:
    played: list[RunReport] = []
    with playing(tmp_path, config()) as platform:
        for day in range(_DAYS):
            if day:
                platform.stage.exchange.close_session()
                platform.stage.exchange.open_next_session(time(15))
            report, _ = platform.run()
            assert report.status is RunStatus.COMPLETED, report.note
            played.append(report)
    assert sum(len(report.orders) for report in played) >= 5
    in_process = Stage(config())
    for day, report in enumerate(played):
        if day:
            in_process.next_day()
        closed = in_process.run(report.execution)  # the same name gives the same run id, hence the same order ids
        same = RunReport.model_validate(closed.report)
        for part in sorted(_SAME):
            assert getattr(same, part) == getattr(report, part), f"{part} of day {day + 1}"
