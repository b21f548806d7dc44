"""What a month costs on AWS, reckoned from what ticks have used. A tick is one firing of a schedule, skipped or not.

Lambda's time, the transitions and the logs are recorded; requests to DynamoDB and S3 follow from what the code does for
each tick, forecast and order. The prices stand in data/prices.json with their date.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from importlib.resources import files

TICKS = 26 * 21  # in a month: every quarter of an hour of a session, in 21 sessions
_HOURS = 730  # of a month; a metric is paid for the hours in which it gets values
_HOURS_AT_WORK = 7 * 21  # 09:30 to 15:45 touches seven hours of a session
_RESTING = 4 * (_HOURS - _HOURS_AT_WORK)  # quarters of an hour in which Scheduler writes the heartbeat by itself

# Units of DynamoDB; what a transaction writes or checks counts twice.
_WRITES = {"tick": 24, "forecast": 2, "order": 40}
_READS = {"tick": 40, "forecast": 2, "order": 24}
_PUTS = {"tick": 10}  # objects of one run
_GETS = {"tick": 14, "batch": 3}
_SCALED = ("ForecastFunction", "SelectUniverseFunction")  # whose time grows with the tickers
_SECRET_READS = 5  # a tick: each function that talks to Alpaca, because none remembers the keys for longer


@dataclass(frozen=True)
class Price:
    """What one unit costs, and how many units are free every month; `observing` parts trade nothing."""

    name: str
    unit: str
    price: Decimal  # USD
    free: int
    observing: bool = False


@dataclass(frozen=True)
class Prices:
    """All prices, as of a date, by the names that a bill uses."""

    date: str
    region: str
    items: Mapping[str, Price]


@cache
def load_prices() -> Prices:
    """The prices that ship with the platform."""
    found = json.loads((files("openbell") / "data" / "prices.json").read_text())
    items = {
        key: Price(p["name"], p["unit"], Decimal(p["price"]), p["free"], p.get("observing", False))
        for key, p in found["items"].items()
    }
    return Prices(found["date"], found["region"], items)


@dataclass(frozen=True)
class Recorded:
    """What ticks have used, all together: `ticks` of them, of which histories of `histories` were read."""

    ticks: int
    gb_seconds: Mapping[str, float] = field(default_factory=dict)  # by function's name in the template
    invocations: Mapping[str, int] = field(default_factory=dict)
    histories: int = 0
    transitions: int = 0  # in those histories, as the three below
    batches: int = 0
    orders: int = 0
    forecasting: int = 0  # of the histories, those with forecasts
    tickers: float = 0.0  # forecast in each of these, on average
    log_bytes: int = 0
    metrics: int = 0  # distinct ones
    alarms: int = 0
    dashboards: int = 0


@dataclass(frozen=True)
class Line:
    """One line of a bill, USD: without the free quantity, and with it."""

    item: str
    name: str
    quantity: float
    unit: str
    full: Decimal
    due: Decimal
    observing: bool


def with_tickers(recorded: Recorded, tickers: int, batches: int) -> Recorded:
    """The same ticks with so many tickers to forecast in so many batches; an upper bound.

    Prices and forecasts take time in proportion. Raises ValueError if nothing was forecast in what is recorded.
    """
    if not recorded.tickers:
        raise ValueError("the recorded runs made no forecasts: there is nothing to reckon from")
    factor, made = tickers / recorded.tickers, recorded.forecasting * batches
    invoked = dict(recorded.invocations)
    invoked["ForecastFunction"] = round(invoked["ForecastFunction"] * made / recorded.batches)
    seconds = {name: value * (factor if name in _SCALED else 1.0) for name, value in recorded.gb_seconds.items()}
    return replace(
        recorded,
        gb_seconds=seconds,
        invocations=invoked,
        transitions=recorded.transitions + made - recorded.batches,
        batches=made,
        tickers=float(tickers),
    )


def monthly(recorded: Recorded, ticks: int = TICKS) -> dict[str, float]:
    """Quantities of a month of so many ticks that are like the recorded ones, by the names of the prices."""
    scale = ticks / recorded.ticks
    of_histories = ticks / recorded.histories if recorded.histories else 0.0
    counts = {
        "tick": float(ticks),
        "batch": recorded.batches * of_histories,
        "forecast": recorded.forecasting * recorded.tickers * of_histories,
        "order": recorded.orders * of_histories,
    }
    return {
        "lambda_gb_second": sum(recorded.gb_seconds.values()) * scale,
        "lambda_request": sum(recorded.invocations.values()) * scale,
        "transition": recorded.transitions * of_histories,
        "write_unit": _sum(_WRITES, counts),
        "read_unit": _sum(_READS, counts),
        "s3_put": _sum(_PUTS, counts),
        "s3_get": _sum(_GETS, counts),
        "schedule": ticks + _RESTING,
        "event": ticks + counts["order"],
        "trace": float(ticks),
        "log_gb": recorded.log_bytes * scale / 1e9,
        "metric": 1 + max(0, recorded.metrics - 1) * _HOURS_AT_WORK / _HOURS,  # the heartbeat never rests
        "alarm": float(recorded.alarms),
        "dashboard": float(recorded.dashboards),
        "secret": 1.0,
        "secret_call": float(ticks * _SECRET_READS),
    }


def bill(quantities: Mapping[str, float], prices: Prices) -> tuple[Line, ...]:
    """The lines of a month in the order of the prices."""
    return tuple(_line(item, quantities[item], price) for item, price in prices.items.items() if item in quantities)


def total(lines: Sequence[Line], *, observing: bool | None = None) -> tuple[Decimal, Decimal]:
    """USD without and with the free quantities; of one half only if `observing` says which."""
    chosen = [line for line in lines if observing is None or line.observing is observing]
    return sum((line.full for line in chosen), Decimal(0)), sum((line.due for line in chosen), Decimal(0))


def shares(forecasting: float, tickers: Mapping[str, int], strategies: Sequence[str]) -> dict[str, float]:
    """Which fraction of the trading half each strategy causes.

    The fraction `forecasting` of it is divided among those who want forecasts, by their `tickers`; the rest equally.
    """
    wanted = sum(tickers.values())
    if not wanted:
        return {name: 1 / len(strategies) for name in strategies}
    rest = (1 - forecasting) / len(strategies)
    return {name: rest + forecasting * tickers.get(name, 0) / wanted for name in strategies}


def _sum(units: Mapping[str, int], counts: Mapping[str, float]) -> float:
    return sum(number * counts[each] for each, number in units.items())


def _line(item: str, quantity: float, price: Price) -> Line:
    full = Decimal(str(quantity)) * price.price
    due = Decimal(str(max(0.0, quantity - price.free))) * price.price
    return Line(item, price.name, quantity, price.unit, full, due, price.observing)
