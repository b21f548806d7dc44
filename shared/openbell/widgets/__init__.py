"""The dashboard's own widgets: what a Lambda answers to CloudWatch, which shows it as HTML."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from openbell.ports import Archive, Ledger
from openbell.runs import report_key
from openbell.widgets.markup import Markup, element
from openbell.widgets.pages import Report, forecasts_page, plan_page, positions_page, run_page, state_page

__all__ = ["DOCUMENTATION", "WidgetQuery", "show"]

RUNS = 12  # listed by the widget `state`

DOCUMENTATION = """## Openbell's widgets

What the platform knows of itself, read from its ledger and its archive. Nothing can be changed from here.

| widget | shows |
|---|---|
| `state` | whether trading is on, the last completed run and its age, the newest runs; a click on one opens `run` |
| `positions` | money by strategy, and every position, at the prices of the newest run |
| `plan` | the newest run's orders with their reasons, and what the risk gate took away |
| `forecasts` | charts of the tickers of which the most is expected |
| `run` | one run in full; `run_id` says which |

### Parameters

```yaml
widget: state
run_id: "20220615-1500-e2b9" # only for run, positions, plan and forecasts: that run instead of the newest one
endpoint: "arn:aws:lambda:..." # this function's ARN, by which `state` opens `run`
```
"""

_PAGES: dict[str, Callable[[Report], Markup]] = {
    "positions": positions_page,
    "plan": plan_page,
    "forecasts": forecasts_page,
    "run": run_page,
}


@dataclass(frozen=True)
class WidgetQuery:
    """What a widget asks for."""

    widget: str
    now: datetime
    run_id: str = ""
    endpoint: str = ""


def show(query: WidgetQuery, ledger: Ledger, archive: Archive) -> str:
    """The widget's HTML."""
    if query.widget == "state":
        return state_page(ledger.halt(), ledger.lease(), ledger.runs(RUNS), query.now, query.endpoint)
    found = _report(query.run_id, archive) if query.run_id else _newest_report(ledger, archive)
    if found is None:
        return element("p", f"There is no report of run {query.run_id}." if query.run_id else "There is no report yet.")
    return _PAGES[query.widget](found)


def _newest_report(ledger: Ledger, archive: Archive) -> Report | None:
    """Of the newest run that got far enough to leave one: most skipped runs do not."""
    reports = (_report(run.run_id, archive) for run in ledger.runs())
    return next((report for report in reports if report), None)


def _report(run_id: str, archive: Archive) -> Report | None:
    try:
        found: dict[str, Any] = json.loads(archive.get(report_key(run_id)))
    except KeyError:
        return None
    return found
