"""What must be true after every run of a month: sentences about what is not."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal

from openbell.model import ZERO
from paper.orders import Side
from tests.integration.workflow.stage import Stage

_CENT = Decimal("0.01")


def broken(stage: Stage, own: Mapping[str, Decimal], lowest: Mapping[str, Decimal]) -> list[str]:
    """Every promise that is broken; `own` are the owner's shares, `lowest` the least cash that sleeves had (USD)."""
    apart = {found.name for found in stage.ledger.quarantines()}
    return [
        *_nothing_apart(stage),
        *_shares(stage, own, apart),
        *_cash(stage),
        *_cash_never_negative(stage, lowest),
        *_protected(stage, apart),
        *_alone(stage),
    ]


def _nothing_apart(stage: Stage) -> Iterator[str]:
    for found in stage.ledger.quarantines():
        yield f"quarantined, although all is told by the record: {found}"


def _shares(stage: Stage, own: Mapping[str, Decimal], apart: Collection[str]) -> Iterator[str]:
    """For every symbol the sleeves and the owner have what the broker holds."""
    held, owned = stage.held(), stage.owned()
    for symbol in sorted(held.keys() | owned.keys() | own.keys()):
        ours, theirs, broker = owned.get(symbol, ZERO), own.get(symbol, ZERO), held.get(symbol, ZERO)
        if symbol not in apart and ours + theirs != broker:
            yield f"{symbol}: sleeves {ours} and owner {theirs}, broker {broker}"


def _cash(stage: Stage) -> Iterator[str]:
    """Sleeves and account line have the broker's cash, to the cent."""
    line = stage.ledger.account_line()
    if line is None:
        yield "there is no account line"
        return
    sleeves = sum((sleeve.cash for sleeve in stage.ledger.sleeves().values()), ZERO)
    cash = stage.exchange.account().cash
    if abs(cash - sleeves - line.cash) >= _CENT or line.unexplained:
        yield f"cash: broker {cash}, sleeves {sleeves}, account line {line.cash}, unexplained {line.unexplained}"


def _cash_never_negative(stage: Stage, lowest: Mapping[str, Decimal]) -> Iterator[str]:
    """Not of strategies that buy parts of shares, which the broker does at the market only."""
    for name, cash in lowest.items():
        if cash < 0 and not stage.config.strategies[name].fractional:
            yield f"{name} had {cash} USD in cash on the way"


def _protected(stage: Stage, apart: Collection[str]) -> Iterator[str]:
    """Whole shares that should be protected rest in protective orders at the exchange, or somebody was told."""
    told = "\n".join(message for subject, message in stage.alerts.sent if "without protection" in subject)
    covered: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for order in stage.ledger.open_orders():
        if order.side.value == Side.SELL and not order.status.ended and not order.protective:
            for share in order.shares:
                covered[share.strategy, order.symbol] += share.qty - share.filled_qty
        else:
            covered[order.strategies[0], order.symbol] += _resting(stage, order.broker_order_id)
    for name, sleeve in stage.ledger.sleeves().items():
        for symbol, position in sleeve.positions.items():
            missing = int(position.qty) - covered[name, symbol]
            known = f"shares of {name}: " in told and f"{symbol}: " in told
            if position.protection and missing > 0 and symbol not in apart and not known:
                yield f"{missing} {symbol} of {name} rest in no protective order, and nobody was told"


def _resting(stage: Stage, order_id: str) -> Decimal:
    """Shares that an order's own part or its legs would sell; one of them ends the others."""
    if not order_id:
        return ZERO
    order = stage.exchange.order(order_id)
    parts = [part for part in (order, *stage.exchange.legs(order)) if part.status.open and part.side is Side.SELL]
    return max((part.remaining for part in parts), default=ZERO)


def _alone(stage: Stage) -> Iterator[str]:
    """Nobody holds the lease, and no sleeve holds nothing or less."""
    if lease := stage.ledger.lease():
        yield f"{lease.holder} still holds the lease"
    for name, sleeve in stage.ledger.sleeves().items():
        for symbol, position in sleeve.positions.items():
            if position.qty <= 0 or position.cost < 0:
                yield f"{name} holds {position.qty} {symbol} at a cost of {position.cost}"


def flat(stage: Stage, own: Mapping[str, Decimal]) -> Iterator[str]:
    """After everything was to be sold, the owner's shares alone are left."""
    if owned := stage.owned():
        yield f"flatten left {owned}: {stage.alerts.sent[-1:]}"
    kept = {symbol: qty for symbol, qty in own.items() if qty}
    if stage.held() != kept:
        yield f"flatten left the broker with {stage.held()}; the owner has {kept}"
    if orders := stage.ledger.open_orders():
        yield f"flatten left open orders: {[order.client_order_id for order in orders]}"
