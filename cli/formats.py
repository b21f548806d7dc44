"""Numbers as people read them."""

from decimal import ROUND_HALF_EVEN, Decimal

MINUS = "\N{MINUS SIGN}"
_NO_VALUE = "\N{EN DASH}"


def money(amount: Decimal | None) -> str:
    """USD with two decimals and thousands separated: 1234.5 is 1,234.50."""
    return _NO_VALUE if amount is None else _sign(f"{amount.quantize(Decimal('0.01'), ROUND_HALF_EVEN):,.2f}")


def signed_money(amount: Decimal | None) -> str:
    """As `money`, with a plus before a gain."""
    return _plus(money(amount), amount)


def shares(qty: Decimal | None) -> str:
    """Shares without trailing zeros: 10.500 is 10.5."""
    if qty is None:
        return _NO_VALUE
    text = f"{qty:,f}"
    return _sign(text.rstrip("0").rstrip(".") if "." in text else text)


def percent(fraction: float | Decimal | None, digits: int = 1) -> str:
    """A fraction as per cent: 0.125 is 12.5 %."""
    if fraction is None:
        return _NO_VALUE
    return _sign(f"{float(fraction) * 100:.{digits}f}\N{NO-BREAK SPACE}%")


def signed_percent(fraction: float | Decimal | None, digits: int = 1) -> str:
    """As `percent`, with a plus before a gain."""
    return _plus(percent(fraction, digits), fraction)


def score(value: float) -> str:
    """A signal's score in [-1, 1], always with its sign."""
    return _plus(_sign(f"{value:.2f}"), value)


def bps(value: Decimal | None) -> str:
    """Basis points with one decimal."""
    return _NO_VALUE if value is None else _plus(_sign(f"{value:.1f}"), value)


def seconds(value: float) -> str:
    """A duration: 0.84 s, 12.3 s, 2 min 05 s."""
    if value < 10:  # noqa: PLR2004 below ten seconds the second decimal still tells something
        return f"{value:.2f} s"
    if value < 60:  # noqa: PLR2004
        return f"{value:.1f} s"
    return f"{int(value // 60)} min {int(value % 60):02d} s"


def count(number: int, noun: str) -> str:
    """1 order, 2 orders."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _sign(text: str) -> str:
    """A true minus sign, which is as wide as the plus; and no negative zero."""
    bare = text.lstrip("-")
    if text.startswith("-") and any(digit in bare for digit in "123456789"):
        return MINUS + bare
    return bare


def _plus(text: str, value: float | Decimal | None) -> str:
    return f"+{text}" if value is not None and value > 0 and any(digit in text for digit in "123456789") else text
