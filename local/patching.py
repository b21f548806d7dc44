"""Replacing an attribute or an item of somebody else's for a while."""

import inspect
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any


@contextmanager
def replaced(target: Any, name: str, value: Any) -> Iterator[None]:
    """`target.name` is `value` inside the block; AttributeError if there is no such name to replace."""
    original = inspect.getattr_static(target, name)
    setattr(target, name, value)
    try:
        yield
    finally:
        setattr(target, name, original)


@contextmanager
def added(target: Any, name: str, value: Any) -> Iterator[None]:
    """`target.name` is `value` inside the block; AttributeError if there is such a name already."""
    if hasattr(target, name):
        raise AttributeError(f"{target!r} has {name} already")
    setattr(target, name, value)
    try:
        yield
    finally:
        delattr(target, name)


@contextmanager
def replaced_item[K, V](target: MutableMapping[K, V], key: K, value: V) -> Iterator[None]:
    """`target[key]` is `value` inside the block; KeyError if there is no such key to replace."""
    original = target[key]
    target[key] = value
    try:
        yield
    finally:
        target[key] = original
