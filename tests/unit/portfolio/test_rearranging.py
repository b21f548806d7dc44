"""Sleeves resized, renamed, closed, and cash passed on: nothing appears, nothing is lost."""

from collections.abc import Callable, Sequence
from decimal import Decimal

import pytest

from openbell.config import parse_config
from openbell.errors import InvalidInput
from openbell.model import Order, OrderStatus, Side
from openbell.portfolio.cash import committed
from openbell.portfolio.rearranging import Books, Rearrangement, close, orphans, rename, resize, transfer
from tests.builders import D, order, sleeve

ALPHA = sleeve("alpha", "1000", {"KO": ("10", "500")})
BETA = sleeve("beta", "200", {"KO": ("4", "220"), "XOM": ("1", "80")})
PRICES = {"KO": D(60), "XOM": D(90)}


def books(free: str = "300", orders: Sequence[Order] = ()) -> Books:
    return Books({"alpha": ALPHA, "beta": BETA}, orders, committed(orders), D(free))


def cash(made: Rearrangement) -> dict[str, Decimal]:
    return {own.strategy: own.cash for own in (*made.changed, *made.opened)}


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(InvalidInput) as caught:
        call()
    return str(caught.value)


def test_a_sleeve_grows_with_cash_of_the_account() -> None:
    made = resize(books(), "alpha", D("1850.004"), PRICES)  # 1,000 and 10 at 60
    assert cash(made) == {"alpha": D("1250.00")}
    assert made.told == ("250.00 USD to alpha, which is worth 1850.00 USD then",)


def test_a_sleeve_shrinks_by_cash_that_no_buy_may_take() -> None:
    assert cash(resize(books(), "alpha", D(700), PRICES)) == {"alpha": D(100)}
    buying = order(shares={"alpha": "9"}, limit_price=D(100), status=OrderStatus.WORKING)
    told = refused(lambda: resize(books(orders=[buying]), "alpha", D(1499), PRICES))
    assert told.startswith("alpha is worth 1600.00 USD, of which 100.00 USD are cash that can be taken; 101.00 USD")


def test_more_than_the_account_has_is_refused() -> None:
    assert "the account has 300.00 USD that belong to no strategy" in refused(
        lambda: resize(books(), "alpha", D(1901), PRICES)
    )


def test_cash_passes_from_one_to_the_other() -> None:
    assert cash(transfer(books(), "alpha", "beta", D("250.50"))) == {"alpha": D("749.50"), "beta": D("450.50")}


@pytest.mark.parametrize(
    ("giver", "taker", "amount", "told"),
    [
        ("alpha", "beta", "1000.01", "alpha has 1000.00 USD that it can give"),
        ("alpha", "alpha", "1", "needs two sleeves"),
        ("alpha", "beta", "0", "above 0"),
        ("alpha", "beta", "-5", "above 0"),
        ("alpha", "beta", "0.001", "in cents"),
        ("alpha", "gamma", "1", "there is no sleeve 'gamma'; the ledger has: alpha, beta"),
    ],
)
def test_a_transfer_that_makes_no_sense_is_refused(giver: str, taker: str, amount: str, told: str) -> None:
    assert told in refused(lambda: transfer(books(), giver, taker, D(amount)))


def test_a_renamed_sleeve_keeps_all_that_it_has_and_its_open_orders() -> None:
    shared = order(Side.SELL, {"alpha": "3", "beta": "2"}, "KO", status=OrderStatus.WORKING)
    made = rename(books(orders=[shared]), "alpha", "gamma")
    (gamma,) = made.opened
    assert (gamma.strategy, gamma.cash, gamma.positions, gamma.version) == ("gamma", 1000, ALPHA.positions, 0)
    assert made.removed == (ALPHA,)
    assert [{s.strategy: s.qty for s in changed.shares} for changed in made.orders] == [{"beta": 2, "gamma": 3}]
    assert made.told[0] == "the sleeve of alpha becomes that of gamma: 1000.00 USD, 10 KO"
    assert "to join both: openbell sleeves close alpha --into beta" in refused(lambda: rename(books(), "alpha", "beta"))


def test_a_closed_sleeve_without_holdings_gives_its_cash_to_the_account() -> None:
    empty = Books({"alpha": sleeve("alpha", "12.34")}, [], {}, D(0))
    made = close(empty, "alpha")
    assert (made.changed, made.opened, [own.strategy for own in made.removed]) == ((), (), ["alpha"])
    assert made.told == ("alpha ends; 12.34 USD go to the account",)


def test_a_sleeve_with_holdings_is_not_closed_into_nothing() -> None:
    assert "alpha has 1000.00 USD, 10 KO and 0 open orders; sell first" in refused(lambda: close(books(), "alpha"))


def test_another_sleeve_takes_all_over() -> None:
    shared = order(Side.SELL, {"alpha": "3", "beta": "2"}, "KO", status=OrderStatus.WORKING)
    made = close(books(orders=[shared]), "alpha", into="beta")
    (beta,) = made.changed
    assert beta.cash == 1200
    assert {symbol: (p.qty, p.cost) for symbol, p in beta.positions.items()} == {"KO": (14, 720), "XOM": (1, 80)}
    assert [{s.strategy: s.qty for s in changed.shares} for changed in made.orders] == [{"beta": 5}]
    assert "itself" in refused(lambda: close(books(), "alpha", into="alpha"))


def test_sleeves_without_an_enabled_strategy_are_orphans() -> None:
    config = parse_config(
        {"strategies": {"alpha": {"allocation": 0.1, "enabled": False}, "gamma": {"allocation": 0.1}}}, "test"
    )
    found = orphans({"alpha": ALPHA, "beta": BETA, "empty": sleeve("empty", "0"), "gamma": sleeve("gamma")}, config)
    assert found == {
        "alpha": "alpha is not enabled; its sleeve has 1000.00 USD, 10 KO",
        "beta": "beta is not in the configuration; its sleeve has 200.00 USD, 4 KO, 1 XOM",
    }
