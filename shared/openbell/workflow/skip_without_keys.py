"""OpenRun without keys that the broker accepts: nothing can be done, and one alert says so, not one at every tick."""

from datetime import datetime

from openbell.errors import KeysLost, KeysRefused, NoBrokerKeys, RunInProgress, RunSkipped
from openbell.model import Run, RunStatus
from openbell.ports import Alerts, Ledger
from openbell.runs import run_id
from openbell.workflow.open_run import RunRequest

_NEVER_HAD = "no broker keys yet"
_LOST = "the broker no longer accepts the keys"


def skip_without_keys(
    request: RunRequest, refused: KeysRefused, now: datetime, ledger: Ledger, alerts: Alerts
) -> RunSkipped:
    """Record a skipped run; gives the reason: NoBrokerKeys, or KeysLost if the platform has traded before.

    `now` (zone-aware) is this computer's time: the broker's clock cannot be asked. A person is alerted unless the run
    before was skipped for the same reason. Raises `refused` if the run has begun already: then it has failed.
    """
    if ledger.run_of(request.execution):
        raise refused
    if request.tick and not ledger.claim_tick(request.tick, request.execution):
        return RunInProgress(f"the tick {request.tick} has been taken by another execution")
    traded = bool(ledger.sleeves())
    note = f"{_LOST if traded else _NEVER_HAD}: {refused}"
    before = ledger.runs(1)
    if not (before and before[0].status is RunStatus.SKIPPED and before[0].note.startswith((_NEVER_HAD, _LOST))):
        _tell(note, alerts, traded=traded)
    at = datetime.fromisoformat(request.tick) if request.tick else now
    run = Run(
        run_id=run_id(at, request.execution),
        execution=request.execution,
        as_of=at,
        status=RunStatus.SKIPPED,
        schedule=request.schedule,
        strategies=(),
        note=note,
    )
    ledger.start_run(run, None)
    return KeysLost(note) if traded else NoBrokerKeys(note)


def _tell(note: str, alerts: Alerts, *, traded: bool) -> None:
    held = (
        "What the strategies hold stays at the broker, with its protective orders; nobody watches it until then."
        if traded
        else "Nothing is held and nothing was sent."
    )
    alerts.alert(
        "Openbell: no keys that the broker accepts",
        f"{note}.\n"
        "Every run is skipped until that changes, and no further mail tells so.\n"
        f"{held}\n"
        "First thing to do: openbell doctor; then docs/runbook.md, 'Keys'",
    )
