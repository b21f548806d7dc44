"""HTML of a widget's Lambda: shown, but it can do nothing."""

import io
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from console.dashboard.custom import WidgetFailed, ask_widget, tame, widget_event
from functions.widgets.app import WidgetEvent
from openbell.widgets.chart import forecast_chart
from openbell.widgets.markup import action
from tests.builders import AS_OF


def link(event: Mapping[str, Any]) -> str:
    return f"/w?{event['widget']}&{event['run_id']}"


def tamed(markup: str) -> str:
    return str(tame(markup, link))


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("<p>hello</p><script>alert(1)</script>!", "<p>hello</p>!"),
        ('<p onclick="alert(1)" style="color:red" id="main">x</p>', '<p style="color:red">x</p>'),
        ('<a href="javascript:alert(1)">x</a>', "<a>x</a>"),
        ('<img src="http://evil.example/a.png" onerror="alert(1)">x', "x"),
        ('<form action="/halt" method="post"><input name="reason"><button>go</button></form>', "go"),
        ("<iframe srcdoc='<p>x</p>'>y</iframe>z", "z"),
        ("<style>body{display:none}</style><b>x</b>", "<b>x</b>"),
        ('<meta http-equiv="refresh" content="0;url=http://evil.example">x', "x"),
        ('<link rel="stylesheet" href="http://evil.example/a.css">x', "x"),
        ('<svg width="9" onload="alert(1)"><title>t</title></svg>', '<svg width="9"><title>t</title></svg>'),
        ("a &lt;b&gt; &amp; c", "a &lt;b&gt; &amp; c"),
        ('<p title="&quot;><script>alert(1)</script>">x</p>', "<p>x</p>"),
        ("<p style='&quot;&gt;&lt;script&gt;'>x</p>", '<p style="&quot;&gt;&lt;script&gt;">x</p>'),
        ("<scr<script>ipt>alert(1)</script>", "ipt&gt;alert(1)"),
        ("1<br>2<hr/>3", "1<br>2<hr>3"),
        ("<!-- c --><?php x ?>y", "y"),
    ],
)  # fmt: skip
def test_only_what_is_harmless_is_shown(given: str, shown: str) -> None:
    assert tamed(given) == shown


def test_our_own_charts_come_through_whole() -> None:
    forecast = {"yhat": [11.0, 12.0], "yhat_lower": [10.0, 10.5], "yhat_upper": [12.0, 13.5]}
    svg = forecast_chart("KO", [9.0, 10.0], forecast)
    assert tamed(svg).replace("viewbox", "viewBox") == svg


def test_a_call_of_the_lambda_becomes_a_link() -> None:
    made = action("20220615-1500-e2b9", "arn:aws:lambda:x", {"widget": "run", "run_id": "20220615-1500-e2b9"})
    assert tamed(made) == '<a href="/w?run&amp;20220615-1500-e2b9">20220615-1500-e2b9</a>'


def test_each_call_belongs_to_the_link_before_it() -> None:
    calls = [action(name, "arn:aws:lambda:x", {"widget": "run", "run_id": name}) for name in ("a", "b")]
    assert tamed(f"<p>{calls[0]}{calls[1]}</p>") == '<p><a href="/w?run&amp;a">a</a><a href="/w?run&amp;b">b</a></p>'


@pytest.mark.parametrize("told", ["no json", "[1, 2]"])
def test_a_call_that_makes_no_sense_is_left_out(told: str) -> None:
    assert tamed(f'<a>x</a><cwdb-action action="call" endpoint="e">{told}</cwdb-action>') == "<a>x</a>"


def test_an_action_that_shows_something_of_its_own_is_left_out() -> None:
    assert tamed('<a>x</a><cwdb-action action="html" display="popup"><b>more</b></cwdb-action>y') == "<a>x</a>y"


def test_the_event_is_what_the_function_takes() -> None:
    event = widget_event({"widget": "state", "endpoint": ""}, AS_OF - timedelta(days=1), AS_OF)
    parsed = WidgetEvent.model_validate(json.loads(json.dumps(event)))
    assert parsed.widget == "state"
    assert parsed.now == AS_OF  # the end of the time shown


class Lambda:
    """Answers as boto3's client does."""

    def __init__(self, answer: bytes, **more: str) -> None:
        self._answer = {"Payload": io.BytesIO(answer)} | more

    def invoke(self, **_: Any) -> dict[str, Any]:
        return self._answer


def test_a_function_that_failed_is_told() -> None:
    broken = Lambda(b'{"errorMessage": "no table"}', FunctionError="Unhandled")
    with pytest.raises(WidgetFailed, match="no table"):
        ask_widget(broken, "arn", {})


def test_an_answer_that_is_no_text_is_shown_as_it_is() -> None:
    assert ask_widget(Lambda(b'{"a": "<b>"}'), "arn", {}) == "<pre>{\n &quot;a&quot;: &quot;&lt;b&gt;&quot;\n}</pre>"
