"""The sleeves: what each has, and whether a strategy trades it."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from rich.markup import escape
from rich.table import Table

from cli.formats import money, shares, signed_money
from cli.grid import grid
from cli.views.broker_side import BrokerSide
from openbell.config import PlatformConfig
from openbell.model import Sleeve
from openbell.money import to_cents
from openbell.ports import Ledger


@dataclass(frozen=True)
class ShownSleeve:
    """One sleeve, USD; positions without a price count at their cost. `state`: enabled, or why nobody trades it."""

    strategy: str
    state: str
    cash: Decimal
    equity: Decimal
    realised_pnl: Decimal
    positions: dict[str, Decimal]  # shares by symbol


@dataclass(frozen=True)
class ShownSleeves:
    """All of them, and the account's cash that belongs to none; None when the broker does not answer."""

    sleeves: tuple[ShownSleeve, ...]
    free: Decimal | None


def read_sleeves(ledger: Ledger, side: BrokerSide, config: PlatformConfig | None) -> ShownSleeves:
    """What the ledger has. `config` is that of the newest run, None before the first."""
    found = ledger.sleeves()
    shown = (_shown(sleeve, side, config) for _, sleeve in sorted(found.items()))
    owned = sum((sleeve.cash for sleeve in found.values()), Decimal(0))
    return ShownSleeves(tuple(shown), to_cents(side.account.cash - owned) if side.account else None)


def _shown(sleeve: Sleeve, side: BrokerSide, config: PlatformConfig | None) -> ShownSleeve:
    held = {symbol: position.qty for symbol, position in sorted(sleeve.positions.items())}
    equity = to_cents(sleeve.equity(side.prices))
    return ShownSleeve(sleeve.strategy, _state(sleeve.strategy, config), sleeve.cash, equity, sleeve.realised_pnl, held)


def _state(name: str, config: PlatformConfig | None) -> str:
    if config is None:
        return "not known: no run yet"
    if name in config.enabled:
        return "enabled"
    return "disabled" if name in config.strategies else "not in the configuration"


def sleeves_tables(found: ShownSleeves) -> Iterator[Table | str]:
    """The view for people."""
    table = grid("Sleeves", "Strategy", "State", ">Cash, USD", ">Equity, USD", ">Realised, USD", "Holds")
    for sleeve in found.sleeves:
        held = ", ".join(f"{shares(qty)} {symbol}" for symbol, qty in sleeve.positions.items())
        state = sleeve.state if sleeve.state == "enabled" else f"[yellow]{sleeve.state}[/]"
        row = (money(sleeve.cash), money(sleeve.equity), signed_money(sleeve.realised_pnl), escape(held))
        table.add_row(escape(sleeve.strategy), state, *row)
    yield table if found.sleeves else "There is no sleeve yet: a strategy gets one in its first run."
    if found.free is not None:
        yield f"Of no strategy: {money(found.free)} USD in cash."
