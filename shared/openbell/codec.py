"""Frozen values to JSON and back: Decimal and dates as strings, floats so that they read back bit by bit."""

from typing import Any

from pydantic import TypeAdapter

_adapters: dict[type[Any], TypeAdapter[Any]] = {}  # building one takes milliseconds
_anything: TypeAdapter[Any] = TypeAdapter(Any)


def _adapter_of(kind: type[Any]) -> TypeAdapter[Any]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def to_json[T](value: T) -> bytes:
    """`value` (a dataclass) as JSON; equal values give equal bytes."""
    return _adapter_of(type(value)).dump_json(value, indent=1)


def from_json[T](kind: type[T], content: bytes) -> T:
    """The value of `kind` that `to_json` wrote; pydantic's ValidationError if it is not one."""
    value: T = _adapter_of(kind).validate_json(content)
    return value


def to_plain(value: Any) -> Any:
    """`value` (a dataclass, or a collection of them) as JSON-able lists, dicts, strings and numbers."""
    return _anything.dump_python(value, mode="json")


def from_plain[T](kind: type[T], plain: Any) -> T:
    """The value of `kind` that `to_plain` made plain; pydantic's ValidationError if it is not one."""
    value: T = _adapter_of(kind).validate_python(plain)
    return value
