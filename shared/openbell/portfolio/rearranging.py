"""Changes of sleeves that a person asks for: another size, another name, money or holdings that move, an end.

Each gives what the ledger is to write, in one step. Nothing is bought or sold, and no money appears or is lost: what a
sleeve gives up goes to another sleeve, or to the account's cash that no sleeve owns.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from openbell.config import PlatformConfig
from openbell.errors import InvalidInput
from openbell.model import ZERO, Order, Position, Sleeve
from openbell.money import to_cents


@dataclass(frozen=True)
class Books:
    """What a change depends on. USD; `free` is the account's cash that no sleeve owns."""

    sleeves: Mapping[str, Sleeve]
    open_orders: Sequence[Order]
    committed: Mapping[str, Decimal]  # by strategy, what working buys may still take
    free: Decimal

    def sleeve(self, name: str) -> Sleeve:
        """The sleeve of a strategy; InvalidInput if there is none."""
        if name not in self.sleeves:
            known = ", ".join(sorted(self.sleeves)) or "none"
            raise InvalidInput(f"there is no sleeve {name!r}; the ledger has: {known}")
        return self.sleeves[name]

    def spendable(self, name: str) -> Decimal:
        """Cash of a sleeve that no working buy may take."""
        return max(ZERO, self.sleeve(name).cash - self.committed.get(name, ZERO))


@dataclass(frozen=True)
class Rearrangement:
    """Sleeves to write, to open and to remove, and open orders whose shares belong to another strategy from then on."""

    changed: tuple[Sleeve, ...] = ()
    opened: tuple[Sleeve, ...] = ()
    removed: tuple[Sleeve, ...] = ()
    orders: tuple[Order, ...] = ()
    told: tuple[str, ...] = ()  # what it does, in sentences


def resize(books: Books, name: str, equity: Decimal, prices: Mapping[str, Decimal]) -> Rearrangement:
    """Bring a sleeve's equity (USD, at `prices`) to `equity` with cash from or for the account.

    Raises InvalidInput where there is not the cash for it: holdings are not sold here.
    """
    sleeve, now = books.sleeve(name), books.sleeve(name).equity(prices)
    change = to_cents(equity - now)
    if change > books.free:
        raise InvalidInput(
            f"{name} is worth {now:.2f} USD; {change:.2f} USD more are wanted, and the account has "
            f"{books.free:.2f} USD that belong to no strategy: make another sleeve smaller first"
        )
    if -change > books.spendable(name):
        raise InvalidInput(
            f"{name} is worth {now:.2f} USD, of which {books.spendable(name):.2f} USD are cash that can be taken; "
            f"{-change:.2f} USD are wanted: let it sell first, or take less"
        )
    if not change:
        return Rearrangement(told=(f"{name} is worth {now:.2f} USD already",))
    what = f"{abs(change):.2f} USD {'to' if change > 0 else 'from'} {name}, which is worth {equity:.2f} USD then"
    return Rearrangement((replace(sleeve, cash=sleeve.cash + change),), told=(what,))


def transfer(books: Books, giver: str, taker: str, amount: Decimal) -> Rearrangement:
    """Pass cash (USD) from one sleeve to another. Raises InvalidInput where it is not there."""
    one, other = books.sleeve(giver), books.sleeve(taker)
    if giver == taker or amount <= 0 or amount != to_cents(amount):
        raise InvalidInput(f"a transfer needs two sleeves and an amount in cents above 0, got {amount} USD")
    if amount > books.spendable(giver):
        raise InvalidInput(f"{giver} has {books.spendable(giver):.2f} USD that it can give; {amount} USD are wanted")
    changed = (replace(one, cash=one.cash - amount), replace(other, cash=other.cash + amount))
    return Rearrangement(changed, told=(f"{amount:.2f} USD from {giver} to {taker}",))


def rename(books: Books, name: str, new: str) -> Rearrangement:
    """Give a sleeve, with all that it holds and its open orders, to a strategy of another name that has none yet."""
    sleeve = books.sleeve(name)
    if new in books.sleeves:
        raise InvalidInput(f"{new} has a sleeve already; to join both: openbell sleeves close {name} --into {new}")
    opened = replace(sleeve, strategy=new, version=0)
    orders = _handed_on(books.open_orders, name, new)
    told = (f"the sleeve of {name} becomes that of {new}: {_contents(sleeve)}", *_orders_told(orders, new))
    return Rearrangement(opened=(opened,), removed=(sleeve,), orders=orders, told=told)


def close(books: Books, name: str, into: str = "") -> Rearrangement:
    """End a sleeve: its cash goes to the account, or all that it has to the sleeve `into`.

    Raises InvalidInput if it holds something, or has open orders, that would go to nobody.
    """
    sleeve = books.sleeve(name)
    if not into:
        busy = _handed_on(books.open_orders, name, "")
        if sleeve.positions or busy:
            raise InvalidInput(
                f"{name} has {_contents(sleeve)} and {len(busy)} open orders; sell first (openbell halt --flatten), or "
                f"pass all of it on: openbell sleeves close {name} --into OTHER"
            )
        return Rearrangement(removed=(sleeve,), told=(f"{name} ends; {sleeve.cash:.2f} USD go to the account",))
    if into == name:
        raise InvalidInput(f"{name} cannot be closed into itself")
    orders = _handed_on(books.open_orders, name, into)
    told = (f"{name} ends; {into} takes over {_contents(sleeve)}", *_orders_told(orders, into))
    return Rearrangement((_joined(books.sleeve(into), sleeve),), removed=(sleeve,), orders=orders, told=told)


def _joined(into: Sleeve, sleeve: Sleeve) -> Sleeve:
    positions = dict(into.positions)
    for symbol, held in sleeve.positions.items():
        own = positions.get(symbol, Position(ZERO, ZERO))
        positions[symbol] = replace(
            held, qty=own.qty + held.qty, cost=own.cost + held.cost, protection=own.protection or held.protection
        )
    realised = into.realised_pnl + sleeve.realised_pnl
    return replace(into, cash=into.cash + sleeve.cash, positions=positions, realised_pnl=realised)


def _handed_on(orders: Collection[Order], name: str, new: str) -> tuple[Order, ...]:
    """The open orders of a strategy with its shares under another name; two of one name in an order become one."""
    return tuple(_renamed(order, name, new) for order in orders if name in order.strategies)


def _renamed(order: Order, name: str, new: str) -> Order:
    shares = {share.strategy: share for share in order.shares}
    moved = shares.pop(name)
    own = shares.get(new)
    shares[new] = replace(
        moved,
        strategy=new,
        qty=moved.qty + (own.qty if own else ZERO),
        filled_qty=moved.filled_qty + (own.filled_qty if own else ZERO),
    )
    return replace(order, shares=tuple(shares.values()))


def _contents(sleeve: Sleeve) -> str:
    held = ", ".join(f"{position.qty.normalize():f} {symbol}" for symbol, position in sorted(sleeve.positions.items()))
    return f"{sleeve.cash:.2f} USD" + (f", {held}" if held else "")


def _orders_told(orders: Sequence[Order], new: str) -> list[str]:
    return [f"order {order.client_order_id} counts for {new} from then on" for order in orders]


def orphans(sleeves: Mapping[str, Sleeve], config: PlatformConfig) -> dict[str, str]:
    """Why a sleeve that has something is traded by no strategy, by name."""
    found = {}
    for name, sleeve in sorted(sleeves.items()):
        if name not in config.enabled and (sleeve.cash or sleeve.positions):
            why = "is not enabled" if name in config.strategies else "is not in the configuration"
            found[name] = f"{name} {why}; its sleeve has {_contents(sleeve)}"
    return found
