"""Whether two answers are of one shape: what the exchange answers against what Alpaca was recorded to answer."""

from collections.abc import Iterator
from typing import Any


def missing(recorded: Any, ours: Any, where: str = "") -> Iterator[str]:
    """What Alpaca's answer has and ours lacks, or has as another type. More than Alpaca has is no difference."""
    if recorded is None or ours is None:
        return  # a field that may be empty says nothing of its type
    if isinstance(recorded, dict) and isinstance(ours, dict):
        for name, value in recorded.items():
            if name not in ours:
                yield f"{where}.{name}: missing"
            else:
                yield from missing(value, ours[name], f"{where}.{name}")
    elif isinstance(recorded, list) and isinstance(ours, list):
        if recorded and ours:
            yield from missing(recorded[0], ours[0], f"{where}[0]")
    elif _kind(recorded) != _kind(ours):
        yield f"{where}: {_kind(recorded)} at Alpaca, {_kind(ours)} here"


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else type(value).__name__
