"""From the `uses` of the configuration to a strategy's class: one that ships, or the user's own.

`momentum` is one that ships, `strategies/mine.py:Mine` a class in a file, `my_package.mine:Mine` a class in a module.
"""

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from openbell.config import StrategyConfig
from openbell.errors import ConfigError, StrategyFailed, explain
from openbell.portfolio.sizing import Sizing
from openbell.strategies import asking
from openbell.strategies.asking import ask
from openbell.strategies.protocol import Parameters, Strategy

Shipped = Mapping[str, type[Strategy[Any]]]


def build(name: str, entry: StrategyConfig, shipped: Shipped, seconds: float) -> Strategy[Any]:
    """The strategy of the configuration's entry `name`; ConfigError says what is wrong with code or parameters.

    Its code may take `seconds` to be loaded, and as long again to be made.
    """
    kind = _class_of(name, entry, shipped, seconds)
    try:
        return ask(lambda: _made(kind, entry), seconds)
    except StrategyFailed as failure:
        cause = failure.__cause__
        if isinstance(cause, ValidationError):
            raise ConfigError(explain(cause, f"strategies.{name}.parameters")) from cause
        raise ConfigError(f"strategies.{name}: {kind.__name__} cannot be made: {_describe(failure)}") from failure


def _made(kind: type[Strategy[Any]], entry: StrategyConfig) -> Strategy[Any]:
    made = kind(kind.parameters_model.model_validate(entry.parameters))
    if not isinstance(made.sizing, Sizing) or not isinstance(made.needs_forecasts, bool):
        raise TypeError("sizing must be a Sizing, needs_forecasts True or False")
    return made


def _class_of(name: str, entry: StrategyConfig, shipped: Shipped, seconds: float) -> type[Strategy[Any]]:
    """The class that the entry uses; ConfigError names the entry, the file and, if its code raises, the line."""
    uses = entry.uses or name
    if ":" in entry.uses:
        return _own(f"strategies.{name}.uses", entry, seconds)
    if uses in shipped:
        return shipped[uses]
    raise ConfigError(
        f"strategies.{name}: there is no strategy {uses!r}; allowed: {', '.join(sorted(shipped))}, "
        "or code of your own as folder/file.py:Class or package.module:Class"
    )


def _own(where: str, entry: StrategyConfig, seconds: float) -> type[Strategy[Any]]:
    source, _, class_name = entry.uses.rpartition(":")
    module = _module_in(entry.file, where, seconds) if entry.file else _module_named(entry.module, where, seconds)
    kind = getattr(module, class_name, None)
    if not isinstance(kind, type):
        found = _strategies_in(module)
        there = f"it has: {', '.join(found)}" if found else "it has no strategy at all"
        raise ConfigError(f"{where}: {source} has no class {class_name!r}; {there}")
    if not issubclass(kind, Strategy):
        raise ConfigError(f"{where}: {class_name} is no subclass of openbell.strategies.Strategy, which it must be")
    if kind.signals is Strategy.signals:
        raise ConfigError(f"{where}: {class_name} has no method signals(self, context), which it must have")
    if not issubclass(kind.parameters_model, Parameters):
        raise ConfigError(f"{where}: parameters_model of {class_name} is no subclass of openbell.strategies.Parameters")
    return kind


def _strategies_in(module: ModuleType) -> list[str]:
    """Names of the strategies that are written in `module`, not imported by it."""
    return [
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Strategy) and value.__module__ == module.__name__
    ]


def _module_in(file: Path, where: str, seconds: float) -> ModuleType:
    """The module in `file`, run once in a process under a name that no other file has."""
    name = f"openbell_own_{file.stem}_{sha256(str(file).encode()).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    loader = spec.loader if spec else None
    if spec is None or loader is None or not file.is_file():
        raise ConfigError(f"{where}: there is no file {file}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pydantic look annotations up by the module's name
    try:
        ask(lambda: loader.exec_module(module), seconds)
    except StrategyFailed as failure:
        sys.modules.pop(name, None)
        raise ConfigError(f"{where}: {_describe(failure)}") from failure
    return module


def _module_named(name: str, where: str, seconds: float) -> ModuleType:
    try:
        return ask(lambda: importlib.import_module(name), seconds)
    except StrategyFailed as failure:
        error = failure.__cause__
        if isinstance(error, ModuleNotFoundError) and error.name and f"{name}.".startswith(f"{error.name}."):
            raise ConfigError(
                f"{where}: there is no module {error.name!r}; a module must be installed, or lie under config/ and be "
                "named with it (config.my_package.my_module:Class); a file needs .py (my_folder/my_file.py:Class)"
            ) from error
        raise ConfigError(f"{where}: {_describe(failure)}") from failure


def _describe(failure: StrategyFailed) -> str:
    """What the code raised when it was loaded, with the file and line that a person has to look at."""
    told, error = str(failure), failure.__cause__
    if error is None:
        return told
    if isinstance(error, SyntaxError):
        return f"{error.filename}, line {error.lineno}: {type(error).__name__}: {error.msg}"
    frames = [frame for frame in extract_tb(error.__traceback__) if not _of_the_import(frame.filename)]
    if not frames:
        return told
    line = [frame for frame in frames if frame.filename == frames[0].filename][-1]
    return f"{line.filename}, line {line.lineno}: {told}"


def _of_the_import(filename: str) -> bool:
    return filename in {__file__, asking.__file__, importlib.__file__} or filename.startswith("<frozen ")
