"""The order book of the account: every order ever accepted, and which of them belong together."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from paper.orders import ZERO, Order, OrderClass, Side, Status


class Book:
    """Orders by id, in the order of their acceptance. Nothing is ever removed: ids are used for ever."""

    def __init__(self, orders: Iterable[Order] = ()) -> None:
        self._orders: dict[str, Order] = {}
        self._by_client_id: dict[str, str] = {}
        self._legs: dict[str, list[str]] = defaultdict(list)
        self._open: dict[str, None] = {}
        for order in orders:
            self.put(order)

    def __len__(self) -> int:
        return len(self._orders)

    def put(self, order: Order) -> Order:
        """Add the order, or change it to this."""
        known = self._orders.get(order.id)
        if known and known.parent_id and known.parent_id != order.parent_id:
            self._legs[known.parent_id].remove(order.id)
        if order.parent_id and (known is None or known.parent_id != order.parent_id):
            self._legs[order.parent_id].append(order.id)
        self._orders[order.id] = order
        self._by_client_id[order.client_order_id] = order.id
        if order.status.open:
            self._open[order.id] = None
        else:
            self._open.pop(order.id, None)
        return order

    def get(self, order_id: str) -> Order | None:
        """The order with this id."""
        return self._orders.get(order_id)

    def by_client_id(self, client_order_id: str) -> Order | None:
        """The order that was sent with this client_order_id, at any time."""
        order_id = self._by_client_id.get(client_order_id)
        return self._orders[order_id] if order_id else None

    def all(self) -> list[Order]:
        """Every order, oldest first."""
        return list(self._orders.values())

    def open(self, symbol: str | None = None) -> list[Order]:
        """Orders to which something can still happen, oldest first, of one symbol or of all."""
        found = (self._orders[order_id] for order_id in self._open)
        return [order for order in found if symbol is None or order.symbol == symbol]

    def legs(self, order: Order) -> list[Order]:
        """The order's legs, without those that were replaced."""
        found = (self._orders[leg_id] for leg_id in self._legs.get(order.id, ()))
        return [leg for leg in found if leg.status is not Status.REPLACED]

    def root(self, order: Order) -> Order:
        """The order whose leg this is, or the order itself."""
        return self._orders[order.parent_id] if order.parent_id else order

    def group(self, order: Order) -> list[Order]:
        """The order, the order whose leg it is, and all legs: whatever ends together with it."""
        root = self.root(order)
        return [root, *self.legs(root)]

    def rivals(self, order: Order) -> list[Order]:
        """Open orders of which only one may fill together with this one: the other exits of its group."""
        root = self.root(order)
        exits = self.legs(root) if root.order_class is not OrderClass.OCO else self.group(root)
        if all(member.id != order.id for member in exits):
            return []
        return [member for member in exits if member.id != order.id and member.status.open]

    def end(self, order: Order, status: Status, at: datetime) -> Order:
        """Write that the order ended, if it is still open by now."""
        current = self._orders[order.id]
        if not current.status.open:
            return current
        return self.put(replace(current, status=status, ended_at=at, updated_at=at))

    def reserved_cash(self) -> Decimal:
        """USD that open buys set aside."""
        return sum((order.reserved for order in self.open()), ZERO)

    def reserved_shares(self, symbol: str) -> Decimal:
        """Shares that live sells hold; exits of one group hold them together, once."""
        by_group: dict[str, Decimal] = {}
        for order in self.open(symbol):
            if order.side is Side.SELL and order.status.live:
                key = order.parent_id or order.id
                by_group[key] = max(by_group.get(key, ZERO), order.remaining)
        return sum(by_group.values(), ZERO)
