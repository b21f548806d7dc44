"""A custom widget: a Lambda is asked, and its HTML is shown after everything that could act was taken out."""

import html
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

from markupsafe import Markup

from openbell.errors import OpenbellError

type Link = Callable[[Mapping[str, Any]], str]  # the address of what another event to the same Lambda answers

_SHOWN = frozenset(
    re.split(
        " ",
        "a b br code dd div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i li ol p pre small span strong sub sup "
        "table tbody td tfoot th thead tr u ul circle ellipse g line path polygon polyline rect svg text title",
    )
)
_SILENT = frozenset({"script", "style", "iframe", "object", "template", "textarea", "noscript"})  # with all inside
_EMPTY = frozenset({"br", "hr"})
_ATTRIBUTES = frozenset(
    re.split(
        " ",
        "style role colspan rowspan scope width height viewbox points d x y x1 x2 y1 y2 cx cy r rx ry transform fill "
        "fill-opacity stroke stroke-width stroke-dasharray text-anchor font-size aria-label aria-hidden",
    )
)
_ACTION = "cwdb-action"  # CloudWatch's own: what a click on the element before it does


class WidgetFailed(OpenbellError):
    """A widget's Lambda gave no answer that could be shown."""


def ask_widget(client: Any, endpoint: str, event: Mapping[str, Any]) -> str:
    """What the Lambda `endpoint` (ARN) answers to `event`: HTML, not to be trusted. WidgetFailed if it does not."""
    answer = client.invoke(FunctionName=endpoint, Payload=json.dumps(event).encode())
    said = answer["Payload"].read()
    if "FunctionError" in answer:
        raise WidgetFailed(f"the widget's Lambda failed: {said.decode(errors='replace')[:500]}")
    found = json.loads(said or b"null")
    return found if isinstance(found, str) else f"<pre>{html.escape(json.dumps(found, indent=1))}</pre>"


def widget_event(parameters: Mapping[str, Any], start: datetime, end: datetime) -> dict[str, Any]:
    """The event that CloudWatch sends: the widget's parameters, and the time that the dashboard shows."""
    span = {"mode": "absolute", "start": int(start.timestamp() * 1000), "end": int(end.timestamp() * 1000)}
    context = {"timeRange": span, "locale": "en", "params": dict(parameters), "forms": {"all": {}}}
    return {**parameters, "widgetContext": context}


def tame(markup: str, link: Link) -> Markup:
    """`markup` with harmless elements and attributes alone; CloudWatch's calls of the Lambda become links."""
    tamer = _Tamer(link)
    tamer.feed(markup)
    tamer.close()
    return Markup("".join(tamer.out))  # noqa: S704 every piece was escaped or chosen


class _Tamer(HTMLParser):
    def __init__(self, link: Link) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self._link = link
        self._silent = 0  # depth inside an element that is left out with all in it
        self._anchor: int | None = None  # where the last link began
        self._action: str | None = None  # what the action says so far

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == _ACTION:
            self._action = "" if dict(attrs).get("action") == "call" else None
            self._silent += 1
        elif tag in _SILENT:
            self._silent += 1
        elif tag in _SHOWN and not self._silent:
            if tag == "a":
                self._anchor = len(self.out)
            kept = "".join(f' {name}="{html.escape(value or "")}"' for name, value in attrs if name in _ATTRIBUTES)
            self.out.append(f"<{tag}{kept}>")

    def handle_endtag(self, tag: str) -> None:
        if tag == _ACTION or tag in _SILENT:
            self._silent = max(0, self._silent - 1)
            if tag == _ACTION:
                self._let_act()
        elif tag in _SHOWN - _EMPTY and not self._silent:
            self.out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if self._action is not None:
            self._action += data
        elif not self._silent:
            self.out.append(html.escape(data))

    def _let_act(self) -> None:
        """The link before the action leads to what the action shows."""
        told, self._action = self._action, None
        if told is None or self._anchor is None:
            return
        try:
            event = json.loads(told)
        except ValueError:
            return
        if isinstance(event, dict):
            self.out[self._anchor] = f'<a href="{html.escape(self._link(event))}">'
