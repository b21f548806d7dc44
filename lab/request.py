"""What is asked of a backtest, checked before anything is played."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Literal

from cli.effective import on_local_market
from lab.membership import read_membership
from lab.outcome import BacktestSettings, Every
from openbell.config import PlatformConfig, load_config, parse_config
from openbell.errors import InvalidInput
from openbell.strategies import SHIPPED, build_strategies
from paper import History

_WARM_UP = 252  # sessions before the first run where no date is asked for
_MOST_BPS = 1000


type Engine = Literal["openbell", "backtrader"]


@dataclass(frozen=True)
class BacktestRequest:
    """The arguments of the command, each readable by itself."""

    strategies: tuple[str, ...]  # empty: all that the configuration enables
    first: date | None
    last: date | None
    every: Every
    bars: Path | None
    cost_bps: Decimal
    slippage_bps: Decimal
    cash: Decimal
    config: Path
    seed: int = 0  # of the bootstrap
    engine: Engine = "openbell"
    members: Path | None = None  # None: every symbol of the data is a candidate on every day


def parse_date(option: str, text: str) -> date | None:
    """A date such as 2015-01-02, None for an empty text; InvalidInput for anything else."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidInput(f"{option} {text}: expected a date such as 2015-01-02") from error


def parse_every(text: str) -> Every:
    """How often it runs; InvalidInput unless it is 1d or 1w."""
    if text == "1d":
        return "1d"
    if text == "1w":
        return "1w"
    raise InvalidInput(f"--every {text}: expected 1d (each session) or 1w (the first session of each week)")


def parse_engine(text: str) -> Engine:
    """What plays the runs; InvalidInput unless it is openbell or backtrader."""
    if text == "openbell":
        return "openbell"
    if text == "backtrader":
        return "backtrader"
    raise InvalidInput(f"--engine {text}: expected openbell (the paper exchange) or backtrader")


def parse_cost(text: str) -> Decimal:
    """The commission in basis points; InvalidInput unless it lies from 0 to 1000."""
    expected = f"basis points from 0 to {_MOST_BPS}, such as 1"
    try:
        bps = Decimal(text)
    except InvalidOperation as error:
        raise InvalidInput(f"--cost-bps {text}: expected {expected}") from error
    if not bps.is_finite() or not 0 <= bps <= _MOST_BPS:
        raise InvalidInput(f"--cost-bps {text}: expected {expected}")
    return bps


def settings_of(request: BacktestRequest, history: History) -> BacktestSettings:
    """From when to when, with what money and which members: by default from a year after the data begins to its end.

    Raises InvalidInput for a file of members that is wrong, or that begins after the first session.
    """
    sessions = history.sessions
    members = read_membership(request.members) if request.members else None
    first = request.first or sessions[min(_WARM_UP, len(sessions) // 2)]
    if members:
        first = first if request.first else max(first, members.days[0])
        if not members.on(first) & set(history.symbols):
            raise InvalidInput(f"--members {request.members}: of the members on {first} the data has no symbol at all")
    last = request.last or sessions[-1]
    return BacktestSettings(
        first, last, request.every, cash=request.cash, slippage_bps=request.slippage_bps, members=members
    )


def chosen_config(path: Path, names: tuple[str, ...]) -> PlatformConfig:
    """The configuration in `path` with just `names` enabled, looking at all symbols of the data.

    A strategy that ships but has no entry gets its defaults and, with others like it, an equal part of the capital that
    the named ones leave. Raises ConfigError for unknown names, wrong parameters and allocations above 1.
    """
    config = load_config(path)
    if names:
        content = config.model_dump(mode="json")
        content["strategies"] |= _defaults(config, names)
        config = parse_config(content, str(path))
        config = parse_config(config.only(names).model_dump(mode="json"), str(path))  # validated once more
    build_strategies(config)
    return on_local_market(config)


def _defaults(config: PlatformConfig, names: tuple[str, ...]) -> dict[str, dict[str, str | bool]]:
    """Entries for those of `names` that ship and have none."""
    missing = [name for name in names if name not in config.strategies and name in SHIPPED]
    given = sum((config.strategies[name].allocation for name in names if name in config.strategies), Decimal(0))
    part = max(Decimal(0), 1 - given) / max(1, len(missing))
    return {name: {"allocation": str(part), "enabled": False} for name in missing}
