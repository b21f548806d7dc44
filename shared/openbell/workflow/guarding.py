"""At the end of a run: protect what the sleeves hold; tell a person once of what could not be protected, or sold."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from openbell.execution.alerting import tell
from openbell.execution.cash import CashCheck, check_cash
from openbell.execution.protection import Unprotected, protect
from openbell.model import Lease, Order, Run, Side
from openbell.ports import Desk
from openbell.runs import report_key


@dataclass(frozen=True)
class Unsold:
    """Shares that a strategy still holds although everything is to be sold, and why."""

    strategy: str
    symbol: str
    qty: Decimal
    why: str


def guard(run: Run, desk: Desk, lease: Lease) -> tuple[Unprotected, ...]:
    """What of the sleeves' holdings should rest in protective orders and cannot. Raises what `protect` raises."""
    found = protect(run.run_id, desk.broker, desk.ledger, lease)
    if news := _not_told("unprotected", found, run, desk):
        _alert(run, news, desk)
    return found


def compare_cash(run: Run, now: datetime, desk: Desk, lease: Lease) -> CashCheck | None:
    """As `check_cash`; a person hears of cash that nothing explains, the second time in a row."""
    cash = check_cash(run.run_id, now, desk.broker, desk.ledger, lease)
    if cash and cash.is_new:
        _tell_cash(run, cash, desk)
    return cash


def unsold(run: Run, desk: Desk) -> tuple[Unsold, ...]:
    """What is still held at the end of a run that was to sell everything; nothing if it was not."""
    halt = desk.ledger.halt()
    if halt is None or not halt.flatten:
        return ()
    orders = desk.ledger.orders(run.run_id)
    apart = {each.name: str(each) for each in desk.ledger.quarantines()}
    found = tuple(
        Unsold(name, symbol, position.qty, apart.get(symbol) or apart.get(name) or _why_unsold(name, symbol, orders))
        for name, sleeve in sorted(desk.ledger.sleeves().items())
        for symbol, position in sorted(sleeve.positions.items())
    )
    if news := _not_told("unsold", found, run, desk):
        _alert_unsold(run, news, desk)
    return found


def _why_unsold(strategy: str, symbol: str, orders: Sequence[Order]) -> str:
    sells = [o for o in orders if o.side is Side.SELL and not o.protective and strategy in o.strategies]
    last = next((order for order in reversed(sells) if order.symbol == symbol), None)
    if last is None:
        return "this run has not come to selling it"
    return f"its sale is {last.status.value.lower()}" + (f": {last.note}" if last.note else "")


def _not_told[G: (Unprotected, Unsold)](part: str, found: Sequence[G], run: Run, desk: Desk) -> list[G]:
    """Those of which the newest report before this run's has not told."""
    known: set[tuple[str, ...]] = set()
    for earlier in desk.ledger.runs(skipped=True) if found else ():
        report = None if earlier.run_id == run.run_id else _report_of(earlier, desk)
        if report is not None:
            known = {(gap["strategy"], gap["symbol"], gap["qty"]) for gap in report.get(part, ())}
            break
    return [gap for gap in found if (gap.strategy, gap.symbol, str(gap.qty)) not in known]


def _report_of(run: Run, desk: Desk) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(desk.archive.get(report_key(run.run_id)))
    except KeyError:
        return None
    return found


def _alert_unsold(run: Run, left: Sequence[Unsold], desk: Desk) -> None:
    lines = "\n".join(f"  {each.symbol}: {each.qty} shares of {each.strategy}: {each.why}" for each in left)
    tell(
        "Openbell: not everything was sold",
        f"Run {run.run_id} was to sell all that the strategies hold; these are still held:\n{lines}\n"
        "Every run tries again until trading is resumed; where it can be, what is held is protected meanwhile.\n"
        "First thing to do: openbell positions; then docs/runbook.md, 'Stop trading'",
        desk,
    )


def _alert(run: Run, gaps: Sequence[Unprotected], desk: Desk) -> None:
    lines = "\n".join(f"  {gap.symbol}: {gap.qty} shares of {gap.strategy}: {gap.why}" for gap in gaps)
    tell(
        "Openbell: holdings without protection",
        f"At the end of run {run.run_id} no stop and no target rests at the broker for:\n{lines}\n"
        "The shares stay as they are; every run tries again. This is told once, and stands in each report.\n"
        "First thing to do: openbell positions; then docs/runbook.md, 'Holdings without protection'",
        desk,
    )


def _tell_cash(run: Run, cash: CashCheck, desk: Desk) -> None:
    tell(
        "Openbell: cash that nothing explains",
        f"At the end of run {run.run_id} the broker has {cash.broker} USD in cash, the strategies {cash.sleeves} and "
        f"the account line {cash.account_line}: {cash.unexplained} USD are in no entry of the broker's record, for the "
        "second time in a row.\nTrading goes on: the strategies spend no more than their own cash.\n"
        "First thing to do: compare with the broker's statement; then docs/runbook.md, 'Cash that nothing explains'",
        desk,
    )
