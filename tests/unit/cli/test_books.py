"""The command's own comparison of ledger and exchange."""

from decimal import Decimal

from cli.books import compare_books
from openbell.model import Position, Sleeve


def sleeve(name: str, **shares: int) -> Sleeve:
    return Sleeve(name, Decimal(0), {s: Position(Decimal(q), Decimal(100 * q)) for s, q in shares.items()})


def test_sleeves_that_sum_to_what_is_held_agree() -> None:
    sleeves = {"a": sleeve("a", AAPL=3, KO=1), "b": sleeve("b", AAPL=2)}
    assert compare_books(sleeves, {"AAPL": Decimal(5), "KO": Decimal(1)}) == ()


def test_a_symbol_that_only_one_side_has_is_a_difference() -> None:
    sleeves = {"a": sleeve("a", AAPL=3)}
    assert compare_books(sleeves, {"KO": Decimal(2)}) == (
        "AAPL: the ledger has 3, the exchange holds 0",
        "KO: the ledger has 0, the exchange holds 2",
    )
