"""The exchange's state as one JSON file, so that a restart continues where the last process stopped."""

import os
from dataclasses import field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from paper.account import Account, Holding
from paper.actions import Action, Entry, Payment
from paper.book import Book
from paper.orders import Fill, Order
from paper.sessions import NEW_YORK
from paper.state import Asset, Rules, State

_VERSION = 1


@dataclass(frozen=True)
class _Saved:
    version: int
    rules: Rules
    now: datetime
    opened_at: datetime
    opening_equity: Decimal
    cash: Decimal
    holdings: list[Holding]
    orders: list[Order]
    fills: list[Fill]
    equities: list[tuple[date, Decimal]]
    assets: list[Asset]
    trading_blocked: bool
    account_blocked: bool
    entries: list[Entry] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)


_FORMAT = TypeAdapter(_Saved)


def write_state(path: Path, state: State, rules: Rules) -> None:
    """Write the state to a new file and move it to `path` when it is complete: a reader never sees half of it."""
    saved = _Saved(
        version=_VERSION,
        rules=rules,
        now=state.now,
        opened_at=state.opened_at,
        opening_equity=state.opening_equity,
        cash=state.account.cash,
        holdings=list(state.account.holdings.values()),
        orders=state.book.all(),
        fills=state.fills,
        equities=state.equities,
        assets=list(state.assets.values()),
        trading_blocked=state.trading_blocked,
        account_blocked=state.account_blocked,
        entries=state.entries,
        actions=state.actions,
        payments=state.payments,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with unfinished.open("wb") as file:
        file.write(_FORMAT.dump_json(saved, indent=1))
        file.flush()
        os.fsync(file.fileno())  # else a power cut may leave an empty file under the name
    unfinished.replace(path)


def read_state(path: Path) -> tuple[State, Rules]:
    """What `write_state` wrote; ValueError if the file is something else."""
    try:
        saved = _FORMAT.validate_json(path.read_bytes())
    except ValidationError as error:
        raise ValueError(f"{path} is not a saved paper exchange: {error}") from error
    if saved.version != _VERSION:
        raise ValueError(f"{path} was saved in format {saved.version}; this version reads format {_VERSION}")
    state = State(
        now=saved.now.astimezone(NEW_YORK),
        opened_at=saved.opened_at.astimezone(NEW_YORK),
        opening_equity=saved.opening_equity,
        account=Account(saved.cash, {holding.symbol: holding for holding in saved.holdings}),
        book=Book(saved.orders),
        fills=saved.fills,
        equities=saved.equities,
        assets={asset.symbol: asset for asset in saved.assets},
        trading_blocked=saved.trading_blocked,
        account_blocked=saved.account_blocked,
        entries=saved.entries,
        actions=saved.actions,
        payments=saved.payments,
    )
    return state, saved.rules
