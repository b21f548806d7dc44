"""The prices of a run: fetched once, checked, and the same for every later state."""

import gzip
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Snapshot:
    """Closes and last prices as of one moment.

    `closes`: `(n_sessions, n_symbols)` adjusted closes in USD, tz-naive session dates ascending, complete sessions
    only. `prices`: raw last prices in USD. `tradable`: symbols that the broker trades now. `left_out`: candidates
    without usable prices, each with its reason.
    """

    as_of: datetime
    source: str
    closes: pd.DataFrame
    prices: Mapping[str, Decimal]
    tradable: frozenset[str]
    left_out: Mapping[str, str]

    def last_closes(self) -> dict[str, Decimal]:
        """The last close of each symbol (USD, to a hundredth of a cent)."""
        last = self.closes.ffill().iloc[-1].dropna() if len(self.closes) else pd.Series(dtype=float)
        return {str(symbol): Decimal(f"{value:.4f}") for symbol, value in last.items()}

    def bar_ages(self) -> dict[str, int]:
        """Sessions between each symbol's last bar and the snapshot's last session."""
        last = len(self.closes) - 1
        ages = {}
        for symbol in self.closes.columns:
            present = np.flatnonzero(self.closes[symbol].notna().to_numpy())
            if len(present):
                ages[str(symbol)] = int(last - present[-1])
        return ages

    def to_bytes(self) -> tuple[bytes, bytes]:
        """The closes as gzipped CSV that reads back bit by bit, and the rest as JSON."""
        meta = {
            "as_of": self.as_of.isoformat(),
            "source": self.source,
            "prices": {symbol: str(price) for symbol, price in sorted(self.prices.items())},
            "tradable": sorted(self.tradable),
            "left_out": dict(sorted(self.left_out.items())),
        }
        return write_closes(self.closes), json.dumps(meta).encode()

    @classmethod
    def from_bytes(cls, closes: bytes, meta: bytes) -> "Snapshot":
        """What `to_bytes` gave."""
        frame = read_closes(closes)
        facts = json.loads(meta)
        return cls(
            as_of=datetime.fromisoformat(facts["as_of"]),
            source=facts["source"],
            closes=frame,
            prices={symbol: Decimal(price) for symbol, price in facts["prices"].items()},
            tradable=frozenset(facts["tradable"]),
            left_out=facts["left_out"],
        )


def write_closes(closes: pd.DataFrame) -> bytes:
    """`closes` as gzipped CSV that reads back bit by bit."""
    return gzip.compress(closes.to_csv(index_label="session", date_format="%Y-%m-%d").encode(), mtime=0)


def read_closes(content: bytes, symbols: Sequence[str] | None = None) -> pd.DataFrame:
    """The closes in a snapshot's CSV, of `symbols` only if given: a Forecast reads just its columns."""
    columns = None if symbols is None else ["session", *symbols]
    return pd.read_csv(
        io.BytesIO(gzip.decompress(content)),
        index_col="session",
        parse_dates=["session"],
        usecols=columns,
    )


def usable(closes: pd.DataFrame, symbols: Sequence[str], end: date) -> tuple[pd.DataFrame, dict[str, str]]:
    """The columns of `closes` that can be traded on, and the reason for every symbol of `symbols` that cannot.

    A gap inside the history is filled with the last close before it; zero and negative prices, a missing last bar and
    too few bars are reasons to leave the symbol out.
    """
    left_out = {}
    good = []
    for symbol in symbols:
        reason = "no prices at all" if symbol not in closes.columns else _fault(closes[symbol], end)
        if reason:
            left_out[symbol] = reason
        else:
            good.append(symbol)
    return closes[good], left_out


_FEWEST_BARS = 30
_MOST_GAPS = 0.05  # of the bars since the symbol's first


def _fault(series: "pd.Series[float]", end: date) -> str:
    present = series.dropna()
    if len(present) < _FEWEST_BARS:
        return f"only {len(present)} bars up to {end}; at least {_FEWEST_BARS} are needed"
    bad = present[present <= 0]
    if len(bad):
        return f"price {bad.iloc[-1]:g} on {bad.index[-1]:%Y-%m-%d}; prices must be above 0"
    if not np.isfinite(present.to_numpy()).all():
        return "an infinite price"
    since = series.loc[present.index[0] :]
    gaps = int(since.isna().sum())
    if gaps > _MOST_GAPS * len(since):
        return f"{gaps} of {len(since)} bars are missing; at most {_MOST_GAPS:.0%} may be"
    if pd.isna(series.iloc[-1]):
        return (
            f"no bar for the last session {series.index[-1]:%Y-%m-%d}; the last one is of {present.index[-1]:%Y-%m-%d}"
        )
    return ""
