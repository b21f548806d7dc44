"""Where the outside is wired: each adapter is built once a process, from the settings, when first asked for."""

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config

from openbell.broker_keys import broker_keys
from openbell.errors import ConfigError
from openbell.settings import Settings

if TYPE_CHECKING:  # the Forecast function does without
    from openbell.config import PlatformConfig
    from openbell.ports import (
        Alerts,
        Archive,
        Broker,
        Desk,
        Events,
        Executions,
        ForecastStore,
        Ledger,
        MarketData,
    )

_SECRET_SECONDS = 300  # a rotated key is picked up within this time
_CLIENT = Config(connect_timeout=3, read_timeout=10, retries={"max_attempts": 4, "mode": "standard"})


@cache
def settings() -> Settings:
    """The function's settings."""
    return Settings.from_env(os.environ)


@cache
def config() -> "PlatformConfig":
    """The configuration that was deployed with the layer."""
    from openbell.config import load_config  # noqa: PLC0415 only what a function uses is imported

    return load_config(settings().config_file)


def config_or_defaults() -> "PlatformConfig":
    """The configuration; where that is wrong, the defaults without a strategy, with which a run can end, or sell."""
    try:
        return config()
    except ConfigError:
        from openbell.config import without_strategies  # noqa: PLC0415

        return without_strategies()


@cache
def _client(service: str) -> Any:
    # Not through boto3, whose resources and transfers nothing here needs: they take a tenth of a second to import.
    return _session().create_client(service, config=_CLIENT)


@cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


@cache
def lambda_client() -> Any:
    """Lambda's own client: it waits as long as a function may take to start."""
    patient = Config(connect_timeout=3, read_timeout=120, retries={"max_attempts": 2, "mode": "standard"})
    return _session().create_client("lambda", config=patient)


@cache
def ledger() -> "Ledger":
    """The ledger in DynamoDB."""
    from openbell.adapters.dynamo.ledger import DynamoLedger  # noqa: PLC0415

    settings().need("table")
    return DynamoLedger(_client("dynamodb"), settings().table, settings().keep_days)


@cache
def forecasts() -> "ForecastStore":
    """The part of the ledger that holds forecasts."""
    from openbell.adapters.dynamo.forecasts import ForecastTable  # noqa: PLC0415

    settings().need("table")
    return ForecastTable(_client("dynamodb"), settings().table, settings().keep_days)


@cache
def archive() -> "Archive":
    """The archive in S3."""
    from openbell.adapters.s3_archive import S3Archive  # noqa: PLC0415

    settings().need("bucket")
    return S3Archive(_client("s3"), settings().bucket)


@cache
def alerts() -> "Alerts":
    """The alerts topic."""
    from openbell.adapters.sns_alerts import SnsAlerts  # noqa: PLC0415

    settings().need("alerts_topic")
    return SnsAlerts(_client("sns"), settings().alerts_topic)


@cache
def events() -> "Events":
    """The platform's own event bus."""
    from openbell.adapters.event_bus import EventBus  # noqa: PLC0415

    settings().need("event_bus")
    return EventBus(_client("events"), settings().event_bus)


def executions(own_arn: str) -> "Executions":
    """The executions of the workflow that `own_arn` is one of."""
    from openbell.adapters.step_functions import StepFunctionsExecutions  # noqa: PLC0415

    return StepFunctionsExecutions(_client("stepfunctions"), own_arn)


def broker() -> "Broker":
    """The brokerage account, with keys at most a few minutes old."""
    return _broker(*_keys())


@cache
def _broker(key_id: str, secret_key: str) -> "Broker":
    from openbell.adapters.alpaca.broker import AlpacaBroker  # noqa: PLC0415

    settings().need("broker_url", "data_url")
    return AlpacaBroker(
        base_url=settings().broker_url,
        data_url=settings().data_url,
        key_id=key_id,
        secret_key=secret_key,
        mode=settings().mode,
    )


def _keys() -> tuple[str, str]:
    """From the secret; where no secret is configured, from Alpaca's own variables."""
    own = os.environ.get("APCA_API_KEY_ID"), os.environ.get("APCA_API_SECRET_KEY")
    if not settings().broker_secret and own[0] and own[1]:
        return own[0], own[1]
    from aws_lambda_powertools.utilities import parameters  # noqa: PLC0415 it imports boto3

    settings().need("broker_secret")
    text = parameters.get_secret(settings().broker_secret, max_age=_SECRET_SECONDS)
    return broker_keys(str(text), settings().broker_secret)


def forget_keys() -> None:
    """Read the keys anew next time: those that were refused may be corrected by then."""
    from aws_lambda_powertools.utilities.parameters import clear_caches  # noqa: PLC0415 as above

    clear_caches()  # type: ignore[no-untyped-call]  # the library has no type for it


def market_data() -> "MarketData":
    """Alpaca and Yahoo, the one first that the settings name; gaps of both are filled by the last run's closes."""
    from openbell.adapters.fallback import FallbackData  # noqa: PLC0415

    alpaca = _alpaca_data(*_keys())
    if settings().market_data == "yahoo":
        return FallbackData(_yahoo(), alpaca, archive())
    return FallbackData(alpaca, _yahoo() if settings().prices_are_of_today else None, archive())


@cache
def _alpaca_data(key_id: str, secret_key: str) -> "MarketData":
    from openbell.adapters.alpaca.data import AlpacaData  # noqa: PLC0415

    settings().need("data_url")
    return AlpacaData(settings().data_url, key_id, secret_key, settings().data_feed)


@cache
def _yahoo() -> "MarketData":
    from openbell.adapters.yahoo.data import YahooData  # noqa: PLC0415

    return YahooData(cache_folder=Path("/tmp/yfinance"))  # noqa: S108 the only folder that a Lambda may write to


def desk() -> "Desk":
    """All that opening and closing a run takes."""
    from openbell.ports import Desk  # noqa: PLC0415

    return Desk(broker(), ledger(), archive(), alerts())
