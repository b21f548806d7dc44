"""The bridge to Backtrader: the same runs of the same strategies, in an engine that others wrote and many know."""

import warnings
from typing import TYPE_CHECKING

from openbell.errors import InvalidInput

if TYPE_CHECKING:
    from lab.bridge.playing import InBacktrader

__all__ = ["in_backtrader"]


def in_backtrader() -> "type[InBacktrader]":
    """What plays a backtest in Backtrader; InvalidInput if that is not installed.

    Backtrader is under the GPL, an extra of this package, and is imported here only.
    """
    try:
        with warnings.catch_warnings():  # spellings that newer Pythons frown at
            warnings.simplefilter("ignore")
            from lab.bridge.playing import InBacktrader  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name != "backtrader":
            raise
        raise InvalidInput(
            "--engine backtrader: Backtrader is not installed; install it with `uv sync --extra backtrader` "
            "or `pip install backtrader`"
        ) from error
    return InBacktrader
