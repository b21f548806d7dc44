"""A paper exchange that speaks Alpaca's REST API over real market history, and owns the clock."""

from typing import TYPE_CHECKING, Any

from paper.bars_file import load_bars, load_sample
from paper.errors import BarsFileError, PaperError, Refused
from paper.exchange import PaperExchange
from paper.gate import Credentials
from paper.history import BarArrays, History, Split
from paper.orders import Change, OrderClass, OrderType, Side, StopLoss, Ticket, TimeInForce
from paper.state import Rules

if TYPE_CHECKING:
    from paper.server import Intercept, create_app, serve

__all__ = [
    "BarArrays",
    "BarsFileError",
    "Change",
    "Credentials",
    "History",
    "Intercept",
    "OrderClass",
    "OrderType",
    "PaperError",
    "PaperExchange",
    "Refused",
    "Rules",
    "Side",
    "Split",
    "StopLoss",
    "Ticket",
    "TimeInForce",
    "create_app",
    "load_bars",
    "load_sample",
    "serve",
]

_OVER_HTTP = {"Intercept", "create_app", "serve"}


def __getattr__(name: str) -> Any:
    """What needs Flask is imported when it is asked for: trials in a Lambda play without it."""
    if name not in _OVER_HTTP:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from paper import server  # noqa: PLC0415

    return getattr(server, name)
