"""HTML in which nothing that came from outside can become an element: all text is escaped unless it was made here."""

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def escaped(value: object) -> Markup:
    """`value` as HTML text; Markup stays as it is."""
    return value if isinstance(value, Markup) else Markup(html.escape(str(value), quote=False))


def element(name: str, *children: object, **attributes: object) -> Markup:
    """An element; underscores in the names of attributes become hyphens, and empty attributes are left out."""
    given = "".join(
        f' {key.replace("_", "-")}="{html.escape(str(value))}"' for key, value in attributes.items() if value != ""
    )
    return Markup(f"<{name}{given}>{joined(children)}</{name}>")


def joined(parts: Iterable[object]) -> Markup:
    """Parts one after the other."""
    return Markup("".join(escaped(part) for part in parts))


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], numbers: int = 0) -> Markup:
    """A table whose last `numbers` columns are aligned as numbers; a sentence if there are no rows."""
    words = len(headers) - numbers

    def cells(name: str, values: Sequence[object]) -> Markup:
        return joined(
            element(name, value, style="text-align:right;font-variant-numeric:tabular-nums" if at >= words else "")
            for at, value in enumerate(values)
        )

    body = [element("tr", cells("td", row)) for row in rows]
    if not body:
        return element("p", "None.")
    return element(
        "table", element("thead", element("tr", cells("th", headers))), element("tbody", *body), style="width:100%"
    )


def action(label: object, endpoint: str, event: Mapping[str, Any]) -> Markup:
    """A link that calls the Lambda `endpoint` (ARN) with `event` and shows its answer in a window over the dashboard.

    The element `cwdb-action` is CloudWatch's own and concerns the element before it.
    """
    call = element("cwdb-action", json.dumps(event), action="call", display="popup", endpoint=endpoint)
    return joined((element("a", label), call))
