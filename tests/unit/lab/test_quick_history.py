"""Prices in ticks: the same digits as the history gives, and the same jumps."""

from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pytest

from lab.quick_exchange import QuickBroker, QuickExchange, QuickMarket
from lab.quick_history import NO_TICKS, QuickHistory, in_ticks, to_usd
from openbell.model import NEW_YORK
from paper import BarArrays, History, PaperExchange, Side, Ticket
from paper.market import Market
from tests.integration.lab.markets import ohlc_market
from tests.integration.workflow.stage import sample

NASTY = [0.00004, 0.00005, 0.00015, 0.12345, 1.00005, 2.675, 100.00025, 289.532, 99_999_999.99995, np.nan, -1.0, 0.0]


@pytest.mark.parametrize("price", NASTY)
def test_a_price_in_ticks_has_the_digits_that_the_history_gives(price: float) -> None:
    days = sample().sessions[:1]
    told = History(["A"], days, BarArrays(np.array([[price]]))).prices("A", days[0]).close
    ticks = int(in_ticks(np.array([[price]]))[0, 0])
    assert ticks == (NO_TICKS if told is None else int(told.scaleb(4)))


def test_random_prices_round_as_text_does() -> None:
    prices = np.exp(np.random.default_rng(5).normal(3, 3, (400, 5))).round(5)  # many of them half a tick
    expected = [[int(Decimal(f"{price:.4f}").scaleb(4)) for price in row] for row in prices]
    assert in_ticks(prices).tolist() == expected


def test_prices_of_every_day_are_the_same() -> None:
    slow = ohlc_market()
    quick = QuickHistory(slow)
    for day in slow.sessions[-40:]:
        for symbol in (*slow.symbols, "NONE"):
            assert quick.prices(symbol, day) == slow.prices(symbol, day)
            assert quick.last_close(symbol, day) == slow.last_close(symbol, day)


@pytest.mark.parametrize("market", ["closes only", "with opens"])
def test_latest_prices_are_the_same_at_any_time_of_day(market: str) -> None:
    history = sample() if market == "closes only" else ohlc_market()
    slow, quick = Market(history), QuickMarket(QuickHistory(history))
    for day in (date(2022, 6, 14), date(2022, 6, 18), date(2021, 11, 26)):
        for hour, minute in ((4, 0), (9, 30), (12, 50), (15, 0), (15, 45), (16, 0), (20, 0)):
            at = datetime(day.year, day.month, day.day, hour, minute, tzinfo=NEW_YORK)
            for symbol in history.symbols:
                assert quick.latest(symbol, at) == slow.latest(symbol, at), (symbol, at)
            found = {symbol: slow.latest(symbol, at) for symbol in history.symbols}
            expected = {symbol: trade.price for symbol, trade in found.items() if trade}
            assert {symbol: to_usd(price) for symbol, price in quick.prices(history.symbols, at).items()} == expected


def _exchanges() -> tuple[PaperExchange, QuickExchange]:
    start, cash = datetime(2022, 5, 2, 15, tzinfo=NEW_YORK), Decimal(100_000)
    both = PaperExchange(sample(), cash, start, slippage_bps=2), QuickExchange(QuickHistory(sample()), cash, start, D2)
    for exchange in both:
        exchange.submit(Ticket("AAPL", Side.BUY, Decimal(100)))
        exchange.submit(Ticket("XOM", Side.BUY, Decimal(70)))
        exchange.close_session()
    return both


D2 = Decimal(2)


def test_a_jump_leaves_what_an_advance_leaves() -> None:
    slow, quick = _exchanges()
    for to in (datetime(2022, 6, 15, 15, tzinfo=NEW_YORK), datetime(2022, 6, 17, 16, tzinfo=NEW_YORK)):
        slow.advance(to)
        quick.jump(to)
        assert (quick.now, quick.account(), quick.equities()) == (slow.now, slow.account(), slow.equities())


def test_a_jump_goes_the_long_way_while_an_order_rests() -> None:
    slow, quick = _exchanges()
    for exchange in (slow, quick):
        exchange.submit(Ticket("AAPL", Side.SELL, Decimal(100)))
    slow.advance(datetime(2022, 6, 15, 15, tzinfo=NEW_YORK))
    quick.jump(datetime(2022, 6, 15, 15, tzinfo=NEW_YORK))
    assert quick.fills() == slow.fills()
    assert len(quick.fills()) == 3
    assert quick.equities() == slow.equities()


def test_shares_and_their_values_are_those_of_the_positions() -> None:
    _, quick = _exchanges()
    broker = QuickBroker(quick)
    quick.jump(datetime(2022, 5, 4, 15, tzinfo=NEW_YORK))
    positions = broker.positions()
    assert broker.shares() == {symbol: position.qty for symbol, position in positions.items()}
    assert broker.position_values() == {s: position.qty * position.price for s, position in positions.items()}


@pytest.mark.parametrize("market", ["closes only", "with opens"])
def test_the_next_print_is_the_same(market: str) -> None:
    history = sample() if market == "closes only" else ohlc_market()
    slow, quick = Market(history), QuickMarket(QuickHistory(history))
    for day in (date(2022, 6, 14), date(2022, 6, 18), date(2021, 11, 26)):
        for hour, minute in ((4, 0), (9, 30), (12, 50), (15, 0), (15, 45), (16, 0), (20, 0)):
            at = datetime(day.year, day.month, day.day, hour, minute, tzinfo=NEW_YORK)
            for only in (None, day, date(2022, 6, 15)):
                assert quick.next_print("AAPL", at, only) == slow.next_print("AAPL", at, only), (at, only)
