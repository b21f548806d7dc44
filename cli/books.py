"""Whether the ledger's sleeves and the exchange's own positions tell the same story."""

from collections.abc import Mapping
from decimal import Decimal

from cli.formats import shares
from openbell.model import Sleeve


def compare_books(sleeves: Mapping[str, Sleeve], held: Mapping[str, Decimal]) -> tuple[str, ...]:
    """A sentence for each symbol of which the sleeves' shares do not sum to what the exchange holds.

    `held` is shares by symbol. Stricter than the run's own check, which lets the account hold more than the sleeves:
    on our own exchange nobody but the strategies buys.
    """
    owned = owned_shares(sleeves)
    symbols = sorted(owned.keys() | held.keys())
    pairs = ((symbol, owned.get(symbol, Decimal(0)), held.get(symbol, Decimal(0))) for symbol in symbols)
    return tuple(
        f"{symbol}: the ledger has {shares(ours)}, the exchange holds {shares(theirs)}"
        for symbol, ours, theirs in pairs
        if ours != theirs
    )


def owned_shares(sleeves: Mapping[str, Sleeve]) -> dict[str, Decimal]:
    """Shares by symbol, of all sleeves together."""
    owned: dict[str, Decimal] = {}
    for sleeve in sleeves.values():
        for symbol, position in sleeve.positions.items():
            owned[symbol] = owned.get(symbol, Decimal(0)) + position.qty
    return owned
