"""The way of a run without Step Functions: the same use cases in the same order as statemachine/trading.asl.json."""

from collections.abc import Callable, Collection, Sequence
from functools import partial

from openbell.adapters.memory.executions import MemoryExecutions
from openbell.config import PlatformConfig
from openbell.errors import LeaseLost, PlanNotSealed, RetryableError, RunSkipped
from openbell.model import Lease, RunStatus
from openbell.ports import Desk, Executions, MarketData
from openbell.runs import RunInputs, fenced
from openbell.workflow.aggregate_signals import LostBatch, aggregate_signals
from openbell.workflow.close_run import ClosedRun, close_run
from openbell.workflow.execute_order import execute_order
from openbell.workflow.forecast import forecast
from openbell.workflow.open_run import RunRequest, open_run
from openbell.workflow.select_universe import select_universe
from openbell.workflow.settle_orders import settle_orders

type Wait = Callable[[float], object]

_ATTEMPTS = 5  # as often as the state machine tries a task
_NONE_ENDED = MemoryExecutions()  # a run that is played here ends before the next one begins


def run_workflow(
    request: RunRequest,
    config: PlatformConfig,
    desk: Desk,
    data: MarketData,
    members: Collection[str],
    wait: Wait,
    executions: Executions = _NONE_ENDED,
) -> ClosedRun:
    """One whole run; `wait` is given the seconds of a Wait state.

    Raises what OpenRun raises for a run that is skipped. Any other error closes the run as FAILED, and is raised.
    """
    try:
        inputs = _patiently(lambda: open_run(request, config, desk, executions), wait)
        _trade(inputs, desk, data, members, wait)
    except RunSkipped:
        raise
    except Exception as error:
        failure = f"{type(error).__name__}: {error}"
        close_run(request.execution, RunStatus.FAILED, failure, desk, config.risk.max_failed_runs)
        raise
    return close_run(request.execution, RunStatus.COMPLETED, "", desk, config.risk.max_failed_runs)


def _trade(inputs: RunInputs, desk: Desk, data: MarketData, members: Collection[str], wait: Wait) -> None:
    run_id, lease = inputs.run_id, fenced(inputs.run_id, inputs.fence)
    selected = _patiently(
        lambda: select_universe(run_id, broker=desk.broker, data=data, archive=desk.archive, members=members), wait
    )
    lost = _forecast_all(run_id, len(selected.work.batches), desk)
    planned = _patiently(
        lambda: aggregate_signals(run_id, lost, ledger=desk.ledger, archive=desk.archive, lease=lease), wait
    )
    for client_order_ids in (planned.sells, planned.buys):
        for client_order_id in client_order_ids:
            submit(run_id, client_order_id, desk, lease, wait)
        settle_all(inputs, client_order_ids, desk, lease, wait)


def _forecast_all(run_id: str, number: int, desk: Desk) -> list[LostBatch]:
    lost = []
    for index in range(number):
        try:
            forecast(run_id, index, forecasts=desk.ledger, archive=desk.archive)
        except Exception as error:  # a batch's trouble is its own, whatever it is
            lost.append(LostBatch(index, f"{type(error).__name__}: {error}"))
    return lost


def submit(run_id: str, client_order_id: str, desk: Desk, lease: Lease, wait: Wait) -> None:
    """Send one order; one that could not be sent is left to the looks that follow."""

    def once() -> None:
        execute_order(run_id, client_order_id, broker=desk.broker, ledger=desk.ledger, lease=lease)

    try:
        _patiently(once, wait)
    except (LeaseLost, PlanNotSealed):
        raise
    except Exception:  # in doubt: settling looks it up
        return


def settle_all(
    inputs: RunInputs, client_order_ids: Sequence[str], desk: Desk, lease: Lease, wait: Wait, rounds: int = 0
) -> None:
    """Look at the orders until all have ended or the rounds, of which `rounds` are over, are used up."""
    settled = False
    while not settled:
        look_again = partial(
            settle_orders,
            inputs.run_id,
            client_order_ids,
            rounds,
            broker=desk.broker,
            ledger=desk.ledger,
            archive=desk.archive,
            lease=lease,
        )
        look = _patiently(look_again, wait)
        settled, rounds = look.settled, look.round
        if not settled:
            wait(inputs.config.execution.poll_seconds)


def _patiently[R](task: Callable[[], R], wait: Wait) -> R:
    """Try a task as the state machine does when its error may pass."""
    for attempt in range(1, _ATTEMPTS):
        try:
            return task()
        except RetryableError:
            wait(2**attempt)
    return task()
