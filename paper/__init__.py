"""A paper exchange that speaks Alpaca's REST API over real market history, and owns the clock."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from paper.actions import Action, ActionType
from paper.bars_file import load_bars, load_sample
from paper.errors import BarsFileError, PaperError, Refused
from paper.exchange import PaperExchange
from paper.history import BarArrays, Dividend, History, Split
from paper.orders import Change, OrderClass, OrderType, Side, StopLoss, Ticket, TimeInForce
from paper.state import Rules

if TYPE_CHECKING:
    from paper.gate import Credentials, new_credentials
    from paper.server import Intercept, create_app, serve

__all__ = [
    "Action",
    "ActionType",
    "BarArrays",
    "BarsFileError",
    "Change",
    "Credentials",
    "Dividend",
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
    "new_credentials",
    "serve",
]

_OVER_HTTP = {
    "Credentials": "gate",
    "Intercept": "server",
    "create_app": "server",
    "new_credentials": "gate",
    "serve": "server",
}


def __getattr__(name: str) -> Any:
    """What needs Flask is imported when it is asked for: trials in a Lambda play without it."""
    if name not in _OVER_HTTP:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"paper.{_OVER_HTTP[name]}"), name)
