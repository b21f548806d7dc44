"""What `config/strategies.yaml` may say, and how it is read."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from openbell.errors import ConfigError, explain
from openbell.forecasts import ForecastConfig
from openbell.schedules import Schedule, is_last_tick

SECONDS_FOR_ALL = 70  # of all strategies together: AggregateSignals loads them, asks them and has 170 in all

Fraction = Annotated[Decimal, Field(ge=0, le=1)]
Usd = Annotated[Decimal, Field(ge=0)]


class _Section(BaseModel):
    # Validators are built when first used: most functions read a part of all this only.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class UniverseConfig(_Section):
    """Which symbols a strategy looks at."""

    members: Literal["sp500", "tradable"] = "sp500"  # of the index, or whatever the broker trades
    size: Annotated[int, Field(ge=1, le=5000)] = 20
    lookback: Annotated[int, Field(ge=2, le=2520)] = 60  # bars whose mean return ranks the candidates


class StrategyConfig(_Section):
    """One strategy: which code, with how much capital, when, and with which parameters."""

    enabled: bool = True
    uses: str = ""  # a strategy that ships, file.py:Class or package.module:Class; empty: the entry's own name
    allocation: Fraction  # of the account's equity, when its sleeve is opened
    schedule: Schedule = Field(default_factory=lambda: Schedule(daily_at="15:00"))
    max_seconds: Annotated[int, Field(ge=1, le=60)] = 20  # that its code may take each time it is asked
    fractional: bool = False  # size in parts of shares, down to a billionth
    overnight: Literal["hold", "exit"] = "hold"  # exit: at the last tick of a session it sells what it holds
    universe: UniverseConfig = Field(default_factory=UniverseConfig)
    forecast: ForecastConfig = Field(default_factory=ForecastConfig)
    parameters: dict[str, Any] = {}

    @property
    def file(self) -> Path | None:
        """The file of the user's own code, None for any other code."""
        name, colon, _ = self.uses.rpartition(":")
        return Path(name) if colon and name.endswith(".py") else None

    @property
    def module(self) -> str:
        """The module of the user's own code, empty for any other code."""
        return "" if self.file else self.uses.rpartition(":")[0]

    def with_file(self, file: Path) -> Self:
        """The same entry with its class taken from `file`."""
        return self.model_copy(update={"uses": f"{file}:{self.uses.rpartition(':')[2]}"})


class RiskConfig(_Section):
    """Limits of the risk gate; fractions are of the account's equity."""

    max_position: Fraction = Decimal("0.25")
    max_gross_exposure: Fraction = Decimal("1")
    max_order_notional: Usd = Decimal(50_000)
    max_daily_turnover: Annotated[Decimal, Field(ge=0, le=10)] = Decimal("2")
    max_price_move: Fraction = Decimal("0.25")  # of the price against the last close
    max_bar_age_sessions: Annotated[int, Field(ge=1, le=30)] = 2
    min_order_notional: Usd = Decimal(1)
    max_slippage: Fraction = Decimal("0.05")  # of a buy: its limit is this far above the price at which it was planned
    max_daily_loss: Fraction = Decimal("0.05")
    no_entry_minutes: Annotated[int, Field(ge=0, le=390)] = 5  # before the close, in which nothing is bought any more
    max_failed_runs: Annotated[int, Field(ge=1, le=100)] = 3  # in a row, before the platform halts itself


class ExecutionConfig(_Section):
    """How orders are followed until they end."""

    poll_seconds: Annotated[int, Field(ge=1, le=300)] = 10
    max_rounds: Annotated[int, Field(ge=1, le=60)] = 12  # looks at the sells, and again at the buys
    # Of orders still open after the last round; reprice cancels them and sends the rest once more, at a limit. Entries
    # that are to be protected are never left: nobody would protect what they fill later.
    unfilled: Literal["leave", "cancel", "reprice"] = "cancel"
    reprice_bps: Annotated[int, Field(ge=1, le=1000)] = 50  # how much worse than the planned price that limit may be


class DataConfig(_Section):
    """What the run demands of its prices and forecasts."""

    max_missing: Fraction = Decimal("0.25")  # share of the tickers without usable prices
    max_failed_forecasts: Fraction = Decimal("0.25")  # share of the tickers without a forecast
    max_jump: Annotated[float, Field(gt=0, le=10)] = 0.6  # |log return| of a bar that is believed without a split
    max_age_sessions: Annotated[int, Field(ge=0, le=30)] = 0  # of a ticker's last bar, behind the newest of all


class PlatformConfig(_Section):
    """The whole file."""

    strategies: Annotated[dict[str, StrategyConfig], Field(min_length=1)]
    risk: RiskConfig = Field(default_factory=RiskConfig)
    execution: ExecutionConfig = Field(default_factory=ExecutionConfig)
    data: DataConfig = Field(default_factory=DataConfig)

    @model_validator(mode="after")
    def _allocations_fit_the_account(self) -> Self:
        total = sum((entry.allocation for entry in self.enabled.values()), Decimal(0))
        if total > 1:
            shares = ", ".join(f"{name} {entry.allocation}" for name, entry in self.enabled.items())
            raise ValueError(
                f"allocations of the enabled strategies sum to {total} ({shares}); they may sum to 1 at most"
            )
        return self

    @property
    def enabled(self) -> dict[str, StrategyConfig]:
        """The strategies that may trade."""
        return {name: entry for name, entry in self.strategies.items() if entry.enabled}

    def due(self, tick: datetime, close: datetime) -> tuple[str, ...]:
        """Names of the enabled strategies that are due at `tick` of the session that ends at `close` (zone-aware)."""
        last = is_last_tick(tick, close)
        return tuple(
            name
            for name, entry in self.enabled.items()
            if entry.schedule.is_due(tick, close) or (last and entry.overnight == "exit")
        )

    def seconds_of(self, name: str, due: int) -> float:
        """How long the strategy's code may take each time it is asked, where `due` strategies share a Lambda's time."""
        return min(float(self.strategies[name].max_seconds), SECONDS_FOR_ALL / max(due, 1))

    def only(self, names: tuple[str, ...]) -> "PlatformConfig":
        """The same configuration with just `names` enabled; ConfigError for an unknown name."""
        unknown = sorted(set(names) - set(self.strategies))
        if unknown:
            raise ConfigError(
                f"unknown strategy {', '.join(unknown)}; the configuration has: {', '.join(sorted(self.strategies))}"
            )
        entries = {name: entry.model_copy(update={"enabled": name in names}) for name, entry in self.strategies.items()}
        return self.model_copy(update={"strategies": entries})

    def with_files_from(self, folder: Path) -> "PlatformConfig":
        """The same configuration; the files that it names are looked for in `folder`, unless they are absolute."""
        entries = {
            name: entry.with_file(folder / entry.file) if entry.file else entry
            for name, entry in self.strategies.items()
        }
        return self.model_copy(update={"strategies": entries})


def without_strategies() -> PlatformConfig:
    """The defaults, and nobody who trades: for a run that only sells, where the file is of no use."""
    return parse_config({"strategies": {"nobody": {"enabled": False, "allocation": "0"}}}, "the defaults")


def load_config(path: Path) -> PlatformConfig:
    """The configuration in the YAML file at `path`; ConfigError names file, field and what is allowed.

    Relative files in `uses` are relative to the folder of `path`, and absolute in what is given.
    """
    import yaml  # noqa: PLC0415 the functions that never read the file need not load it

    try:
        content = yaml.safe_load(path.read_text())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: is not valid YAML: {error}") from error
    return parse_config(content, str(path)).with_files_from(path.parent.resolve())


def parse_config(content: object, source: str) -> PlatformConfig:
    """The configuration in plain data; `source` names it in errors."""
    try:
        return PlatformConfig.model_validate(content)
    except ValidationError as error:
        raise ConfigError(explain(error, source)) from error
