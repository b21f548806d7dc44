"""Exact arithmetic on USD and shares."""

from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

CENT = Decimal("0.01")
ONE_SHARE = Decimal(1)
SHARE_QUANTUM = Decimal("0.000000001")  # the finest fraction of a share that the broker knows


def to_cents(amount: Decimal) -> Decimal:
    """USD rounded to the cent, half to even."""
    return amount.quantize(CENT, ROUND_HALF_EVEN)


def tick_of(price: Decimal) -> Decimal:
    """The step (USD) of prices that the broker accepts near `price`: a cent, a hundredth of one below one dollar."""
    return CENT if price >= 1 else Decimal("0.0001")


def to_tick(price: Decimal) -> Decimal:
    """A price (USD) in steps that the broker accepts."""
    return price.quantize(tick_of(price), ROUND_HALF_EVEN)


def quantum_of(*quantities: Decimal) -> Decimal:
    """The step in which quantities like these are divided: whole shares if all are whole."""
    return ONE_SHARE if all(qty == qty.to_integral_value() for qty in quantities) else SHARE_QUANTUM


def bought_with(cash: Decimal, price: Decimal, quantum: Decimal) -> Decimal:
    """How many shares, in steps of `quantum`, `cash` (USD) buys at `price` (USD, above 0); never negative."""
    return max(Decimal(0), (cash / price).quantize(quantum, ROUND_DOWN))


def allocate(total: Decimal, weights: Sequence[Decimal], quantum: Decimal) -> list[Decimal]:
    """`total` divided in proportion to `weights`, each part a multiple of `quantum`, the parts summing to `total`.

    Largest-remainder method (Hamilton): every part is rounded down, and what is left goes to the largest remainders,
    the first one on a tie. A remainder of `total` below one quantum goes to the first weight above zero, so nothing
    is created or lost. Example: 10 shares over weights 1, 1, 1 give 4, 3, 3.

    Raises ValueError if a weight is negative, or if all are zero and there is something to divide.
    """
    if any(weight < 0 for weight in weights):
        raise ValueError(f"weights must not be negative, got {[str(weight) for weight in weights]}")
    whole = sum(weights, Decimal(0))
    if whole == 0:
        if total == 0:
            return [Decimal(0) for _ in weights]
        raise ValueError(f"cannot divide {total} over weights that are all zero")
    exact = [total * weight / whole for weight in weights]
    parts = [(part / quantum).to_integral_value(ROUND_DOWN) * quantum for part in exact]
    by_remainder = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    left = total - sum(parts, Decimal(0))
    for index in by_remainder:
        if left < quantum:
            break
        parts[index] += quantum
        left -= quantum
    if left:
        parts[next(i for i, weight in enumerate(weights) if weight > 0)] += left
    return parts
