"""What can be wrong with a platform: each check looks at one thing, and says how to mend it. None of them trades."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cli.concurrency import free_lambdas, lambdas_of_a_run
from cli.formats import count, money
from openbell.broker_keys import HOW, broker_keys
from openbell.config import load_config
from openbell.errors import BrokerRefused, ConfigError, KeysRefused, OpenbellError, RateLimited, RetryableError
from openbell.model import NEW_YORK
from openbell.ports import Broker, Ledger, MarketData
from openbell.strategies import build_strategies

_WELL_KNOWN = ("SPY", "AAPL")  # whose prices are asked for, if the broker trades them
_MOST_SKEW = timedelta(seconds=60)
_PENDING = "PendingConfirmation"
_DEPLOY = "deploy the stack again: `make deploy`"
_MENDS: Mapping[type[OpenbellError], str] = {
    BrokerRefused: HOW,
    ConfigError: "correct the file; docs/writing-a-strategy.md shows what it may say",
    RateLimited: "wait a minute, and ask again",
    RetryableError: "ask again in a minute; if it lasts, look at the service's status page",
}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what was found, and, unless it is well, how to mend it."""

    what: str
    ok: bool
    found: str
    mend: str = ""


class Ailment(Exception):
    """What a look found wrong, and how to mend it."""

    def __init__(self, found: str, mend: str) -> None:
        super().__init__(found)
        self.mend = mend


type Look = Callable[[], str]  # says what is well, or raises


def examine(looks: Iterable[tuple[str, Look]]) -> tuple[Check, ...]:
    """Every look, in order; the trouble of one keeps no other from being taken."""
    return tuple(_checked(what, look) for what, look in looks)


def _checked(what: str, look: Look) -> Check:
    try:
        return Check(what, ok=True, found=look())
    except Ailment as ailment:
        return Check(what, ok=False, found=str(ailment), mend=ailment.mend)
    except OpenbellError as error:
        mend = next((mend for kind, mend in _MENDS.items() if isinstance(error, kind)), "see docs/runbook.md")
        return Check(what, ok=False, found=f"{type(error).__name__}: {error}", mend=mend)
    except (BotoCoreError, ClientError) as error:
        return Check(what, ok=False, found=str(error), mend=f"may you, on AWS, look at this? If so, {_DEPLOY}")


# The looks.


def look_at_config(path: Path) -> str:
    """The strategies' configuration, with the code and the parameters of those that are enabled."""
    config = load_config(path)
    strategies = build_strategies(config)
    if not strategies:
        raise Ailment(f"{path} enables no strategy", "set `enabled: true` for one of them")
    return f"enabled: {', '.join(strategies)}"


def look_at_table(dynamodb: Any, name: str) -> str:
    """The ledger's table."""
    table = dynamodb.describe_table(TableName=name)["Table"]
    keys = [key["AttributeName"] for key in table["KeySchema"]]
    if table["TableStatus"] != "ACTIVE":
        raise Ailment(f"{name} is {table['TableStatus']}", "wait until it is ACTIVE")
    if keys != ["pk", "sk"]:
        raise Ailment(f"{name} has the keys {', '.join(keys)}; expected pk, sk", _DEPLOY)
    return f"{name} is there"


def look_at_bucket(s3: Any, name: str) -> str:
    """The archive's bucket."""
    s3.head_bucket(Bucket=name)
    return f"{name} is there"


def look_at_secret(secretsmanager: Any, arn: str) -> str:
    """The secret with the broker's keys; none of them is told."""
    keys_in(secretsmanager, arn)
    return "key_id and secret_key are filled in"


def keys_in(secretsmanager: Any, arn: str) -> tuple[str, str]:
    """The broker's key_id and secret_key."""
    try:
        return broker_keys(secretsmanager.get_secret_value(SecretId=arn)["SecretString"], arn)
    except KeysRefused as refused:
        raise Ailment(str(refused).removesuffix(f"; {HOW}"), HOW) from refused


def look_at_account(broker: Broker) -> str:
    """The brokerage account: the keys are accepted, and no flag keeps it from trading."""
    account = broker.account()
    if account.blocked:
        raise Ailment(f"the account may not trade: {account.blocked}", "log in at Alpaca: only there it can be lifted")
    return f"may trade; equity {money(account.equity)} USD, buying power {money(account.buying_power)} USD"


def look_at_clock(broker: Broker, now: datetime | None) -> str:
    """The broker's clock, against this computer's if `now` is given: a replayed market has a time of its own."""
    clock = broker.clock()
    if now and abs(clock.now - now) > _MOST_SKEW:
        raise Ailment(
            f"the broker's clock says {_at(clock.now)}, this computer's {_at(now)}",
            "set this computer's clock; if it is right, do not trade before the broker's is",
        )
    hours = f"open until {_at(clock.next_close)}" if clock.is_open else f"closed until {_at(clock.next_open)}"
    return f"{_at(clock.now)} New York, {hours}"


def look_at_prices(source: MarketData, broker: Broker) -> str:
    """The price source, by one ticker."""
    tradable = broker.tradable_symbols()
    if not tradable:
        raise Ailment("the broker trades no symbol at all", "ask Alpaca's support what the account may trade")
    symbol = next((known for known in _WELL_KNOWN if known in tradable), min(tradable))
    session = broker.clock().session
    closes = source.daily_closes([symbol], session - timedelta(days=10), session - timedelta(days=1))
    price = source.latest_prices([symbol]).get(symbol)
    if closes.empty or price is None:
        lacking = "close of the last 10 days" if closes.empty else "last price"
        raise Ailment(f"{source.name} has no {lacking} of {symbol}", "deploy with another MarketData: yahoo or alpaca")
    day, close = closes.index[-1], closes[symbol].iloc[-1]
    return f"{source.name}: {symbol} closed at {close:.2f} USD on {day:%Y-%m-%d}, last price {price} USD"


def look_at_alerts(sns: Any, topic: str) -> str:
    """Who hears of failures."""
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    found = [subscription for page in pages for subscription in page["Subscriptions"]]
    confirmed = [f"{s['Protocol']} {s['Endpoint']}" for s in found if s["SubscriptionArn"] != _PENDING]
    if confirmed:
        return f"told to {', '.join(confirmed)}"
    if found:
        waiting = ", ".join(subscription["Endpoint"] for subscription in found)
        raise Ailment(f"{waiting} has not confirmed the subscription", "follow the link in AWS's mail")
    raise Ailment(
        "nobody hears of failures",
        f"aws sns subscribe --topic-arn {topic} --protocol email --notification-endpoint YOU@EXAMPLE.COM",
    )


def look_at_schedules(cloudformation: Any, scheduler: Any, stack: str) -> str:
    """Whether the stack's schedules start runs."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    resources = [resource for page in pages for resource in page["StackResourceSummaries"]]
    names = [r["PhysicalResourceId"] for r in resources if r["ResourceType"] == "AWS::Scheduler::Schedule"]
    listed = scheduler.get_paginator("list_schedules").paginate()
    states = {schedule["Name"]: schedule["State"] for page in listed for schedule in page["Schedules"]}
    off = [f"{name} is {states.get(name, 'gone')}" for name in names if states.get(name) != "ENABLED"]
    if not names:
        raise Ailment("the stack has no schedule", _DEPLOY)
    if off:
        raise Ailment(", ".join(off), "openbell schedules on; until then runs start by hand only")
    return f"{count(len(names), 'schedule')} enabled"


def look_at_lambdas(client: Any, parameters: Mapping[str, str]) -> str:
    """Whether the account may run as many Lambdas at once as a run wants."""
    free, wanted = free_lambdas(client), lambdas_of_a_run(parameters)
    if free < wanted:
        fits = max(1, int(parameters.get("ForecastLambdas", "40")) - (wanted - free))
        raise Ailment(
            f"the account may run {count(free, 'Lambda')} at once, and a run wants {wanted}: its forecasts will wait",
            f"deploy with ForecastLambdas={fits}; or ask AWS for more: Service Quotas, Lambda, Concurrent executions",
        )
    return f"the account may run {free:,} at once; a run wants {wanted}"


def look_at_halt(ledger: Ledger) -> str:
    """Whether trading is on."""
    halt = ledger.halt()
    if halt:
        raise Ailment(f"halted since {_at(halt.at)} by {halt.by}: {halt.reason}", "openbell resume")
    return "on"


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(NEW_YORK):%Y-%m-%d %H:%M}"
