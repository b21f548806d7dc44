"""OpenRun: may we trade? If so: take the lease, reconcile the books, freeze what the run decides on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NoReturn

from openbell import exchange_calendar
from openbell.books import keep_books
from openbell.codec import from_json, to_json
from openbell.config import PlatformConfig
from openbell.decision import flatten
from openbell.errors import (
    BrokerRefused,
    BrokerUnavailable,
    ConfigError,
    Halted,
    InvalidInput,
    LeaseLost,
    LeaseStuck,
    LedgerBehind,
    MarketClosed,
    NoStrategyDue,
    RunInProgress,
    RunSkipped,
)
from openbell.execution.alerting import send_unsent, tell
from openbell.execution.drift import set_drift_apart
from openbell.execution.halting import alert_halt
from openbell.execution.protection import guarded, pending
from openbell.execution.rebalances import settle_rebalances
from openbell.execution.reconciliation import Reconciliation, reconcile
from openbell.execution.record import Booked, BookedExchange, book_record, open_line
from openbell.execution.settling import withdraw
from openbell.model import (
    NEW_YORK,
    ZERO,
    Account,
    Activity,
    Halt,
    Lease,
    MarketClock,
    Order,
    Run,
    RunStatus,
    Side,
    Sleeve,
)
from openbell.money import to_cents
from openbell.portfolio.cash import committed
from openbell.portfolio.rearranging import orphans
from openbell.ports import Archive, Broker, Desk, Executions, Ledger
from openbell.reporting import make_report
from openbell.runs import LATEST_FENCE, RunInputs, inputs_key, lease_of, report_key, run_id
from openbell.workflow.guarding import compare_cash, guard

IN_FLIGHT = timedelta(seconds=120)  # twice what ExecuteOrder may take: an older attempt to send cannot arrive any more
AT_THE_BELL = timedelta(seconds=5)  # the tick of the opening may come before the broker's clock has reached it
LATEST = timedelta(minutes=10)  # a tick that comes later than this is no reason to trade any more
RUN_SECONDS = 3000  # the workflow's own time limit: no execution lives longer
LEASE_SECONDS = 3600


@dataclass(frozen=True)
class RunRequest:
    """Why a run starts: a schedule's tick, or a person who may name strategies (none: all enabled)."""

    execution: str
    schedule: str = "manual"
    tick: str = ""
    strategies: tuple[str, ...] = ()


def open_run(request: RunRequest, config: PlatformConfig, desk: Desk, executions: Executions) -> RunInputs:
    """The inputs of the run that this execution may do now; under a halt that asks for it, a run that sells everything.

    Raises a RunSkipped when there is nothing to do, which is recorded as a skipped run; BrokerRefused for a blocked
    account; BooksDisagree when ledger and broker agree in nothing.
    """
    earlier = desk.ledger.run_of(request.execution)
    if earlier and earlier.status is not RunStatus.RUNNING:
        _stay_ended(earlier, desk.ledger)
    if earlier and (again := _opened_before(earlier, desk.archive)):
        return again
    clock = desk.broker.clock()
    run = earlier or Run(
        run_id=run_id(clock.now, request.execution),
        execution=request.execution,
        as_of=clock.now,
        status=RunStatus.RUNNING,
        schedule=request.schedule,
        strategies=(),
        tick=request.tick,
    )
    _check_ledger(desk)
    try:
        _check_open(clock)
        run = replace(run, strategies=_due(request, clock, config, desk.ledger))
        lease = _enter(request, clock, desk.ledger, executions)
    except RunSkipped as skipped:
        desk.ledger.start_run(replace(run, status=RunStatus.SKIPPED, note=str(skipped)), None)
        desk.ledger.release_lease(lease_of(run))  # that an earlier attempt of this execution may have taken
        raise
    run = replace(run, fence=lease.fence)
    desk.ledger.start_run(run, lease)
    desk.archive.put(LATEST_FENCE, to_json(lease.fence))
    _end_dead_runs(run, desk)
    return _prepare(run, clock, config, desk)


def _stay_ended(run: Run, ledger: Ledger) -> NoReturn:
    """What has ended stays so: there is no report of what a later attempt would trade.

    A run that another one has ended as failed is a failure of this execution too: somebody must hear of it.
    """
    ledger.release_lease(lease_of(run))  # the earlier attempt may have died before it could
    if run.status is RunStatus.FAILED:
        raise LeaseLost(f"the run of this execution was ended as {run.status} before: {run.note}")
    raise RunInProgress(f"this execution has ended its run as {run.status} before: {run.note}")


def _opened_before(run: Run, archive: Archive) -> RunInputs | None:
    """What an earlier attempt of the same execution froze, if it got that far."""
    try:
        return from_json(RunInputs, archive.get(inputs_key(run.run_id)))
    except KeyError:
        return None


def _check_ledger(desk: Desk) -> None:
    """A table that was emptied or restored has forgotten trades: to go on from there would trade them again."""
    known = _latest_fence(desk.archive)
    if desk.ledger.fence() < known:
        raise LedgerBehind(
            f"the ledger's fencing number is {desk.ledger.fence()}, but the archive knows a run with {known}: it "
            "was lost, or restored as it was earlier. Nothing is traded: see docs/runbook.md, 'The ledger is lost'"
        )


def _latest_fence(archive: Archive) -> int:
    try:
        return from_json(int, archive.get(LATEST_FENCE))
    except KeyError:
        return 0


def _due(request: RunRequest, clock: MarketClock, config: PlatformConfig, ledger: Ledger) -> tuple[str, ...]:
    halt = ledger.halt()
    if halt and halt.flatten:  # whatever fires next carries it out, for all strategies
        return tuple(sorted(ledger.sleeves()))
    if request.schedule != "manual":
        tick = _tick(request, clock)
        due = config.due(tick, clock.next_close)
        if not due:
            raise NoStrategyDue(f"no enabled strategy is due at {tick.astimezone(NEW_YORK):%H:%M} New York time")
        return due
    unknown = sorted(set(request.strategies) - set(config.enabled))
    if unknown:
        raise ConfigError(
            f"strategies {', '.join(unknown)} are not enabled; the configuration enables: {', '.join(config.enabled)}"
        )
    return tuple(name for name in config.enabled if name in request.strategies or not request.strategies)


def _check_open(clock: MarketClock) -> None:
    if not clock.is_open:
        if clock.next_open - clock.now <= AT_THE_BELL:
            left = clock.next_open - clock.now
            raise BrokerUnavailable(f"the market opens in {left} by the broker's clock: ask again")
        opens = clock.next_open.astimezone(NEW_YORK)
        raise MarketClosed(f"market closed, next open {opens:%A %Y-%m-%d %H:%M} New York time")


def _tick(request: RunRequest, clock: MarketClock) -> datetime:
    """When the schedule fired; a tick that is too old is none."""
    if not request.tick:
        return clock.now.replace(second=0, microsecond=0)
    try:
        tick = datetime.fromisoformat(request.tick)
    except ValueError as error:
        raise InvalidInput(f"tick {request.tick!r}: expected a time such as 2022-06-15T19:00:00Z") from error
    if tick.tzinfo is None:
        raise InvalidInput(f"tick {request.tick!r}: expected a time with its zone, such as 2022-06-15T19:00:00Z")
    if clock.now - tick > LATEST:
        raise NoStrategyDue(f"the tick of {request.tick} comes {clock.now - tick} late; at most {LATEST} are allowed")
    return tick


def _enter(request: RunRequest, clock: MarketClock, ledger: Ledger, executions: Executions) -> Lease:
    """Pass the gates that make this the one run that may trade now; two schedules may fire at the same tick."""
    if request.tick and not ledger.claim_tick(request.tick, request.execution):
        raise RunInProgress(f"the tick {request.tick} has been taken by another execution")
    lease = ledger.acquire_lease(request.execution, clock.now, LEASE_SECONDS)
    if lease:
        return lease
    held = ledger.lease()
    if held and executions.ended(held.holder):  # without giving the lease back: it will not do so any more
        ledger.release_lease(held)
        lease = ledger.acquire_lease(request.execution, clock.now, LEASE_SECONDS)
    if lease:
        return lease
    holder = held.holder if held else "another execution"
    if held and held.expires_at - clock.now < timedelta(seconds=LEASE_SECONDS - RUN_SECONDS):
        raise LeaseStuck(f"{holder} has held the lease for longer than a run may last; it ends at {held.expires_at}")
    raise RunInProgress(f"{holder} is trading; two runs never trade at once")


def _end_dead_runs(run: Run, desk: Desk) -> None:
    """Runs from which this one took the lease over will never be closed: their executions were stopped or lost.

    Their books are kept once more, because nobody has since they planned: an order that has ended since, such as a
    repriced one, would be in no books at all.
    """
    for dead in desk.ledger.runs(skipped=False):
        if dead.status is RunStatus.RUNNING and dead.run_id != run.run_id:
            ended = replace(dead, status=RunStatus.FAILED, note="its execution ended without closing it")
            keep_books(dead.run_id, desk.ledger, desk.archive, ended)
            desk.ledger.finish_run(ended)


def _prepare(run: Run, clock: MarketClock, config: PlatformConfig, desk: Desk) -> RunInputs:
    lease = lease_of(run)
    keep_books(run.run_id, desk.ledger, desk.archive)  # before anything ends that is open now
    record = book_record(desk.broker, desk.ledger, lease, clock)
    found = _with_others(reconcile(desk.broker, desk.ledger, lease, clock.now - IN_FLIGHT), record, desk)
    settle_rebalances(desk.ledger, lease)
    open_line(desk.broker, desk.ledger, lease, clock)
    wish = desk.ledger.halt()
    set_drift_apart(found.drift, clock.now, desk.ledger, lease, stop=not (wish and wish.flatten))
    send_unsent(desk)
    _tell_changes(run, found, desk)
    _tell_orphans(run, config, desk)
    _compare_calendar(clock, desk)
    account = desk.broker.account()
    if account.blocked:
        raise BrokerRefused(f"the broker does not let this account trade: {account.blocked}")
    halt = _halt(run, account, config, desk, transferred(record.transfers, clock, desk.broker))
    end_what_should_not_fill(clock, halt, desk.broker, desk.ledger, lease)
    if halt and not (halt.flatten and _anything_held(desk.ledger)):
        _skip_halted(run, halt, desk)
    if halt is None:
        open_sleeves(run.strategies, config, account, desk.ledger, lease)
    positions = desk.broker.positions()
    inputs = RunInputs(
        run_id=run.run_id,
        fence=run.fence,
        clock=clock,
        config=config,
        strategies=run.strategies,
        account=account,
        sleeves=desk.ledger.sleeves(),
        position_values={symbol: position.qty * position.price for symbol, position in positions.items()},
        pending=pending(desk.ledger.open_orders()),
        protected=guarded(desk.ledger.open_orders()),
        turnover_today=_turnover(clock.now, desk.ledger),
        committed=committed(desk.ledger.open_orders()),
        flatten=halt is not None,
        reconciliation=found,
        quarantines=tuple(desk.ledger.quarantines()),
    )
    if halt:
        plan = flatten(inputs, {symbol: position.price for symbol, position in positions.items()}, halt.reason)
        desk.ledger.save_plan(run.run_id, plan.orders, _begun_anew(inputs.sleeves), plan.crosses, lease)
    keep_books(run.run_id, desk.ledger, desk.archive)
    desk.archive.put(inputs_key(run.run_id), to_json(inputs))
    return inputs


def end_what_should_not_fill(
    clock: MarketClock, halt: Halt | None, broker: Broker, ledger: Ledger, lease: Lease
) -> None:
    """Withdraw buys of an earlier session; where all is to be sold, whatever holds shares or buys more of them."""
    working = ledger.open_orders()
    if not (halt and halt.flatten):
        working = [order for order in working if order.side is Side.BUY and _sent_before(order, clock.session)]
    withdraw(working, broker, ledger, lease)


def _sent_before(order: Order, session: date) -> bool:
    return order.sending_since is not None and order.sending_since.astimezone(NEW_YORK).date() < session


def _begun_anew(sleeves: Mapping[str, Sleeve]) -> list[Sleeve]:
    """Sleeves that are to be sold: none has rebalanced, so that each does when trading is resumed."""
    known = (sleeve for sleeve in sleeves.values() if sleeve.rebalanced)
    return [replace(sleeve, last_rebalance=None, rebalancing=None) for sleeve in known]


def _anything_held(ledger: Ledger) -> bool:
    return any(sleeve.positions for sleeve in ledger.sleeves().values())


def _with_others(found: Reconciliation, record: Booked, desk: Desk) -> Reconciliation:
    others = tuple(sorted((symbol, held.qty) for symbol, held in desk.broker.other_holdings().items()))
    return replace(found, record=record, others=others)


def _tell_changes(run: Run, found: Reconciliation, desk: Desk) -> None:
    """Alert a person to what happened to the account outside of the platform."""
    lines = [_line_of(booked) for booked in found.record.exchanges]
    lines += _unmanaged_lines(found, _inputs_before(run, desk))
    if lines:
        told = "\n".join(lines)
        tell(
            "Openbell: the account changed outside of the platform",
            f"Run {run.run_id} found at the broker:\n{told}\n"
            "Shares of no strategy are never touched; trading goes on.\n"
            "First thing to do: openbell positions; then docs/runbook.md, 'The account changed'",
            desk,
        )


def _tell_orphans(run: Run, config: PlatformConfig, desk: Desk) -> None:
    """Alert a person when a sleeve has lost its strategy, or has another state than at the run before."""
    found = orphans(desk.ledger.sleeves(), config)
    before = _inputs_before(run, desk)
    if not found or (before and set(orphans(before.sleeves, before.config)) == set(found)):
        return
    told = "\n".join(f"  {line}" for line in found.values())
    tell(
        "Openbell: a sleeve has no strategy",
        f"Run {run.run_id} found sleeves that no enabled strategy trades:\n{told}\n"
        "They keep what they hold, protected as before; openbell halt --flatten sells it with the rest. A strategy of "
        "another name gets none of it.\n"
        "First thing to do: openbell sleeves list; then docs/runbook.md, 'A sleeve has no strategy'",
        desk,
    )


def _unmanaged_lines(found: Reconciliation, before: RunInputs | None) -> list[str]:
    """What has changed of that which belongs to no strategy, if anything is known of the run before."""
    if before is None:
        return []
    now, known = _unmanaged(found), _unmanaged(before.reconciliation)
    return [
        f"  {symbol}: {now.get(symbol, ZERO)} shares belong to no strategy (before: {known.get(symbol, ZERO)})"
        for symbol in sorted(now.keys() | known.keys())
        if now.get(symbol, ZERO) != known.get(symbol, ZERO)
    ]


def _unmanaged(found: Reconciliation) -> dict[str, Decimal]:
    return {**dict(found.unmanaged), **dict(found.others)}


def _line_of(booked: BookedExchange) -> str:
    came = [f"{qty} {symbol}" for symbol, qty in booked.after] + ([f"{booked.cash} USD"] if booked.cash else [])
    what = booked.kind.value.replace("_", " ")
    return f"  {booked.symbol}: a {what} of {booked.before} shares, now {' and '.join(came)}, booked to the sleeves"


def _compare_calendar(clock: MarketClock, desk: Desk) -> None:
    """The clock decides; a difference means an unscheduled closure, or a table that is too old."""
    today = clock.session
    if not exchange_calendar.covers(today):
        expected = "nothing: it does not reach this year"
    elif not exchange_calendar.is_session(today):
        expected = "a holiday"
    elif (close := exchange_calendar.close_of(today)) != clock.next_close:
        expected = f"a close at {close:%H:%M}"
    else:
        return
    tell(
        "Openbell: the calendar is not what the broker says",
        f"The broker's clock says that today's session ends at {clock.next_close.astimezone(NEW_YORK):%H:%M} New York "
        f"time; the platform's table of holidays says: {expected}.\n"
        "The clock decides; trading goes on. Schedules on the first or last day of a week or month may be off.\n"
        "First thing to do: read the exchange's news; then docs/runbook.md, 'The calendar differs'",
        desk,
    )


def _inputs_before(run: Run, desk: Desk) -> RunInputs | None:
    """What the run before this one froze; None if there was none."""
    earlier = (each for each in desk.ledger.runs(skipped=False) if each.run_id != run.run_id)
    return next((inputs for each in earlier if (inputs := _opened_before(each, desk.archive))), None)


def _halt(run: Run, account: Account, config: PlatformConfig, desk: Desk, moved: Decimal) -> Halt | None:
    """The halt that stands, or the one that the day's loss causes now."""
    halt = desk.ledger.halt()
    if halt is None and (reason := _daily_loss(account, config, moved)):
        halt = Halt(reason, "the daily loss limit", run.as_of)
        desk.ledger.set_halt(halt)
        alert_halt(halt, desk)
    return halt


def _skip_halted(run: Run, halt: Halt, desk: Desk) -> NoReturn:
    """End the run; what it settled and found is reported all the same."""
    note = f"trading is halted since {halt.at:%Y-%m-%d %H:%M %Z} by {halt.by}: {halt.reason}"
    skipped = replace(run, status=RunStatus.SKIPPED, note=note)
    unprotected = guard(run, desk, lease_of(run))
    compare_cash(run, run.as_of, desk, lease_of(run))
    desk.archive.put(report_key(run.run_id), make_report(skipped, desk, (), unprotected).to_bytes())
    keep_books(run.run_id, desk.ledger, desk.archive, skipped)
    desk.ledger.finish_run(skipped)
    desk.ledger.release_lease(lease_of(run))
    raise Halted(note)


def transferred(transfers: Sequence[Activity], clock: MarketClock, broker: Broker) -> Decimal:
    """USD that came into the account from outside since the last session's close, or went; shares at their price."""
    day = clock.session - timedelta(days=1)
    while exchange_calendar.covers(day) and not exchange_calendar.is_session(day):
        day -= timedelta(days=1)
    found = [entry for entry in transfers if entry.day > day]
    positions = broker.positions() if any(entry.qty and not entry.amount for entry in found) else {}
    shares = (entry.qty * positions[entry.symbol].price for entry in found if entry.symbol in positions)
    return sum((entry.amount for entry in found), ZERO) + sum(shares, ZERO)


def _daily_loss(account: Account, config: PlatformConfig, moved: Decimal = ZERO) -> str:
    """Why the day's loss halts trading, if it does; USD that were `moved` in or out are neither gain nor loss."""
    floor = account.last_equity * (1 - config.risk.max_daily_loss)
    equity = account.equity - moved
    if equity >= floor:
        return ""
    without = f" (without {moved} USD that were transferred)" if moved else ""
    return (
        f"equity {equity} USD{without} is below {floor:.2f} USD: the day's loss exceeds "
        f"{config.risk.max_daily_loss:.1%} of yesterday's {account.last_equity} USD"
    )


def open_sleeves(
    strategies: Sequence[str], config: PlatformConfig, account: Account, ledger: Ledger, lease: Lease
) -> None:
    """Give each of the strategies that has no sleeve its share of the equity, as far as cash is left."""
    sleeves = ledger.sleeves()
    free = account.cash - sum((sleeve.cash for sleeve in sleeves.values()), ZERO)
    for name in strategies:
        if name not in sleeves:
            share = to_cents(account.equity * config.strategies[name].allocation)
            cash = max(ZERO, min(share, free))
            ledger.open_sleeve(Sleeve(name, cash), lease)
            free -= cash


def _turnover(now: datetime, ledger: Ledger) -> Decimal:
    """USD traded by the earlier runs of the same day in New York."""
    today = now.astimezone(NEW_YORK).date()
    runs = [run for run in ledger.runs(skipped=False) if run.as_of.astimezone(NEW_YORK).date() == today]
    return sum((order.filled_value for run in runs for order in ledger.orders(run.run_id)), ZERO)
