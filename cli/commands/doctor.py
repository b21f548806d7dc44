"""`openbell doctor`: whether a platform is fit to trade, and how to mend it if not."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.commands.options import JsonOption, LocalOption, StackOption, operating, tell
from cli.places import STRATEGIES

if TYPE_CHECKING:
    from cli.checkup import Look
    from cli.platform import Platform
    from openbell.ports import MarketData

_ALPACA_DATA = "https://data.alpaca.markets"  # as in template.yaml


def doctor(
    *,
    stack: StackOption = "",
    local: LocalOption = "",
    config: Annotated[Path, typer.Option(help="The strategies' configuration.")] = STRATEGIES,
    as_json: JsonOption = False,
) -> None:
    """Check configuration, table, keys, account, clock, prices, alerts, schedules; say how to mend each. Never trades.

    Exit codes: 0 all is well; 1 something is not; 2 no such platform.
    """
    with operating(stack, local) as platform:
        from cli.checkup import examine  # noqa: PLC0415
        from cli.views.doctor import Diagnosis, doctor_tables  # noqa: PLC0415

        found = Diagnosis(examine(_looks(platform, config)))
        tell(platform, found, doctor_tables, as_json=as_json)
    raise typer.Exit(found.exit)


def _looks(platform: "Platform", config: Path) -> "Iterator[tuple[str, Look]]":
    from cli import checkup  # noqa: PLC0415

    outputs, client = platform.outputs, platform.client
    yield "configuration", lambda: checkup.look_at_config(config)
    yield "ledger", lambda: checkup.look_at_table(client("dynamodb"), outputs["TableName"])
    yield "archive", lambda: checkup.look_at_bucket(client("s3"), outputs["BucketName"])
    yield "keys", lambda: checkup.look_at_secret(client("secretsmanager"), outputs["BrokerSecretArn"])
    yield "account", lambda: checkup.look_at_account(platform.broker)
    yield "clock", lambda: checkup.look_at_clock(platform.broker, _now(platform))
    yield "prices", lambda: checkup.look_at_prices(_price_source(platform), platform.broker)
    if not platform.place.endpoint_url:  # the local cloud tells alerts to whoever sits before it
        yield "alerts", lambda: checkup.look_at_alerts(client("sns"), outputs["AlertsTopicArn"])
        yield "lambdas", lambda: checkup.look_at_lambdas(client("lambda"), platform.parameters)
    yield (
        "schedules",
        lambda: checkup.look_at_schedules(client("cloudformation"), client("scheduler"), platform.place.stack),
    )
    yield "trading", lambda: checkup.look_at_halt(platform.ledger)


def _now(platform: "Platform") -> datetime | None:
    return datetime.now(UTC) if platform.trades_at_alpaca else None


def _price_source(platform: "Platform") -> "MarketData":
    """The source that the stack's runs ask first, asked from here."""
    chosen = platform.parameters
    if chosen["MarketData"] == "yahoo":
        from openbell.adapters.yahoo.data import YahooData  # noqa: PLC0415

        return YahooData(Path(tempfile.gettempdir()) / "openbell-yfinance")
    from cli.checkup import keys_in  # noqa: PLC0415
    from openbell.adapters.alpaca.data import AlpacaData  # noqa: PLC0415

    key_id, secret_key = keys_in(platform.client("secretsmanager"), platform.outputs["BrokerSecretArn"])
    feed: Literal["iex", "sip"] = "sip" if chosen.get("DataFeed") == "sip" else "iex"
    return AlpacaData(chosen["DataUrl"] or _ALPACA_DATA, key_id, secret_key, feed)
