"""AggregateSignals: the signals of all strategies become one sealed plan, before any order is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from openbell.books import keep_books
from openbell.codec import from_json, to_json
from openbell.decision import decide
from openbell.errors import TooManyForecastFailures
from openbell.execution.booking import book_crosses
from openbell.forecasts import Forecast, WorkList, spec_id, work_list_key
from openbell.model import Lease, Rebalance, Side, Sleeve
from openbell.portfolio.sizing import Sizing
from openbell.ports import Archive, Ledger
from openbell.runs import Decisions, RunInputs, Universes, decisions_key, inputs_key, snapshot_keys, universe_key
from openbell.snapshot import Snapshot
from openbell.strategies import Built, Strategy, build_each


@dataclass(frozen=True)
class LostBatch:
    """A batch whose Lambda failed as a whole."""

    batch_index: int
    error: str


@dataclass(frozen=True)
class PlannedOrders:
    """The orders to send, by client_order_id: the sells, and then the buys."""

    sells: tuple[str, ...]
    buys: tuple[str, ...]


def aggregate_signals(
    run_id: str, lost: Sequence[LostBatch], *, ledger: Ledger, archive: Archive, lease: Lease
) -> PlannedOrders:
    """Decide, and write the plan. A plan that was sealed by an earlier attempt is taken as it is.

    Raises TooManyForecastFailures when more tickers have no forecast than the configuration tolerates.
    """
    if not ledger.plan_sealed(run_id):
        inputs = from_json(RunInputs, archive.get(inputs_key(run_id)))
        work = from_json(WorkList, archive.get(work_list_key(run_id)))
        _record_lost(run_id, lost, work, ledger)
        _check_forecasts(run_id, work, inputs, ledger)
        built = build_each(inputs.config)
        decisions = decide_run(inputs, built, ledger, archive)
        archive.put(decisions_key(run_id), to_json(decisions))
        changed = changed_sleeves(inputs, decisions, built.strategies)
        ledger.save_plan(run_id, decisions.plan.orders, changed, decisions.plan.crosses, lease)
    keep_books(run_id, ledger, archive)
    orders = [order for order in ledger.orders(run_id) if not order.protective]
    sells = tuple(order.client_order_id for order in orders if order.side is Side.SELL)
    buys = [order for order in orders if order.side is Side.BUY]
    # Plain buys first: the legs of a shielded one would make a later buy of the symbol a wash trade.
    buys.sort(key=lambda order: (order.bracket is not None, order.client_order_id))
    return PlannedOrders(sells, tuple(order.client_order_id for order in buys))


def _record_lost(run_id: str, lost: Sequence[LostBatch], work: WorkList, ledger: Ledger) -> None:
    for item in lost:
        batch = work.batches[item.batch_index]
        made = ledger.forecasts(run_id, batch.spec)  # the Lambda may have died after it had stored them
        failures = {ticker: item.error for ticker in batch.tickers if ticker not in made}
        ledger.save_forecasts(run_id, batch.spec, [], failures)


def _check_forecasts(run_id: str, work: WorkList, inputs: RunInputs, ledger: Ledger) -> None:
    failures = {ticker: why for spec in work.specs for ticker, why in ledger.forecast_failures(run_id, spec).items()}
    wanted = sum(len(batch.tickers) for batch in work.batches)
    tolerated = inputs.config.data.max_failed_forecasts
    if len(failures) > tolerated * wanted:
        first = "; ".join(f"{ticker}: {why}" for ticker, why in list(failures.items())[:5])
        raise TooManyForecastFailures(
            f"{len(failures)} of {wanted} tickers have no forecast; at most {tolerated:.0%} may fail. {first}"
        )


def decide_run(inputs: RunInputs, built: Built, ledger: Ledger, archive: Archive) -> Decisions:
    """What follows from the inputs, snapshot, universe and forecasts that the run keeps; KeyError if one is missing."""
    run_id = inputs.run_id
    closes_key, meta_key = snapshot_keys(run_id)
    snapshot = Snapshot.from_bytes(archive.get(closes_key), archive.get(meta_key))
    universes = from_json(Universes, archive.get(universe_key(run_id)))
    universes = replace(universes, failed={**built.failed, **universes.failed})
    forecasts: dict[str, Mapping[str, Forecast]] = {
        name: ledger.forecasts(run_id, spec_id(inputs.config.strategies[name].forecast))
        for name in inputs.strategies
        if name in built.strategies and built.strategies[name].needs_forecasts
    }
    return decide(inputs, snapshot, universes, forecasts, built.strategies)


def changed_sleeves(inputs: RunInputs, decisions: Decisions, strategies: Mapping[str, Strategy[Any]]) -> list[Sleeve]:
    """Sleeves that the plan itself changes: by crosses, and by a rebalance that begins."""
    changed = book_crosses(inputs.sleeves, decisions.plan.crosses)
    for name, signals in decisions.signals.items():
        if signals and name in strategies and strategies[name].sizing is Sizing.REBALANCE:
            sleeve = changed.get(name, inputs.sleeves[name])
            changed[name] = replace(sleeve, rebalancing=Rebalance(inputs.run_id, inputs.clock.session))
    return list(changed.values())
