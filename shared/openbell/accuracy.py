"""The record of how good forecasts were: sums that add up over sessions, and the means that they give."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Accuracy:
    """Means over `bars` scores. `hit_rate` is NaN if nothing moved."""

    bars: int
    mape: float
    mase: float
    naive_mase: float
    hit_rate: float
    coverage: float
    pinball: float

    @property
    def skill(self) -> float:
        """How much smaller the error is than that of "tomorrow equals today", as a fraction."""
        return 1 - self.mase / self.naive_mase if self.naive_mase > 0 else float("nan")


@dataclass(frozen=True)
class Tally:
    """Sums over `bars` scores: tallies of several sessions add up, and give the means over all of them."""

    bars: int = 0
    percentage_error: float = 0.0
    scaled_error: float = 0.0
    naive_scaled_error: float = 0.0
    moved: int = 0  # scores with a direction
    hits: int = 0  # of those, in the right one
    covered: int = 0
    pinball: float = 0.0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(Tally)))

    @property
    def accuracy(self) -> Accuracy:
        """The means; ValueError if there are no scores."""
        if not self.bars:
            raise ValueError("no scores to summarise: no forecast bar has met its close yet")
        return Accuracy(
            bars=self.bars,
            mape=self.percentage_error / self.bars,
            mase=self.scaled_error / self.bars,
            naive_mase=self.naive_scaled_error / self.bars,
            hit_rate=self.hits / self.moved if self.moved else float("nan"),
            coverage=self.covered / self.bars,
            pinball=self.pinball / self.bars,
        )
