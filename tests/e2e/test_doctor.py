"""`openbell doctor` on the whole platform in a local cloud, well and ill."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from typer.testing import CliRunner
from werkzeug.wrappers import Request, Response

from cli.checkup import Ailment, Check, examine, look_at_alerts, look_at_clock, look_at_config, look_at_table
from cli.main import app
from lab.exchange import ExchangeBroker
from openbell.model import Halt
from paper.server import Proceed
from tests.e2e.stages import Played, playing
from tests.integration.workflow.stage import WEDNESDAY, Stage


@dataclass
class Clinic:
    """The platform, and what may be wrong with its broker's answers."""

    played: Played
    answers: dict[str, Response]

    @property
    def url(self) -> str:
        return self.played.stage._cloud.address

    def client(self, service: str) -> Any:
        return self.played.stage._cloud.client(service)

    def output(self, name: str) -> str:
        return self.played.stage._cloud.outputs[name]

    def diagnosis(self, *options: str) -> tuple[int, dict[str, dict[str, Any]]]:
        """The exit code, and the checks by what they look at."""
        result = CliRunner().invoke(app, ["doctor", "--local", self.url, "--json", *options])
        return result.exit_code, {check["what"]: check for check in json.loads(result.stdout)["checks"]}

    def ailing(self, *options: str) -> dict[str, str]:
        """What is told of each check that failed."""
        code, checks = self.diagnosis(*options)
        failed = {what: f"{check['found']} / {check['mend']}" for what, check in checks.items() if not check["ok"]}
        assert code == (1 if failed else 0)
        return failed


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    answers: dict[str, Response] = {}

    def intercept(request: Request, proceed: Proceed) -> Response:
        return answers.get(request.path) or proceed()

    with playing(tmp_path_factory.mktemp("clinic"), intercept=intercept) as played:
        yield Clinic(played, answers)


@contextmanager
def answering(clinic: Clinic, path: str, status: int, body: object) -> Iterator[None]:
    clinic.answers[path] = Response(json.dumps(body), status, mimetype="application/json")
    try:
        yield
    finally:
        clinic.answers.clear()


def test_a_platform_that_is_well_gets_a_line_for_every_check_and_trades_nothing(clinic: Clinic) -> None:
    code, checks = clinic.diagnosis()
    assert code == 0
    assert list(checks) == [
        "configuration",
        "ledger",
        "archive",
        "keys",
        "account",
        "clock",
        "prices",
        "schedules",
        "trading",
    ]
    assert all(check["ok"] and check["found"] and not check["mend"] for check in checks.values())
    assert checks["account"]["found"] == "may trade; equity 100,000.00 USD, buying power 100,000.00 USD"
    assert checks["clock"]["found"] == "2022-06-15 15:00 New York, open until 2022-06-15 16:00"
    assert checks["prices"]["found"].startswith("Alpaca: AAPL closed at 131.97 USD on 2022-06-14, last price ")
    assert clinic.played.stage.exchange.orders() == []
    assert clinic.played.stage.ledger.runs() == []


def test_keys_that_were_not_filled_in_ail_all_that_needs_them_and_nothing_else(clinic: Clinic) -> None:
    secrets, arn = clinic.client("secretsmanager"), clinic.output("BrokerSecretArn")
    before = secrets.get_secret_value(SecretId=arn)["SecretString"]
    secrets.put_secret_value(SecretId=arn, SecretString='{"key_id": "", "secret_key": ""}')
    try:
        found = clinic.ailing()
    finally:
        secrets.put_secret_value(SecretId=arn, SecretString=before)
    assert set(found) == {"keys", "account", "clock", "prices"}
    assert found["keys"] == f"the broker's keys in the secret {arn} are not filled in / see docs/runbook.md, 'Keys'"


def test_keys_that_the_broker_refuses_are_told_apart_from_keys_that_are_missing(clinic: Clinic) -> None:
    with answering(clinic, "/v2/account", 401, {"message": "unauthorized."}):
        found = clinic.ailing()
    assert list(found) == ["account"]
    assert "KeysRefused: Alpaca refuses the keys: unauthorized." in found["account"]


def test_a_blocked_account_is_named_with_its_flags(clinic: Clinic) -> None:
    money = {"equity": "1", "last_equity": "1", "cash": "1", "buying_power": "1"}
    flags = {"status": "ACTIVE", "trading_blocked": True, "account_blocked": False}
    with answering(clinic, "/v2/account", 200, money | flags):
        found = clinic.ailing()
    assert found == {
        "account": "the account may not trade: trading blocked / log in at Alpaca: only there it can be lifted"
    }


def test_an_outage_of_the_prices_ails_the_prices_only(clinic: Clinic) -> None:
    with answering(clinic, "/v2/stocks/bars", 500, {"message": "internal"}):
        found = clinic.ailing()
    assert list(found) == ["prices"]
    assert found["prices"].startswith("DataUnavailable: ")
    assert "ask again in a minute" in found["prices"]


def test_a_source_without_bars_is_no_source(clinic: Clinic) -> None:
    with answering(clinic, "/v2/stocks/bars", 200, {"bars": {}, "next_page_token": None}):
        assert clinic.ailing()["prices"].startswith("Alpaca has no close of the last 10 days of AAPL / ")


def test_a_schedule_that_is_off_is_named(clinic: Clinic) -> None:
    scheduler = clinic.client("scheduler")
    listed = scheduler.list_schedules()["Schedules"][0]
    which = {"Name": listed["Name"], "GroupName": listed["GroupName"]}
    told = scheduler.get_schedule(**which)
    same = {key: told[key] for key in ("ScheduleExpression", "FlexibleTimeWindow", "Target")}
    scheduler.update_schedule(State="DISABLED", **which, **same)
    try:
        found = clinic.ailing()
    finally:
        scheduler.update_schedule(State="ENABLED", **which, **same)
    assert list(found) == ["schedules"]
    assert found["schedules"].startswith(f"{listed['Name']} is DISABLED / openbell schedules on")


def test_a_halt_is_told_with_the_way_out(clinic: Clinic) -> None:
    clinic.played.stage.ledger.set_halt(Halt("too wild", "Ada", WEDNESDAY))
    try:
        found = clinic.ailing()
    finally:
        clinic.played.stage.ledger.clear_halt()
    assert found == {"trading": "halted since 2022-06-15 15:00 by Ada: too wild / openbell resume"}


def test_a_wrong_configuration_is_told_by_file_and_field(clinic: Clinic, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("strategies: {momentum: {allocation: 2}}\n")
    found = clinic.ailing("--config", str(wrong))
    assert list(found) == ["configuration"]
    assert f"{wrong}: strategies.momentum.allocation" in found["configuration"]


def test_people_are_told_how_to_mend_it(clinic: Clinic) -> None:
    clinic.played.stage.ledger.set_halt(Halt("too wild", "Ada", WEDNESDAY))
    try:
        result = CliRunner().invoke(app, ["doctor", "--local", clinic.url], env={"COLUMNS": "140"})
    finally:
        clinic.played.stage.ledger.clear_halt()
    assert result.exit_code == 1
    assert "To mend it: openbell resume" in result.stdout
    assert "1 check failed." in result.stdout


def test_no_platform_is_a_wrong_argument() -> None:
    assert CliRunner().invoke(app, ["doctor", "--local", "http://127.0.0.1:9"]).exit_code == 2


# Looks whose trouble a local cloud cannot have.


def only(what: str, checks: tuple[Check, ...]) -> Check:
    (check,) = checks
    assert check.what == what
    return check


def test_what_aws_refuses_is_told_in_its_words(clinic: Clinic) -> None:
    check = only("ledger", examine([("ledger", lambda: look_at_table(clinic.client("dynamodb"), "nowhere"))]))
    assert not check.ok
    assert "ResourceNotFoundException" in check.found
    assert "make deploy" in check.mend


@pytest.mark.parametrize(
    ("subscriptions", "told"),
    [
        ([], "nobody hears of failures"),
        ([("email", "a@b.c", "PendingConfirmation")], "a@b.c has not confirmed the subscription"),
    ],
)
def test_alerts_that_nobody_gets_are_an_ailment(subscriptions: list[tuple[str, str, str]], told: str) -> None:
    with pytest.raises(Ailment, match=told):
        look_at_alerts(sns_with(subscriptions), "arn:topic")


def test_a_confirmed_subscription_is_enough() -> None:
    found = [("email", "x@y.z", "PendingConfirmation"), ("email", "a@b.c", "arn:aws:sns:...:1")]
    assert look_at_alerts(sns_with(found), "arn:topic") == "told to email a@b.c"


def sns_with(subscriptions: list[tuple[str, str, str]]) -> Any:
    client = boto3.client("sns", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    stubber = Stubber(client)
    listed = [{"Protocol": p, "Endpoint": e, "SubscriptionArn": arn} for p, e, arn in subscriptions]
    stubber.add_response("list_subscriptions_by_topic", {"Subscriptions": listed}, {"TopicArn": "arn:topic"})
    stubber.activate()
    return client


@pytest.mark.parametrize(("apart", "well"), [(timedelta(seconds=59), True), (timedelta(seconds=61), False)])
def test_the_brokers_clock_and_this_computers_agree_to_a_minute(apart: timedelta, well: bool) -> None:
    stage = Stage()
    look = lambda: look_at_clock(ExchangeBroker(stage.exchange), stage.exchange.now + apart)  # noqa: E731
    assert only("clock", examine([("clock", look)])).ok is well


def test_a_market_that_is_closed_is_no_ailment() -> None:
    stage = Stage(at=datetime(2022, 6, 18, 16, tzinfo=UTC))
    told = look_at_clock(ExchangeBroker(stage.exchange), None)
    assert told == "2022-06-18 12:00 New York, closed until 2022-06-21 09:30"  # the 20th is a holiday


def test_a_configuration_without_strategies_is_of_no_use(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    path.write_text("strategies: {momentum: {allocation: 1, enabled: false}}\n")
    with pytest.raises(Ailment, match="enables no strategy"):
        look_at_config(path)
