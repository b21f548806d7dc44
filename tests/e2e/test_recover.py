"""The ledger's table is deleted, then restored to an earlier state, and trading goes on with the same books."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import tests.chaos.traders
from cli.main import app
from openbell.model import RunStatus, Sleeve
from tests.chaos.market import Setting, config_from, history
from tests.e2e.stages import Played, playing

BACKUP = "the-night-before"
SETTING = Setting(market=1, closing=True)  # orders fill, and brackets fire
TRADERS = f"{Path(tests.chaos.traders.__file__)}:"

type Days = list[dict[str, Sleeve]]  # the sleeves at the end of each session


def test_the_books_are_those_of_a_twin_that_nothing_happened_to(tmp_path: Path) -> None:
    with _playing(tmp_path / "twin") as twin:
        undisturbed = _play(twin, lambda day: None)
    with _playing(tmp_path / "lost") as played:
        disturbed = _play(played, lambda day: _disturb(day, played))
        assert _openbell(played, "reconcile").exit_code == 0
        assert len(json.loads(_openbell(played, "runs", "--json").stdout)["runs"]) == 3
    assert disturbed == undisturbed
    assert any(sleeve.positions for sleeve in disturbed[-1].values())


def _playing(work: Path) -> AbstractContextManager[Played]:
    return playing(work, config_from(SETTING, TRADERS), market=history(SETTING), at=SETTING.start)


def _play(played: Played, overnight: Callable[[int], None]) -> Days:
    exchange, days = played.stage.exchange, list[dict[str, Sleeve]]()
    for day in range(3):
        report, _ = played.run(f"day-{day}")
        assert report.status is RunStatus.COMPLETED, report.note
        sleeves = played.stage.ledger.sleeves()
        days.append({name: replace(sleeve, version=0) for name, sleeve in sleeves.items()})
        exchange.close_session()
        overnight(day)
        exchange.open_next_session(SETTING.at)
    return days


def _disturb(day: int, played: Played) -> None:
    dynamodb, table = _client(played), _table(played)
    if day == 0:
        dynamodb.create_backup(TableName=table, BackupName=BACKUP)
        schema = _delete(dynamodb, table)
        dynamodb.create_table(TableName=table, BillingMode="PAY_PER_REQUEST", DeletionProtectionEnabled=True, **schema)
        assert "fencing number is 0" in _refused(played)
        _recover(played)
    elif day == 1:
        _delete(dynamodb, table)
        (backup,) = dynamodb.list_backups()["BackupSummaries"]
        dynamodb.restore_table_from_backup(TargetTableName=table, BackupArn=backup["BackupArn"])
        assert "fencing number is 1" in _refused(played)
        _recover(played)


def _refused(played: Played) -> str:
    """What OpenRun says to a ledger that has forgotten runs; the market is closed, and it does not even ask."""
    report, story = played.run(f"refused-{played.stage.exchange.now:%d}")
    assert report.status is RunStatus.FAILED
    assert story.status == "FAILED"
    return f"{story.cause} {report.note}"


def _recover(played: Played) -> None:
    looked = _openbell(played, "recover")
    assert (looked.exit_code, "Nothing was written." in looked.stderr) == (1, True), looked.output
    assert "it has forgotten runs" in looked.stdout
    assert "rotator" in looked.stdout
    written = json.loads(_openbell(played, "recover", "--yes", "--json").stdout)
    assert (written["written"], written["unsure"]) == (True, [])
    assert json.loads(_openbell(played, "status", "--json").stdout)["halt"]
    again = _openbell(played, "recover", "--yes")
    assert (again.exit_code, "lacks nothing" in " ".join(again.stdout.split())) == (0, True), again.output
    assert _openbell(played, "resume").exit_code == 0


def _openbell(played: Played, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--local", played.stage.address])


def _client(played: Played) -> Any:
    return played.stage._cloud.client("dynamodb")


def _table(played: Played) -> str:
    return str(played.stage._cloud.outputs["TableName"])


def _delete(dynamodb: Any, table: str) -> dict[str, Any]:
    """Delete it as the runbook does not advise; gives what its keys were."""
    with pytest.raises(dynamodb.exceptions.ClientError, match="DeletionProtectionEnabled"):
        dynamodb.delete_table(TableName=table)
    dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
    found = dynamodb.delete_table(TableName=table)["TableDescription"]
    return {name: found[name] for name in ("AttributeDefinitions", "KeySchema")}
