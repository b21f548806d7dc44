"""How Alpaca writes numbers and times in JSON: decimals and instants as text."""

from datetime import UTC, datetime
from decimal import Decimal

_NINE_PLACES = Decimal("0.000000001")


def plain(number: Decimal) -> str:
    """The number without exponent and trailing zeros, to at most nine places: 100, 0.25."""
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -9:  # noqa: PLR2004 - nine places
        number = number.quantize(_NINE_PLACES)
    return f"{number.normalize():f}"


def plain_or_none(number: Decimal | None) -> str | None:
    """The number as text; None stays None."""
    return None if number is None else plain(number)


def instant(at: datetime) -> str:
    """RFC 3339 in UTC: 2022-06-15T19:00:00Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def instant_or_none(at: datetime | None) -> str | None:
    """RFC 3339 in UTC; None stays None."""
    return None if at is None else instant(at)
