"""The same days through the backtest and through the use cases of the workflow, held against each other."""

from dataclasses import replace
from datetime import date, datetime

from lab.backtest import backtest
from lab.exchange import ExchangeBroker, ExchangeData
from lab.forecasts import ForecastStore
from lab.membership import Membership
from lab.outcome import BacktestSettings
from lab.quick_run import Ran
from lab.workflow import run_workflow
from openbell.adapters.memory.archive import MemoryArchive
from openbell.adapters.memory.ledger import MemoryLedger
from openbell.codec import from_json
from openbell.config import PlatformConfig
from openbell.errors import RunSkipped
from openbell.execution.reconciliation import reconcile
from openbell.model import NEW_YORK, Order
from openbell.ports import Desk
from openbell.runs import Decisions, decisions_key
from openbell.workflow.open_run import RunRequest
from paper import History, PaperExchange
from tests.integration.workflow.stage import RecordedAlerts


class Played:
    """The same days through the use cases of the workflow, one by one."""

    def __init__(self, market: History, settings: PlatformConfig, span: BacktestSettings) -> None:
        days = list(market.calendar.between(span.first, span.last))
        times = {session.day: datetime.combine(session.day, span.at, NEW_YORK) for session in days}
        start = next(times[session.day] for session in days if times[session.day] < session.close)
        self.exchange = PaperExchange(market, span.cash, start, slippage_bps=span.slippage_bps)
        self.ledger, archive = MemoryLedger(), MemoryArchive()
        desk = Desk(ExchangeBroker(self.exchange), self.ledger, archive, RecordedAlerts())
        data = ExchangeData(self.exchange)
        self.decisions: dict[date, Decisions] = {}
        for session in days:
            if times[session.day] < start:
                continue
            self.exchange.advance(times[session.day])
            request = RunRequest(f"backtest-{session.day}")
            try:
                members = span.members.on(session.day) if span.members else ()
                closed = run_workflow(request, settings, desk, data, members, self.exchange.wait)
            except RunSkipped:
                continue
            self.decisions[session.day] = from_json(Decisions, archive.get(decisions_key(closed.run_id)))
        self.exchange.advance(days[-1].close)
        lease = self.ledger.acquire_lease("the end", self.exchange.now, 60)
        assert lease
        reconcile(desk.broker, self.ledger, lease, None)  # what legs did after the last run

    def orders(self) -> dict[str, Order]:
        runs = self.ledger.runs(1000)
        return {order.client_order_id: order for run in runs for order in self.ledger.orders(run.run_id)}


def unversioned(order: Order) -> Order:
    return replace(order, version=0)


def check_identity(
    market: History, settings: PlatformConfig, first: date, last: date, members: Membership | None = None
) -> Played:
    return check_span(market, settings, BacktestSettings(first, last, members=members))


def check_span(market: History, settings: PlatformConfig, span: BacktestSettings) -> Played:
    """Fail unless both ways decide, order, fill and end the same."""
    ran: dict[date, Ran] = {}

    def keep(run: Ran) -> None:
        ran[run.inputs.clock.session] = run

    result = backtest(market, settings, span, ForecastStore(None), on_run=keep, skip_silent=False)
    played = Played(market, settings, span)
    assert set(ran) == set(played.decisions)
    for day, decisions in played.decisions.items():
        assert ran[day].decisions == decisions, day
    assert {o.order.client_order_id: unversioned(o.order) for o in result.orders} == {
        client_order_id: unversioned(order) for client_order_id, order in played.orders().items()
    }
    assert list(zip(result.sessions, result.equity, strict=True)) == played.exchange.equities()
    return played
