"""Book what came and went beside our orders, by the broker's own record of the account.

A corporate action changes the sleeves before any order is settled, because what filled on its ex-date filled in new
shares. Dividends and their taxes, and cash for parts of shares, go to the sleeves that held the shares, to the cent;
everything else goes to the account line. Each entry is booked once: its id is kept with what it changed, in one
transaction.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from openbell.errors import BrokerRefused, BrokerUnavailable, ImpossibleFill, StoreUnavailable
from openbell.execution.corporate import SHARES, Exchange, after_split, before, carry_out, divided, exchanges, owned
from openbell.execution.quarantine import quarantine
from openbell.execution.settling import cancel, settle
from openbell.model import (
    ZERO,
    AccountLine,
    Activity,
    ActivityKind,
    CorporateAction,
    Entitlement,
    Lease,
    MarketClock,
    Order,
    OrderStatus,
    Quarantine,
    QuarantineKind,
    Repair,
    Sleeve,
)
from openbell.ports import Broker, Ledger

FILLS_OVERLAP = timedelta(hours=1)  # before the last look at the cash, so that no fill falls between two looks
_LATE = timedelta(days=14)  # an entry may come into the record so long after its day
_UNPAID = timedelta(days=120)  # after which nobody waits for a dividend any more
WAITS = "a corporate action is announced, and the broker's record does not have it yet"


@dataclass(frozen=True)
class BookedExchange:
    """A corporate action that was booked: shares of all strategies together, before and after, and cash (USD)."""

    kind: ActivityKind
    symbol: str
    before: Decimal
    after: tuple[tuple[str, Decimal], ...]  # (symbol, shares)
    cash: Decimal


@dataclass(frozen=True)
class BookedCash:
    """Cash (USD) of one entry of the record, by strategy; what no strategy got went to the account line."""

    kind: ActivityKind
    symbol: str
    amount: Decimal
    strategies: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True)
class Booked:
    """What was new in the record, and the transfers of cash and shares that it tells of."""

    exchanges: tuple[BookedExchange, ...] = ()
    cash: tuple[BookedCash, ...] = ()
    transfers: tuple[Activity, ...] = ()
    blind: str = ""  # why announcements could not be read; the next run asks for them again


def book_record(broker: Broker, ledger: Ledger, lease: Lease, clock: MarketClock) -> Booked:
    """Book what is new in the broker's record; nothing while there is no account line.

    A symbol whose corporate action is announced, or told in part, and not whole in the record, is quarantined until it
    is. Raises what the broker raises when it does not answer.
    """
    line = ledger.account_line()
    if line is None:
        return Booked()
    desk = _Desk(broker, ledger, lease, clock)
    announced = desk.look_ahead(line)
    entries = broker.activities(line.since)
    done = set(line.booked)
    new = [entry for entry in entries if entry.id not in done]
    found = exchanges(new, announced)
    booked = [desk.book_exchange(each) for each in found if each.complete]
    with_shares = {name for each in found if each.complete for name in each.ids}
    cash = [desk.book_cash(e, entries) for e in new if e.kind not in SHARES and e.id not in with_shares]
    desk.wait_for([each for each in found if not each.complete])
    desk.move_on(entries)
    transfers = tuple(entry for entry in entries if entry.kind is ActivityKind.TRANSFER)
    return Booked(tuple(b for b in booked if b), tuple(c for c in cash if c), transfers, desk.blind)


def open_line(broker: Broker, ledger: Ledger, lease: Lease, clock: MarketClock) -> None:
    """The first account line: what the broker has in cash beyond the sleeves'; its record so far counts as booked.

    The ledger's orders must be settled. Nothing happens if there is one.
    """
    if ledger.account_line():
        return
    since = clock.session - _LATE
    entries = broker.activities(since)
    cash = broker.account().cash - sum((sleeve.cash for sleeve in ledger.sleeves().values()), ZERO)
    fills = broker.fill_activities(clock.now - FILLS_OVERLAP)  # by hand, too: what they brought is in the cash
    ids = tuple(entry.id for entry in (*entries, *fills))
    line = AccountLine(cash, since, ids, known_until=clock.session, checked_at=clock.now, resting=resting(ledger))
    ledger.save_account(line, lease)


def resting(ledger: Ledger) -> tuple[str, ...]:
    """The broker's ids of our orders that can still fill, legs included."""
    orders = ledger.open_orders()
    return tuple(sorted({part for order in orders for part in broker_ids(order)}))


def broker_ids(order: Order) -> set[str]:
    """The broker's ids of an order and its legs."""
    return {order.broker_order_id, *(leg.broker_order_id for leg in order.legs)} - {""}


class _Desk:
    """What it takes to book the record."""

    def __init__(self, broker: Broker, ledger: Ledger, lease: Lease, clock: MarketClock) -> None:
        self._broker = broker
        self._ledger = ledger
        self._lease = lease
        self._clock = clock
        self.blind = ""

    @property
    def _line(self) -> AccountLine:
        line = self._ledger.account_line()
        if line is None:
            raise AssertionError("the account line is never removed")
        return line

    # What companies have announced.

    def look_ahead(self, line: AccountLine) -> tuple[CorporateAction, ...]:
        """Note who held what before each new ex-date; gives the actions that the record should tell of."""
        sleeves, today = self._ledger.sleeves(), self._clock.session
        held = {symbol for sleeve in sleeves.values() for symbol in sleeve.positions}
        first = (line.known_until or today) + timedelta(days=1)
        if first > today:
            return line.awaited
        try:
            found = self._broker.corporate_actions(held, first, today) if held else []
        except (BrokerUnavailable, BrokerRefused) as error:  # the record itself tells of what has happened
            self.blind = str(error)
            return line.awaited
        entitled = [_entitlement(action, sleeves) for action in found if action.kind is ActivityKind.DIVIDEND]
        kept = [known for known in line.entitled if today - known.ex_date < _UNPAID]
        earlier = [each for each in line.awaited if owned(each.symbol, sleeves) or today - each.ex_date < _LATE]
        awaited = (*earlier, *(action for action in found if action.kind in SHARES))
        seen = replace(line, known_until=today, entitled=(*kept, *entitled), awaited=awaited)
        self._ledger.save_account(seen, self._lease)
        return awaited

    def wait_for(self, partly: Sequence[Exchange]) -> None:
        """Quarantine what is announced or told in part; lift the quarantine of what has come."""
        sleeves, awaited = self._ledger.sleeves(), self._line.awaited
        if repaired := self._repaired([*partly, *awaited]):
            self._give_up(repaired, partly)
        told = {action.symbol: f"{action.kind} of {action.symbol}, ex-date {action.ex_date}" for action in awaited}
        told |= {each.symbol: str(each) for each in partly}
        waiting = {name: told[name] for name in sorted(told) if owned(name, sleeves) and name not in repaired}
        for symbol, evidence in waiting.items():
            self._set_apart(symbol, WAITS, evidence)
        for known in self._ledger.quarantines():
            if known.reason == WAITS and known.name not in waiting:
                done = Repair(known, "the broker's record", "it has come", self._clock.now)
                self._ledger.lift_quarantine(done, self._lease)

    def _repaired(self, waiting: Sequence[Exchange | CorporateAction]) -> set[str]:
        """Symbols that a person has repaired since the ex-date: nobody waits for their entries any more."""
        repairs = self._ledger.repairs() if waiting else []
        return {
            each.symbol
            for each in waiting
            for done in repairs
            if done.quarantine.name == each.symbol and done.at.date() >= each.ex_date
        }

    def _give_up(self, symbols: Collection[str], partly: Sequence[Exchange]) -> None:
        """Their shares are as a person has counted them: what is in the record of them, or comes, changes none."""
        line = self._line
        ids = [name for each in partly if each.symbol in symbols for name in each.ids]
        awaited = tuple(each for each in line.awaited if each.symbol not in symbols)
        self._ledger.save_account(replace(line, booked=(*line.booked, *ids), awaited=awaited), self._lease)

    def _set_apart(self, symbol: str, reason: str, evidence: str) -> None:
        found = Quarantine(QuarantineKind.SYMBOL, symbol, reason, evidence, self._clock.now)
        quarantine(found, self._ledger, self._lease)

    # Shares.

    def book_exchange(self, found: Exchange) -> BookedExchange | None:
        """Carry a corporate action out in the sleeves that hold the shares; None if none does."""
        line = self._line  # before the sleeves: its version says that nobody has booked anything since
        if set(found.ids) & set(line.booked):
            return None
        orders = [order for order in self._ledger.open_orders() if order.symbol == found.symbol]
        for order in orders:
            self._settle_before(order, found)
        sleeves = self._ledger.sleeves()
        held = owned(found.symbol, sleeves)
        try:
            changed, rest = carry_out(found, sleeves)
        except ImpossibleFill as impossible:
            if self._line.version != line.version:
                raise StoreUnavailable("the record was booked by another writer in between: read again") from impossible
            self._set_apart(found.symbol, "a corporate action cannot be booked", str(impossible))
            changed, rest = [], found.cash
        awaited = tuple(each for each in line.awaited if (each.kind, each.symbol) != (found.kind, found.symbol))
        after = replace(line, cash=line.cash + rest, booked=(*line.booked, *found.ids), awaited=awaited)
        adjusted = self._adjusted(found) if changed and found.come and found.kind is ActivityKind.SPLIT else []
        self._ledger.save_account(after, self._lease, changed, adjusted)
        if changed and not found.stays:
            self._withdraw(found.symbol)
        return _booked(found, held, changed, rest) if changed else None

    def _withdraw(self, symbol: str) -> None:
        """Ask for the end of what rests at prices and quantities of the old shares; the next look books it."""
        for order in self._ledger.open_orders():
            if order.symbol == symbol:
                for part in _working(order):
                    cancel(part, self._broker, self._ledger, self._lease)

    def _settle_before(self, order: Order, found: Exchange) -> None:
        """Book what filled before the ex-date, in old shares."""
        told = self._broker.find_order(order.client_order_id) if order.broker_order_id else None
        if told:
            settle(order, self._broker, self._ledger, self._lease, before(order, told, found.ex_date))

    def _adjusted(self, found: Exchange) -> list[Order]:
        adjusted = []
        for order in self._ledger.open_orders():
            told = self._broker.find_order(order.client_order_id) if order.symbol == found.symbol else None
            if told and (changed := after_split(order, told, found.ratio)) != order:
                adjusted.append(changed)
        return adjusted

    # Cash.

    def book_cash(self, entry: Activity, entries: Sequence[Activity]) -> BookedCash | None:
        """Give the cash of one entry to those that it belongs to; None if it has none, or was booked meanwhile."""
        line = self._line  # before the sleeves: see book_exchange
        if entry.id in line.booked:
            return None
        sleeves = self._ledger.sleeves()
        holders = _holders(entry, line, sleeves) if entry.symbol and entry.kind is not ActivityKind.TRANSFER else {}
        shares: dict[str, Decimal] = {}
        if holders:
            others = max(ZERO, _paid_for(entry, entries) - sum(holders.values(), ZERO))
            parts = divided(entry.amount, [*holders.values(), others])
            shares = {name: _bearable(part, sleeves[name]) for name, part in zip(holders, parts, strict=False)}
        rest = entry.amount - sum(shares.values(), ZERO)
        changed = [_paid(sleeves[name], part) for name, part in shares.items() if part]
        self._ledger.save_account(
            replace(line, cash=line.cash + rest, booked=(*line.booked, entry.id)), self._lease, changed
        )
        return BookedCash(entry.kind, entry.symbol, entry.amount, tuple(shares.items())) if entry.amount else None

    def move_on(self, entries: Iterable[Activity]) -> None:
        """Forget the ids of entries that are asked for no more; those of fills begin with their day."""
        line, since = self._line, self._clock.session - _LATE
        if since <= line.since:
            return
        asked = {entry.id for entry in entries if entry.day >= since}
        kept = tuple(known for known in line.booked if known in asked or known[:8] >= f"{since:%Y%m%d}")
        self._ledger.save_account(replace(line, since=since, booked=kept), self._lease)


def _working(order: Order) -> list[str]:
    """The broker's ids of what of an order works: it with all that hangs on it, or its legs."""
    if order.status is OrderStatus.WORKING:
        return [order.broker_order_id]
    return [leg.broker_order_id for leg in order.legs if not leg.status.ended]


def _entitlement(action: CorporateAction, sleeves: Mapping[str, Sleeve]) -> Entitlement:
    return Entitlement(action.symbol, action.ex_date, action.pay_date, owned(action.symbol, sleeves))


def _holders(entry: Activity, line: AccountLine, sleeves: Mapping[str, Sleeve]) -> dict[str, Decimal]:
    """Shares by strategy on which the cash came: at the ex-date where that is known, else now."""
    if entry.kind is ActivityKind.DIVIDEND:
        known = [each for each in line.entitled if each.symbol == entry.symbol and each.ex_date <= entry.day]
        nearest = min(known, key=lambda each: abs((each.pay_date or each.ex_date) - entry.day), default=None)
        if nearest:
            return {name: qty for name, qty in nearest.holders.items() if name in sleeves}
    return owned(entry.symbol, sleeves)


def _paid_for(entry: Activity, entries: Iterable[Activity]) -> Decimal:
    """Shares that a dividend was paid for, of which a tax on it says nothing."""
    same = (e.qty for e in entries if (e.kind, e.symbol, e.day) == (entry.kind, entry.symbol, entry.day))
    return max(same, default=ZERO)


def _bearable(amount: Decimal, sleeve: Sleeve) -> Decimal:
    """No sleeve is charged more than it has."""
    return max(amount, -sleeve.cash)


def _paid(sleeve: Sleeve, amount: Decimal) -> Sleeve:
    return replace(sleeve, cash=sleeve.cash + amount, realised_pnl=sleeve.realised_pnl + amount)


def _booked(found: Exchange, held: Mapping[str, Decimal], changed: Sequence[Sleeve], rest: Decimal) -> BookedExchange:
    after = tuple((symbol, sum((sleeve.held(symbol) for sleeve in changed), ZERO)) for symbol in sorted(found.come))
    return BookedExchange(found.kind, found.symbol, sum(held.values(), ZERO), after, found.cash - rest)
