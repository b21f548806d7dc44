"""Trades of all strategies to one plan: netted inside the account, the rest as order intents for the broker."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal
from hashlib import sha256

from openbell.model import ZERO, Cross, Cut, Order, Plan, Share, Side
from openbell.money import CENT, ONE_SHARE, allocate, bought_with, quantum_of
from openbell.portfolio.cash import buy_limit
from openbell.portfolio.sizing import BracketRule
from openbell.portfolio.trades import Trade

# Far enough never to trade in the days that a holding lives, near enough to pass for prices.
FAR = BracketRule(stop=Decimal("0.50"), stop_limit=Decimal("0.55"), take_profit=Decimal("1.00"))
_PARTS = "f"  # marks the order that buys parts of shares


@dataclass(frozen=True)
class Means:
    """What buys are paid with: USD by strategy before any sell of the plan, and the slippage (fraction) set aside."""

    cash: Mapping[str, Decimal]
    max_slippage: Decimal


def make_plan(
    run_id: str,
    trades: Sequence[Trade],
    cuts: Sequence[Cut],
    protected: Collection[tuple[str, str]],
    means: Means | None = None,
) -> Plan:
    """The plan of a run: crosses between sleeves first, then one order for each symbol, side and bracket,
    and one more for buys of parts of shares.

    `protected` holds (strategy, symbol) of holdings whose shares rest in protective orders. Those holdings, and entries
    that are to be protected, are not crossed: their shares must pass the broker so that the protection is right.
    Crosses are booked with the plan, so a sleeve buys by them only what it can pay for at once (`means`; None: no
    matter what). A buy at the broker has a limit.

    A buy of a symbol in which protective sells rest gets a bracket as its shield, far from the price: the broker would
    take a plain one for a wash trade.
    """
    crosses: list[Cross] = []
    left: list[Trade] = []
    by_symbol: dict[str, list[Trade]] = defaultdict(list)
    for trade in trades:
        by_symbol[trade.symbol].append(trade)
    cash = dict(means.cash) if means else None
    for symbol in sorted(by_symbol):
        crossed, remaining = _net(by_symbol[symbol], protected, cash)
        if cash is not None:
            _move(cash, crossed)
        crosses += crossed
        left += remaining
    opposed = {symbol for _, symbol in protected}
    left, refused = _whole_where_opposed(left, opposed)
    slippage = means.max_slippage if means else None
    orders = [_order(run_id, group, slippage, opposed) for group in _groups(left, opposed)]
    return Plan(run_id, tuple(sorted(orders, key=_sending_order)), tuple(crosses), (*cuts, *refused))


def _whole_where_opposed(trades: Sequence[Trade], opposed: Collection[str]) -> tuple[list[Trade], list[Cut]]:
    """Beside protective sells, buys of parts are cut to whole shares: a part can have no bracket as its shield."""
    kept, cuts = [], []
    for trade in trades:
        whole = trade.qty.quantize(ONE_SHARE, ROUND_DOWN)
        if trade.side is Side.BUY and trade.symbol in opposed and trade.qty != whole:
            why = "protective sells of the symbol rest at the broker, which then takes whole shares only"
            cuts.append(Cut("wash_trade", trade.strategy, trade.symbol, trade.side, trade.qty, whole, why))
            kept += [replace(trade, qty=whole)] if whole else []
        else:
            kept.append(trade)
    return kept, cuts


def _move(cash: dict[str, Decimal], crosses: Sequence[Cross]) -> None:
    """Pass the USD of crosses from buyers to sellers."""
    for cross in crosses:
        cash[cross.seller] = cash.get(cross.seller, ZERO) + cross.value
        cash[cross.buyer] -= cross.value


def client_order_id(run_id: str, symbol: str, side: Side, leg: str, revision: int = 1) -> str:
    """The id that makes an order one and the same however often it is sent; at most 48 characters.

    A cancelled id can never be used again at the broker: a new attempt takes the next revision.
    """
    result = f"{run_id}-{symbol}-{side.value}-{leg}-{revision}"
    if len(result) > 48:  # noqa: PLR2004 the shortest limit that any of Alpaca's clients states
        raise ValueError(f"client_order_id {result!r} has {len(result)} characters; 48 are allowed")
    return result


def _net(
    trades: Sequence[Trade], protected: Collection[tuple[str, str]], cash: Mapping[str, Decimal] | None
) -> tuple[list[Cross], list[Trade]]:
    """Crosses between opposite trades in one symbol, and the trades less what was crossed."""
    sells = [t for t in trades if t.side is Side.SELL and (t.strategy, t.symbol) not in protected]
    buys = [paid for t in trades if t.side is Side.BUY and t.bracket is None and (paid := _paid(t, sells, cash))]
    crossed: dict[str, Decimal] = {}
    _cross(_whole(sells), _whole(buys), crossed)
    _cross(_rest(sells, crossed), _rest(buys, crossed), crossed)
    remaining = [_less(trade, crossed.get(trade.strategy, ZERO)) for trade in trades]
    return _pair(sells, buys, crossed), [trade for trade in remaining if trade]


def _paid(buy: Trade, sells: Sequence[Trade], cash: Mapping[str, Decimal] | None) -> Trade | None:
    """As much of a buy as its sleeve can pay for now; each cross may be rounded up by less than a cent."""
    if not sells or cash is None:
        return buy if sells else None
    free = cash.get(buy.strategy, ZERO) - CENT * len(sells)
    qty = min(buy.qty, bought_with(free, buy.price, quantum_of(buy.qty)))
    return replace(buy, qty=qty) if qty else None


type _Wanted = dict[str, Decimal]  # shares by strategy


def _whole(trades: Sequence[Trade]) -> _Wanted:
    """The whole shares of each trade: they are crossed first, so that nobody's whole shares become parts."""
    return {trade.strategy: trade.qty.quantize(ONE_SHARE, ROUND_DOWN) for trade in trades}


def _rest(trades: Sequence[Trade], crossed: Mapping[str, Decimal]) -> _Wanted:
    """What is left of the trades that want parts of shares; where there are none, of all."""
    left = {trade.strategy: trade.qty - crossed.get(trade.strategy, ZERO) for trade in trades}
    in_parts = {name: qty for name, qty in left.items() if qty != qty.to_integral_value()}
    return in_parts or left


def _cross(sells: _Wanted, buys: _Wanted, crossed: dict[str, Decimal]) -> None:
    """Add to `crossed` what both sides want, pro rata; a side of whole shares takes whole shares only."""
    qty = min(sum(sells.values(), ZERO), sum(buys.values(), ZERO))
    for side in (sells, buys):
        qty = qty.quantize(quantum_of(*side.values()), ROUND_DOWN)
    if not qty:
        return
    for side in (sells, buys):
        parts = allocate(qty, list(side.values()), quantum_of(*side.values()))
        for name, part in zip(side, parts, strict=True):
            crossed[name] = crossed.get(name, ZERO) + part


def _less(trade: Trade, crossed: Decimal) -> Trade | None:
    return replace(trade, qty=trade.qty - crossed) if trade.qty > crossed else None


def _pair(sells: Sequence[Trade], buys: Sequence[Trade], crossed: Mapping[str, Decimal]) -> list[Cross]:
    """Who passes shares to whom: sellers and buyers walked through in order."""
    crosses = []
    open_buys = [(buy, crossed[buy.strategy]) for buy in buys if crossed.get(buy.strategy)]
    for sell in sells:
        to_give = crossed.get(sell.strategy, ZERO)
        while to_give:
            buy, wanted = open_buys.pop(0)
            qty = min(to_give, wanted)
            crosses.append(Cross(sell.symbol, sell.strategy, buy.strategy, qty, sell.price))
            to_give -= qty
            if wanted > qty:
                open_buys.insert(0, (buy, wanted - qty))
    return crosses


def _alone(trade: Trade, opposed: Collection[str]) -> bool:
    """Whether the trade needs an order of its own: protective prices belong to one strategy's shares."""
    return trade.bracket is not None or (trade.side is Side.BUY and trade.symbol in opposed)


def _buys_parts(trade: Trade) -> bool:
    return trade.side is Side.BUY and trade.qty != trade.qty.to_integral_value()


def _groups(trades: Sequence[Trade], opposed: Collection[str]) -> list[list[Trade]]:
    """Trades that can be one order.

    Buys of parts are apart from those of whole shares, which would lose their limit beside them.
    """
    groups: dict[tuple[str, Side, str], list[Trade]] = defaultdict(list)
    for trade in trades:
        owner = trade.strategy if _alone(trade, opposed) else _PARTS if _buys_parts(trade) else ""
        groups[trade.symbol, trade.side, owner].append(trade)
    return [groups[key] for key in sorted(groups)]


def _total(trades: Sequence[Trade]) -> Decimal:
    return sum((trade.qty for trade in trades), ZERO)


def _order(run_id: str, trades: Sequence[Trade], max_slippage: Decimal | None, opposed: Collection[str]) -> Order:
    first = trades[0]
    together = _PARTS if _buys_parts(first) else "x"
    leg = f"b{sha256(first.strategy.encode()).hexdigest()[:4]}" if _alone(first, opposed) else together
    shield = first.side is Side.BUY and first.symbol in opposed
    limited = first.side is Side.BUY and max_slippage is not None
    return Order(
        client_order_id=client_order_id(run_id, first.symbol, first.side, leg),
        run_id=run_id,
        symbol=first.symbol,
        side=first.side,
        qty=_total(trades),
        reference_price=first.price,
        reason="; ".join(f"{trade.strategy}: {trade.reason}" for trade in trades),
        shares=tuple(Share(trade.strategy, trade.qty) for trade in trades),
        bracket=FAR.around(first.price) if shield else None,
        limit_price=buy_limit(first.price, max_slippage or ZERO) if limited else None,
        protection=first.bracket,
        shield=shield,
    )


def _sending_order(order: Order) -> tuple[bool, bool, str]:
    """Sells first. Plain buys before shielded ones, whose legs would make a later buy a wash trade."""
    return order.side is Side.BUY, order.bracket is not None, order.client_order_id
