"""At the end of a run: protect what the sleeves hold, and tell a person once of what cannot be protected."""

import json
from collections.abc import Sequence

from openbell.execution.alerting import tell
from openbell.execution.protection import Unprotected, protect
from openbell.model import Lease, Run
from openbell.ports import Desk
from openbell.runs import report_key


def guard(run: Run, desk: Desk, lease: Lease) -> tuple[Unprotected, ...]:
    """What of the sleeves' holdings should rest in protective orders and cannot. Raises what `protect` raises."""
    found = protect(run.run_id, desk.broker, desk.ledger, lease)
    known = _known_before(run, desk)
    news = [gap for gap in found if (gap.strategy, gap.symbol, str(gap.qty)) not in known]
    if news:
        _alert(run, news, desk)
    return found


def _known_before(run: Run, desk: Desk) -> set[tuple[str, str, str]]:
    """What the newest report before this run's has told of."""
    for earlier in desk.ledger.runs():
        if earlier.run_id != run.run_id:
            try:
                report = json.loads(desk.archive.get(report_key(earlier.run_id)))
            except KeyError:
                continue
            return {(gap["strategy"], gap["symbol"], gap["qty"]) for gap in report.get("unprotected", ())}
    return set()


def _alert(run: Run, gaps: Sequence[Unprotected], desk: Desk) -> None:
    lines = "\n".join(f"  {gap.symbol}: {gap.qty} shares of {gap.strategy}: {gap.why}" for gap in gaps)
    tell(
        "Openbell: holdings without protection",
        f"At the end of run {run.run_id} no stop and no target rests at the broker for:\n{lines}\n"
        "The shares stay as they are; every run tries again. This is told once, and stands in each report.\n"
        "First thing to do: openbell positions; then docs/runbook.md, 'Holdings without protection'",
        desk,
    )
