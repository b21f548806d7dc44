"""How the exchange says no.

PaperError
├── BarsFileError     a file of price history cannot be used; the message says which rows and what to do
└── Refused           a request is answered with an HTTP status and Alpaca's error body
"""

from collections.abc import Mapping
from decimal import Decimal

_INVALID = 42210000
_GENERIC = 40010001
_FORBIDDEN = 40310000
_NOT_FOUND = 40410000

type Detail = str | list[str]


class PaperError(Exception):
    """Anything that the paper exchange refuses."""


class BarsFileError(PaperError):
    """A file of bars that cannot be used."""


class Refused(PaperError):
    """An answer with an HTTP status above 399, and Alpaca's body for it."""

    def __init__(self, status: int, code: int, message: str, details: Mapping[str, Detail] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = dict(details or {})

    @property
    def body(self) -> dict[str, object]:
        """What is sent: code, message and the details."""
        return {**self.details, "code": self.code, "message": self.message}


def invalid(message: str, **details: Detail) -> Refused:
    """422: the request can never work as it is."""
    return Refused(422, _INVALID, message, details)


def invalid_field(message: str) -> Refused:
    """422 with the generic validation code, as for a client_order_id that was used before."""
    return Refused(422, _GENERIC, message)


def bad_request(message: str) -> Refused:
    """400: parameters that contradict each other or cannot be read."""
    return Refused(400, _GENERIC, message)


def forbidden(message: str, **details: Detail) -> Refused:
    """403: the account may not do this now."""
    return Refused(403, _FORBIDDEN, message, details)


def not_found(message: str) -> Refused:
    """404: no such order, position or asset."""
    return Refused(404, _NOT_FOUND, message)


def insufficient_buying_power(available: Decimal, cost: Decimal) -> Refused:
    """403 with the amounts in USD, as strings of cents."""
    return forbidden("insufficient buying power", buying_power=f"{available:.2f}", cost_basis=f"{cost:.2f}")
