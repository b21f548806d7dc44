"""Trades of all strategies to one plan: netted inside the account, the rest as order intents for the broker."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256

from openbell.model import ZERO, Cross, Cut, Order, Plan, Share, Side
from openbell.money import ONE_SHARE, allocate
from openbell.portfolio.sizing import BracketRule
from openbell.portfolio.trades import Trade

# Far enough never to trade in the days that a holding lives, near enough to pass for prices.
FAR = BracketRule(stop=Decimal("0.50"), stop_limit=Decimal("0.55"), take_profit=Decimal("1.00"))


def make_plan(
    run_id: str, trades: Sequence[Trade], cuts: Sequence[Cut], protected: Collection[tuple[str, str]]
) -> Plan:
    """The plan of a run: crosses between sleeves first, then one order for each symbol, side and bracket.

    `protected` holds (strategy, symbol) of holdings whose shares rest in protective orders. Those holdings, and entries
    that come with a bracket, are not crossed: their shares must pass the broker so that the protection is right.

    A plain buy of a symbol in which protective sells rest gets a bracket of its own, far from the price: the broker
    would take a plain one for a wash trade.
    """
    crosses: list[Cross] = []
    left: list[Trade] = []
    by_symbol: dict[str, list[Trade]] = defaultdict(list)
    for trade in trades:
        by_symbol[trade.symbol].append(trade)
    for symbol in sorted(by_symbol):
        crossed, remaining = _net(by_symbol[symbol], protected)
        crosses += crossed
        left += remaining
    opposed = {symbol for _, symbol in protected}
    orders = [_order(run_id, group) for group in _groups([_shielded(trade, opposed) for trade in left])]
    return Plan(run_id, tuple(sorted(orders, key=_sending_order)), tuple(crosses), tuple(cuts))


def client_order_id(run_id: str, symbol: str, side: Side, leg: str, revision: int = 1) -> str:
    """The id that makes an order one and the same however often it is sent; at most 48 characters.

    A cancelled id can never be used again at the broker: a new attempt takes the next revision.
    """
    result = f"{run_id}-{symbol}-{side.value}-{leg}-{revision}"
    if len(result) > 48:  # noqa: PLR2004 the shortest limit that any of Alpaca's clients states
        raise ValueError(f"client_order_id {result!r} has {len(result)} characters; 48 are allowed")
    return result


def _net(trades: Sequence[Trade], protected: Collection[tuple[str, str]]) -> tuple[list[Cross], list[Trade]]:
    """Crosses between opposite trades in one symbol, and the trades less what was crossed."""
    sells = [t for t in trades if t.side is Side.SELL and (t.strategy, t.symbol) not in protected]
    buys = [t for t in trades if t.side is Side.BUY and t.bracket is None]
    qty = min(_total(sells), _total(buys))
    given = _crossed(sells, qty)
    taken = _crossed(buys, qty)
    remaining = [_less(trade, given.get(id(trade), ZERO) + taken.get(id(trade), ZERO)) for trade in trades]
    return _pair(sells, buys, given, taken), [trade for trade in remaining if trade]


def _total(trades: Sequence[Trade]) -> Decimal:
    return sum((trade.qty for trade in trades), ZERO)


def _crossed(trades: Sequence[Trade], qty: Decimal) -> dict[int, Decimal]:
    """How much of each trade is crossed, pro rata to what it wanted."""
    if not trades:
        return {}
    parts = allocate(qty, [trade.qty for trade in trades], ONE_SHARE)
    return {id(trade): part for trade, part in zip(trades, parts, strict=True)}


def _less(trade: Trade, crossed: Decimal) -> Trade | None:
    return replace(trade, qty=trade.qty - crossed) if trade.qty > crossed else None


def _pair(
    sells: Sequence[Trade], buys: Sequence[Trade], given: dict[int, Decimal], taken: dict[int, Decimal]
) -> list[Cross]:
    """Who passes shares to whom: sellers and buyers walked through in order."""
    crosses = []
    open_buys = [(buy, taken[id(buy)]) for buy in buys if taken.get(id(buy))]
    for sell in sells:
        to_give = given.get(id(sell), ZERO)
        while to_give:
            buy, wanted = open_buys.pop(0)
            qty = min(to_give, wanted)
            crosses.append(Cross(sell.symbol, sell.strategy, buy.strategy, qty, sell.price))
            to_give -= qty
            if wanted > qty:
                open_buys.insert(0, (buy, wanted - qty))
    return crosses


def _shielded(trade: Trade, opposed: Collection[str]) -> Trade:
    if trade.side is Side.SELL or trade.bracket or trade.symbol not in opposed:
        return trade
    return replace(trade, bracket=FAR.around(trade.price))


def _groups(trades: Sequence[Trade]) -> list[list[Trade]]:
    """Trades that can be one order. A bracket protects one strategy's shares, so it is never shared."""
    groups: dict[tuple[str, Side, str], list[Trade]] = defaultdict(list)
    for trade in trades:
        owner = trade.strategy if trade.bracket else ""
        groups[trade.symbol, trade.side, owner].append(trade)
    return [groups[key] for key in sorted(groups)]


def _order(run_id: str, trades: Sequence[Trade]) -> Order:
    first = trades[0]
    leg = f"b{sha256(first.strategy.encode()).hexdigest()[:4]}" if first.bracket else "x"
    return Order(
        client_order_id=client_order_id(run_id, first.symbol, first.side, leg),
        run_id=run_id,
        symbol=first.symbol,
        side=first.side,
        qty=_total(trades),
        reference_price=first.price,
        reason="; ".join(f"{trade.strategy}: {trade.reason}" for trade in trades),
        shares=tuple(Share(trade.strategy, trade.qty) for trade in trades),
        bracket=first.bracket,
    )


def _sending_order(order: Order) -> tuple[bool, bool, str]:
    """Sells first. Plain buys before bracketed ones, whose protective sells would make a later buy a wash trade."""
    return order.side is Side.BUY, order.bracket is not None, order.client_order_id
