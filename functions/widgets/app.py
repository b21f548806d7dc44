"""Widgets: what the dashboard shows beside the metrics. Reads the ledger and the archive, and can do nothing else."""

import openbell.cold_start  # noqa: F401 before all other imports

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from openbell import bootstrap
from openbell.lambdas import Event, entry_point
from openbell.widgets import DOCUMENTATION, WidgetQuery, show


class WidgetEvent(Event):
    """What CloudWatch passes: the widget's parameters, and where it is shown."""

    widget: Literal["state", "positions", "plan", "forecasts", "run"] = "state"
    run_id: Annotated[str, Field(pattern=r"^[\w-]{0,60}$")] = ""
    endpoint: Annotated[str, Field(pattern=r"^$|^arn:aws[\w-]*:lambda:")] = ""
    describe: bool = False
    context: dict[str, Any] = Field(default_factory=dict, alias="widgetContext")

    @property
    def now(self) -> datetime:
        """The end of the time that the dashboard shows."""
        end = self.context.get("timeRange", {}).get("end")
        return datetime.fromtimestamp(end / 1000, UTC) if end else datetime.now(UTC)


@entry_point(WidgetEvent)
def handler(event: WidgetEvent) -> str:
    """HTML; for `describe`, which the dashboard's editor asks for, the documentation as Markdown."""
    if event.describe:
        return DOCUMENTATION
    query = WidgetQuery(event.widget, event.now, event.run_id, event.endpoint)
    return show(query, bootstrap.ledger(), bootstrap.archive())
