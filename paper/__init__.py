"""A paper exchange that speaks Alpaca's REST API over real market history, and owns the clock."""

from paper.bars_file import load_bars, load_sample
from paper.errors import BarsFileError, PaperError, Refused
from paper.exchange import PaperExchange
from paper.gate import Credentials
from paper.history import BarArrays, History, Split
from paper.orders import Change, OrderClass, OrderType, Side, StopLoss, Ticket, TimeInForce
from paper.server import Intercept, create_app, serve
from paper.state import Rules

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
