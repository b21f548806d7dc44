"""The default ranking of a universe without pandas: the same order, or the slow way where rounding could decide."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from openbell.strategies import Market, Parameters, Strategy
from paper.history import Floats

_ROUNDING = 1e-12  # far above what two ways to add a few thousand returns differ by, far below what tells symbols apart


class Ranked(Strategy[Parameters]):
    """Stands in for a strategy whose ranking is known already."""

    def __init__(self, ranked: tuple[str, ...]) -> None:
        super().__init__(Parameters())
        self._ranked = ranked

    def universe(self, market: Market, size: int, lookback: int) -> tuple[str, ...]:  # noqa: ARG002 the protocol's
        """See Strategy."""
        return self._ranked


def ranks_by_default(strategy: Strategy[Any]) -> bool:
    """Whether the strategy leaves the ranking to the protocol."""
    return type(strategy).universe is Strategy.universe


def default_ranking(closes: Floats, symbols: Sequence[str], size: int, lookback: int) -> tuple[str, ...] | None:
    """What `Strategy.universe` gives for `closes` `(n_sessions, n_symbols)`; None where means are too close to tell."""
    window = closes[-(lookback + 1) :]
    if len(window) <= lookback:
        return ()
    complete = np.flatnonzero(~np.isnan(window).any(axis=0))
    window = window if len(complete) == len(symbols) else window[:, complete]
    if not len(complete):
        return ()
    returns = window[1:] / window[:-1] - 1
    means = returns.mean(axis=0)
    order = np.argsort(-means, kind="stable")[: size + 1]
    gaps = -np.diff(means[order])
    if len(gaps) and gaps.min() < _ROUNDING * max(1.0, float(np.abs(returns).max())):
        return None
    return tuple(symbols[complete[position]] for position in order[:size])
