"""The files that a strategy's code lies in, and how to have it run anew as if the process had just begun."""

import inspect
import sys
from types import ModuleType
from typing import Any

from openbell.config import StrategyConfig
from openbell.strategies import Strategy

_OURS = "openbell"


def forget(entry: StrategyConfig) -> None:
    """Make the next import of the user's own code run it again: what it kept in its module and classes is gone.

    Its file, or its module with all modules of the same package. Code that ships keeps no state, and stays.
    """
    for name, module in list(sys.modules.items()):
        if _is_own(name, module, entry):
            del sys.modules[name]


def _is_own(name: str, module: ModuleType, entry: StrategyConfig) -> bool:
    if entry.file:
        return getattr(module, "__file__", None) == str(entry.file)
    package = entry.module.rpartition(".")[0] or entry.module
    if not package or package.split(".")[0] == _OURS:
        return False
    return name == package or name.startswith(f"{package}.")


def files_of(strategy: Strategy[Any], entry: StrategyConfig) -> frozenset[str]:
    """The source files of a strategy: of its classes, and of its own modules."""
    classes = [kind for kind in type(strategy).__mro__ if kind not in Strategy.__mro__]
    own = [module for name, module in list(sys.modules.items()) if _is_own(name, module, entry)]
    found = [_source(kind) for kind in classes] + [_source(module) for module in own]
    return frozenset(file for file in found if file)


def _source(part: type | ModuleType) -> str:
    try:
        return inspect.getsourcefile(part) or ""
    except TypeError:  # made in a shell or by the interpreter
        return ""
