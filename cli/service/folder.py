"""The folder of `--state`: the exchange's account, and what the local cloud keeps."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from cli.market import Market, start_of
from cli.service.options import MORNING, NIGHT, UpOptions
from openbell.errors import InvalidInput
from openbell.model import NEW_YORK
from paper import PaperExchange

_EQUITY = Decimal(100_000)
_SLIPPAGE_BPS = 2


@dataclass(frozen=True)
class StateFolder:
    """Where everything is kept that a restart finds again."""

    path: Path

    @property
    def exchange(self) -> Path:
        """The exchange's account and clock."""
        return self.path / "exchange.json"

    @property
    def cloud(self) -> Path:
        """Ledger, archive and histories of executions."""
        return self.path / "cloud"

    def check_market(self, market: Market) -> None:
        """Remember which history is traded in; InvalidInput if it is not the one that the account has traded in."""
        file = self.path / "market.json"
        if not file.exists():
            file.write_text(json.dumps({"source": market.source}) + "\n")
        before = json.loads(file.read_text())["source"]
        if before != market.source:
            raise InvalidInput(
                f"--state {self.path}: its account trades in {before}, not in {market.source}. "
                "Give the same --bars as before, or another folder"
            )


@contextmanager
def held(path: Path, who: str) -> Iterator[None]:
    """The file at `path` is locked by this process, whose end frees it in any case; InvalidInput if another has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InvalidInput(f"{who}: another `openbell up` is running with it; stop that one first") from error
        yield


@contextmanager
def state_folder(path: Path | None) -> Iterator[StateFolder | None]:
    """The folder, made if need be and held by this process; None if nothing is to be kept."""
    if path is None:
        yield None
        return
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"--state {path}: cannot be made: {error.strerror}; expected a folder") from error
    with held(path / "lock", f"--state {path}"):
        yield StateFolder(path.resolve())


def open_exchange(options: UpOptions, market: Market, folder: StateFolder | None) -> PaperExchange:
    """The exchange that is kept in `folder`, else a new one; InvalidInput if the options say otherwise."""
    if folder:
        folder.check_market(market)
        if folder.exchange.exists():
            return _continued(options, market, folder)
    return PaperExchange(
        market.history,
        cash=options.equity or _EQUITY,
        at=start_of(market, options.start, 1) if options.start else _default_start(market),
        slippage_bps=_SLIPPAGE_BPS,
        file=folder.exchange if folder else None,
    )


def _continued(options: UpOptions, market: Market, folder: StateFolder) -> PaperExchange:
    for given, option in ((options.start, "--from"), (options.equity, "--equity")):
        if given is not None:
            raise InvalidInput(
                f"{option}: the account in --state {folder.path} goes on from where it stands; leave it out"
            )
    try:
        return PaperExchange.load(folder.exchange, market.history, file=folder.exchange)
    except ValueError as error:
        raise InvalidInput(f"--state {folder.path}: {error}") from error


def _default_start(market: Market) -> datetime:
    return datetime.combine(start_of(market, None, 1).date(), MORNING, NEW_YORK)


def end_of(options: UpOptions, market: Market, now: datetime) -> datetime:
    """When the last tick may fire; InvalidInput if that lies before `now`, or beyond the data."""
    last = datetime.combine(market.sessions[-1], NIGHT, NEW_YORK)
    until = options.until or last
    if until <= now:
        raise InvalidInput(f"--until {until:%Y-%m-%dT%H:%M}: the exchange stands at {now:%Y-%m-%d %H:%M} already")
    if until > last:
        raise InvalidInput(f"--until {until:%Y-%m-%dT%H:%M}: the data ends on {last:%Y-%m-%d}")
    return until
