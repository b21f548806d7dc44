"""What is to be forecast, how, and what comes of it.

Apart from the rest of the vocabulary: the Forecast function knows nothing else of a run, and many start at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class ForecastConfig(BaseModel):
    """How a strategy's forecasts are made."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    horizon: Annotated[int, Field(ge=1, le=60)] = 15  # bars ahead
    history: Annotated[int, Field(ge=60, le=5040)] = 504  # bars fitted
    interval_width: Annotated[float, Field(gt=0, lt=1)] = 0.8
    changepoint_prior_scale: Annotated[float, Field(gt=0, le=10)] | None = None  # none: the preset's own
    engine: Literal["exact", "stan"] = "exact"
    preset: Literal["calibrated", "raw"] = "calibrated"  # anchored and calibrated, or Prophet with its defaults

    @property
    def bars(self) -> int:
        """Bars to hand over: those fitted, and a year more whose forecasts are scored for the calibration."""
        return self.history + (252 if self.preset == "calibrated" else 0)


@dataclass(frozen=True)
class Batch:
    """Tickers that one Forecast Lambda forecasts, all by one specification."""

    tickers: tuple[str, ...]
    spec: str

    @property
    def label(self) -> str:
        """The batch in a word: its ticker, or its first one and how many there are."""
        return self.tickers[0] if len(self.tickers) == 1 else f"{self.tickers[0]}+{len(self.tickers) - 1}"


@dataclass(frozen=True)
class WorkList:
    """What is to be forecast in a run: no ticker twice for the same specification."""

    batches: tuple[Batch, ...]
    specs: Mapping[str, ForecastConfig]  # by id


def spec_id(spec: ForecastConfig) -> str:
    """A short name that equal specifications share."""
    return sha256(spec.model_dump_json().encode()).hexdigest()[:6]


@dataclass(frozen=True)
class Forecast:
    """Prices that Prophet expects for the next `horizon` bars (USD, one value a bar)."""

    symbol: str
    last_close: float
    sessions: tuple[date, ...]
    yhat: tuple[float, ...]
    yhat_lower: tuple[float, ...]
    yhat_upper: tuple[float, ...]
    interval_width: float
    engine: str
    skill: float | None = None  # above 0: past forecasts of this ticker have beaten "tomorrow equals today"
    naive_scale: float | None = None  # mean absolute change of one bar (USD) behind it: the unit of MASE

    def __post_init__(self) -> None:
        if not len(self.sessions) == len(self.yhat) == len(self.yhat_lower) == len(self.yhat_upper):
            raise ValueError(f"{self.symbol}: sessions, yhat, yhat_lower and yhat_upper must have one value a bar each")


def work_list_key(run: str) -> str:
    """Where a run's forecast work list is kept."""
    return f"runs/{run}/worklist.json"


def closes_key(run: str) -> str:
    """Where the closes of a run's snapshot are kept, of which forecasts are made."""
    return f"runs/{run}/snapshot.csv.gz"
