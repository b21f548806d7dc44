"""What a search of parameters is made of, checked before the first trial."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from cli.market import Market, open_market
from lab.backtest import check_dates
from lab.figures import data_hash
from lab.request import BacktestRequest, chosen_config, settings_of
from lab.trials import Fold, Grid, Terms, Trial, check_grid, cut_folds
from lab.trials.folds import parse_span
from lab.trials.grid import SECTIONS
from openbell.config import PlatformConfig
from openbell.errors import InvalidInput

_TRAIN, _TEST = "2y", "6m"


@dataclass(frozen=True)
class Windows:
    """How a walk-forward cuts history, as it was asked for."""

    train: str
    test: str
    anchored: bool

    def folds(self, sessions: Sequence[date]) -> tuple[Fold, ...]:
        """The folds over `sessions`; InvalidInput if the windows cannot be read or do not fit."""
        train, test = parse_span("--train", self.train or _TRAIN), parse_span("--test", self.test or _TEST)
        return cut_folds(sessions, train, test, anchored=self.anchored)


@dataclass(frozen=True)
class Search:
    """A grid, the market that it is tried on, and from when to when; `seed` is of the bootstrap."""

    grid: Grid
    market: Market
    config: PlatformConfig
    terms: Terms
    first: date
    last: date
    seed: int

    @property
    def sessions(self) -> list[date]:
        """Days with bars from `first` to `last`."""
        return [day for day in self.market.sessions if self.first <= day <= self.last]

    @property
    def trials(self) -> list[Trial]:
        """Every combination over the whole stretch."""
        return [Trial(self.grid.strategy, c, self.first, self.last) for c in self.grid.combinations()]

    @property
    def asked(self) -> dict[str, Any]:
        """What decides which trials there are, as JSON-able data."""
        axes = {section: dict(getattr(self.grid, section)) for section in SECTIONS}
        return {"strategy": self.grid.strategy, "grid": axes, "from": str(self.first), "to": str(self.last)}

    @property
    def data_hash(self) -> str:
        """A short name of the bars."""
        return data_hash(self.market.history)

    def name(self, kind: str) -> str:
        """What to call its files: kind, strategy, dates."""
        return f"{kind}-{_plain(self.grid.strategy)}-{self.first}-{self.last}"

    def new_sweep(self) -> str:
        """A name for a sweep, which no other has."""
        return f"{_plain(self.grid.strategy)}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "-", name)[:40]


def check_sweep_name(name: str) -> str:
    """The name that --resume gives; InvalidInput unless a sweep can be called so."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,60}", name):
        raise InvalidInput(f"--resume {name}: expected the name that the sweep told when it began")
    return name


def open_search(grid: Grid, request: BacktestRequest) -> Search:
    """The search; ConfigError and InvalidInput say what is wrong with grid, configuration, bars or dates."""
    config = chosen_config(request.config, (grid.strategy,))
    check_grid(grid, config)
    market = open_market(request.bars)
    settings = settings_of(request, market.history)
    check_dates(market.history, settings)
    terms = Terms(request.every, request.cash, request.slippage_bps, request.cost_bps, settings.members)
    return Search(grid, market, config, terms, settings.first, settings.last, request.seed)
