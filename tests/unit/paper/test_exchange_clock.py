"""The exchange's clock, what happens on its way, and that a saved exchange goes on as if it had never stopped."""

from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from paper import OrderClass, PaperExchange, Rules, Split, StopLoss, TimeInForce, load_sample
from paper.orders import Status
from paper.sessions import NEW_YORK
from tests.unit.paper.market_days import at, bars, buy, closes, exchange, limit, reread, sell

D = Decimal
NAN = float("nan")
GTC: dict[str, Any] = {"time_in_force": TimeInForce.GTC}


def flat(start: datetime | None = None, rules: Rules | None = None) -> PaperExchange:
    return exchange(closes(AAPL=[100] * 6), start, rules=rules)


# Where it stands.


def test_the_clock_stands_still_until_it_is_moved_and_tells_new_york_time() -> None:
    paper = exchange(closes(AAPL=[100] * 3), datetime.fromisoformat("2022-06-14T14:00:00Z"))
    assert paper.now == at(14, "10:00")
    assert paper.now.isoformat() == "2022-06-14T10:00:00-04:00"


def test_the_clock_never_goes_back() -> None:
    paper = flat()
    with pytest.raises(ValueError, match="cannot go back"):
        paper.advance(at(14, "09:59"))
    with pytest.raises(ValueError, match="cannot go back"):
        paper.wait(-1)
    paper.advance(at(14, "10:00"))
    assert paper.now == at(14, "10:00")


def test_an_instant_needs_a_time_zone() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        flat().advance(datetime(2022, 6, 15, 10, 0))  # noqa: DTZ001 - the mistake
    with pytest.raises(ValueError, match="no time zone"):
        flat(datetime(2022, 6, 15, 10, 0))  # noqa: DTZ001


def test_an_instant_beyond_the_calendar_is_refused_and_the_clock_stays() -> None:
    paper = flat()
    with pytest.raises(ValueError, match="beyond the calendar"):
        paper.advance(datetime(2025, 1, 1, tzinfo=NEW_YORK))
    assert paper.now == at(14, "10:00")


# Waiting.


def test_waiting_without_a_market_order_takes_as_long_as_it_is_told() -> None:
    paper = flat()
    paper.submit(buy("1", **GTC, **limit("90")))
    assert paper.wait(10) == datetime(2022, 6, 14, 10, 0, 10, tzinfo=NEW_YORK)


def test_waiting_for_a_market_order_jumps_to_the_next_print() -> None:
    paper = flat()
    order = paper.submit(buy("1"))
    assert paper.wait(10) == at(14, "15:45")
    assert reread(paper, order).status is Status.FILLED


def test_waiting_longer_than_until_the_next_print_takes_its_time() -> None:
    paper = flat(at(14, "15:44"))
    paper.submit(buy("1"))
    assert paper.wait(300) == at(14, "15:49")


def test_waiting_for_the_rest_of_an_order_goes_minute_by_minute() -> None:
    paper = flat(rules=Rules(fill_share=D("0.5")))
    order = paper.submit(buy("4"))
    assert (paper.wait(10), reread(paper, order).filled_qty) == (at(14, "15:45"), 2)
    assert (paper.wait(10), reread(paper, order).filled_qty) == (at(14, "15:46"), 4)


def test_waiting_overnight_ends_at_the_opening_print() -> None:
    day = (100.0, 100.0, 100.0, 100.0)
    paper = exchange(bars(AAPL=[day] * 6), at(17, "18:00"))  # a Friday; Monday is a holiday
    paper.submit(buy("1"))
    assert paper.wait(10) == at(21, "09:30")


def test_waiting_for_a_price_that_never_comes_does_not_last_for_ever() -> None:
    paper = exchange(closes(AAPL=[100, NAN, 100]))
    paper.submit(buy("1"))  # a day order, on a day without a price
    assert paper.wait(10) == datetime(2022, 6, 14, 10, 0, 10, tzinfo=NEW_YORK)


# From session to session.


def test_closing_the_session_goes_to_the_bell_and_happens_once() -> None:
    paper = flat()
    paper.close_session()
    assert paper.now == at(14, "16:00")
    paper.close_session()
    assert paper.now == at(14, "16:00")
    assert paper.equities() == [(date(2022, 6, 14), D(10000))]


@pytest.mark.parametrize(
    ("start", "clock", "expected"),
    [
        (at(14, "10:00"), time(15), at(15, "15:00")),
        (at(14, "08:00"), time(9, 30), at(14, "09:30")),  # today's bell has not rung yet
        (at(14, "08:00"), time(7), at(15, "07:00")),  # but seven o'clock is past
        (at(17, "16:00"), time(9, 30), at(21, "09:30")),  # over the weekend and the holiday on the 20th
        (at(18, "12:00"), time(15), at(21, "15:00")),  # from a Saturday
    ],
)
def test_the_next_session_is_the_first_whose_bell_has_not_rung(
    start: datetime, clock: time, expected: datetime
) -> None:
    paper = flat(start)
    paper.open_next_session(clock)
    assert paper.now == expected


def test_nothing_trades_on_a_holiday() -> None:
    paper = flat(at(17, "17:00"))
    order = paper.submit(buy("1"))
    paper.advance(at(20, "23:59"))
    assert reread(paper, order).status is Status.ACCEPTED
    assert not paper.equities()


def test_on_an_early_close_the_closing_window_begins_at_a_quarter_to_one() -> None:
    thanksgiving_friday = date(2022, 11, 25)
    sample = load_sample()
    paper = PaperExchange(sample, D(10000), datetime(2022, 11, 25, 10, 0, tzinfo=NEW_YORK))
    order = paper.submit(buy("1", **GTC))
    assert paper.wait(1) == datetime(2022, 11, 25, 12, 45, tzinfo=NEW_YORK)
    assert reread(paper, order).average_price == sample.prices("AAPL", thanksgiving_friday).close
    day_order = paper.submit(buy("1", **limit("1")))
    paper.close_session()
    assert reread(paper, day_order).ended_at == datetime(2022, 11, 25, 13, 0, tzinfo=NEW_YORK)


def test_equity_is_written_down_at_each_close_and_the_last_one_is_yesterday_s() -> None:
    paper = exchange(closes(AAPL=[100, 100, 103, 99]))
    paper.submit(buy("10"))
    paper.advance(at(16, "12:00"))
    assert paper.equities() == [(date(2022, 6, 14), D(10000)), (date(2022, 6, 15), D(10030))]
    assert (paper.account().last_equity, paper.account().equity) == (10030, 10030)
    paper.advance(at(16, "16:00"))
    assert (paper.account().last_equity, paper.account().equity) == (10030, 9990)


# Prices as of the clock.


def test_the_latest_price_is_the_last_one_printed() -> None:
    paper = exchange(bars(AAPL=[(100, 105, 95, 101), (102, 110, 90, 107)]), at(14, "09:29"))

    def latest() -> tuple[Decimal, datetime]:
        trade = paper.latest_trade("AAPL")
        assert trade
        return trade.price, trade.at

    assert latest() == (101, at(13, "16:00"))
    paper.advance(at(14, "15:44"))
    assert latest() == (102, at(14, "09:30"))
    paper.advance(at(14, "15:45"))
    assert latest() == (107, at(14, "15:45"))
    paper.advance(at(14, "20:00"))
    assert latest() == (107, at(14, "16:00"))


def test_a_split_multiplies_the_shares_at_the_opening_bell_and_keeps_the_worth() -> None:
    paper = exchange(closes([Split("AAPL", date(2022, 6, 15), D(4))], AAPL=[100, 100, 26]), at(14, "15:45"))
    paper.submit(buy("10"))
    paper.advance(at(15, "09:29"))
    assert paper.position("AAPL").qty == 10
    paper.advance(at(15, "09:30"))
    held = paper.position("AAPL")
    assert (held.qty, held.holding.average_price, held.price, held.last_close) == (40, 25, 25, 25)
    assert paper.account().equity == 10000
    paper.advance(at(15, "15:45"))
    assert paper.account().equity == 10040  # 9,000 + 40 x 26


def test_the_split_of_another_symbol_changes_nothing() -> None:
    paper = exchange(closes([Split("KO", date(2022, 6, 15), D(2))], AAPL=[100] * 3, KO=[50, 50, 25]), at(14, "15:45"))
    paper.submit(buy("10"))
    paper.advance(at(15, "10:00"))
    assert paper.position("AAPL").qty == 10


def test_a_split_on_a_holiday_is_refused() -> None:
    with pytest.raises(ValueError, match="closed on its ex-date 2022-06-20"):
        exchange(closes([Split("AAPL", date(2022, 6, 20), D(2))], AAPL=[100] * 6))


# Saving.


def busy() -> PaperExchange:
    """An exchange with a bracket at work, a replaced order, a part fill, a halted symbol, and shares bought by hand."""
    days = [(100.0, 101.0, 99.0, 100.0)] * 3 + [(100.0, 112.0, 99.0, 105.0)] * 3
    history = bars([Split("KO", date(2022, 6, 15), D(2))], AAPL=days, KO=days, PG=days)
    paper = exchange(history, cash="20000", rules=Rules(slippage_bps=D(5), fill_share=D("0.3")))
    paper.by_hand.trade("BTC/USD", D("0.01"), D(30000), "crypto")
    paper.by_hand.trade("KO", D(7), D(90))
    paper.by_hand.set_asset("PG", tradable=False)
    exits: dict[str, Any] = {"take_profit": D(110), "stop_loss": StopLoss(D(90), D(89))}
    paper.submit(buy("10", client_order_id="run-1", order_class=OrderClass.BRACKET, **GTC, **exits))
    paper.cancel(paper.submit(sell("3", "KO", client_order_id="run-2", **limit("120"))).id)
    paper.advance(at(14, "15:46"))
    return paper


def go_on(paper: PaperExchange) -> list[Any]:
    """Everything that can be seen of what happens next."""
    order = paper.submit(sell("5", "KO", **GTC, **limit("56")))
    paper.by_hand.set_asset("PG", tradable=True)
    paper.submit(buy("2", "PG"))
    paper.wait(10)
    paper.advance(at(17, "17:00"))
    views = [paper.legs(order) for order in paper.orders()]
    return [
        paper.now,
        paper.orders(),
        views,
        paper.fills(),
        paper.equities(),
        paper.account(),
        paper.positions(),
        order,
    ]


@pytest.mark.parametrize("moment", [at(14, "15:46"), at(15, "12:00")])
def test_a_saved_exchange_goes_on_as_if_it_had_never_stopped(tmp_path: Path, moment: datetime) -> None:
    first = busy()
    first.advance(moment)
    first.save(tmp_path / "deep" / "state.json")
    second = PaperExchange.load(tmp_path / "deep" / "state.json", first.history)
    assert (second.now, second.rules, second.orders()) == (first.now, first.rules, first.orders())
    assert go_on(second) == go_on(first)
    assert len(first.fills()) > 5


def test_a_loaded_exchange_still_knows_every_client_order_id(tmp_path: Path) -> None:
    paper = busy()
    paper.save(tmp_path / "state.json")
    loaded = PaperExchange.load(tmp_path / "state.json", paper.history)
    with pytest.raises(Exception, match="client_order_id must be unique"):
        loaded.submit(buy("1", client_order_id="run-2"))


def test_saving_leaves_one_complete_file_and_may_be_done_again(tmp_path: Path) -> None:
    paper = busy()
    for _ in range(2):
        paper.save(tmp_path / "state.json")
        paper.close_session()
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_a_file_that_is_no_saved_exchange_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text('{"version": 1}')
    with pytest.raises(ValueError, match=r"state\.json is not a saved paper exchange"):
        PaperExchange.load(path, closes(AAPL=[100]))
    flat().save(path)
    path.write_text(path.read_text().replace('"version": 1', '"version": 2'))
    with pytest.raises(ValueError, match="saved in format 2; this version reads format 1"):
        PaperExchange.load(path, closes(AAPL=[100]))
