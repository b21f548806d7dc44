"""A figure that others published, made again by our exchange: SMA 10/30 on Google, 66 trades and 414.23 %.

It is the one that backtesting.py's test suite expects, on the prices that the package ships. Its rules: all money into
every trade, long or short, in whole shares; orders meet the open after the cross; no commission; what is held at the
end is closed at the last open. That package is under the AGPL and no part of this one: `make peers` gives it an
environment of its own, in which it runs as a process.
"""

import json
import subprocess
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from cli.places import ROOT
from lab.quick_exchange import QuickExchange
from lab.quick_history import QuickHistory
from openbell.model import NEW_YORK
from paper import BarArrays, History, Side, Ticket
from tests.builders import D

PEER = ROOT / ".tools" / "backtesting" / "bin" / "python"
CASH = D(10_000)
# Our accounts are never short: what backtesting.py sells short is held as its mirror, whose price is 2,000 USD less
# Google's, so that a fall of one is a rise of the other. A reserve of cash pays for what the mirror costs more.
MIRROR, RESERVE = 2000, D(1_000_000)


@dataclass(frozen=True)
class Published:
    """What backtesting.py answers. `bars` by name, `(n,)` USD; `trades` are (shares, below zero if short, in, out)."""

    days: list[date]
    bars: dict[str, np.ndarray]
    trades: list[tuple[Decimal, Decimal, Decimal]]
    count: int
    return_pct: float


@cache
def published() -> Published:
    if not PEER.exists():
        pytest.fail("backtesting.py is not here: make peers installs it, and make test does so by itself")
    script = Path(__file__).with_name("backtesting_peer.py")
    done = subprocess.run([PEER, "-W", "ignore", script], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return Published(
        [date.fromisoformat(day) for day in found["days"]],
        {name: np.array(prices) for name, prices in found["bars"].items()},
        [(D(int(size)), usd(entry), usd(exit_)) for size, entry, exit_ in found["trades"]],
        found["count"],
        found["return_pct"],
    )


def usd(price: float) -> Decimal:
    return D(f"{price:.4f}")


def market() -> History:
    """Google, and its mirror, whose high is where Google is low."""
    bars = published().bars
    mirrored = {"open": "open", "high": "low", "low": "high", "close": "close"}
    arrays = {name: np.column_stack([bars[name], MIRROR - bars[of]]) for name, of in mirrored.items()}
    return History(["GOOG", "MIRROR"], published().days, BarArrays(**arrays))


def crossings() -> dict[int, int]:
    """+1 or -1 for each bar at whose close the fast mean has come above the slow one, or below it."""
    closes = published().bars["close"]
    fast, slow = mean_of(closes, 10), mean_of(closes, 30)
    above, below = fast > slow, fast < slow
    bars = range(30, len(closes))
    return {
        bar: 1 if above[bar] else -1
        for bar in bars
        if (below[bar - 1] and above[bar]) or (above[bar - 1] and below[bar])
    }


def mean_of(closes: np.ndarray, bars: int) -> np.ndarray:
    means = np.full(len(closes), np.nan)
    means[bars - 1 :] = np.lib.stride_tricks.sliding_window_view(closes, bars).mean(axis=1)
    return means


class Player:
    """The rules above, on our exchange."""

    def __init__(self) -> None:
        self.history = market()
        self.exchange = QuickExchange(QuickHistory(self.history), CASH + RESERVE, self.before(29), D(0))

    def before(self, bar: int) -> datetime:
        """Before the bell of a bar."""
        return datetime.combine(self.history.sessions[bar], time(9), NEW_YORK)

    def reverse(self, bar: int, direction: int) -> None:
        """Close what is held and put all money into the other side, at the open of `bar`; 0 only closes."""
        self.exchange.jump(self.before(bar))
        opens = {symbol: self.history.prices(symbol, self.history.sessions[bar]).open for symbol in ("GOOG", "MIRROR")}
        money = self.exchange.account().cash - RESERVE
        for position in self.exchange.positions():
            self.exchange.submit(Ticket(position.symbol, Side.SELL, position.qty))
            money += position.qty * (opens[position.symbol] or 0)
        if direction:
            # backtesting.py sets the size of an order when it is filled: at the open, of whole shares of Google
            shares = money // (opens["GOOG"] or 0)
            self.exchange.submit(Ticket("GOOG" if direction > 0 else "MIRROR", Side.BUY, shares))
        self.exchange.advance(self.before(bar).replace(hour=10))

    def play(self) -> None:
        last = len(self.history.sessions) - 1
        for bar, direction in crossings().items():
            if bar < last:
                self.reverse(bar + 1, direction)
        self.reverse(last, 0)

    def trades(self) -> list[tuple[Decimal, Decimal, Decimal]]:
        """As `Published.trades`, the prices of the mirror as Google's."""
        found = []
        fills = self.exchange.fills()
        for entry, exit_ in zip(
            [fill for fill in fills if fill.side is Side.BUY], [f for f in fills if f.side is Side.SELL], strict=True
        ):
            if entry.symbol == "GOOG":
                found.append((entry.qty, entry.price, exit_.price))
            else:
                found.append((-entry.qty, MIRROR - entry.price, MIRROR - exit_.price))
        return found


def test_the_package_answers_what_its_test_suite_publishes() -> None:
    assert published().count == 66
    assert published().return_pct == pytest.approx(414.2298999999996, rel=1e-8)


def test_our_exchange_makes_the_same_66_trades_and_the_same_return() -> None:
    player = Player()
    player.play()
    assert len(player.trades()) == 66
    assert player.trades() == published().trades  # shares, price in, price out
    assert not player.exchange.positions()
    equity = player.exchange.account().equity - RESERVE
    assert equity == D("51422.99")  # "Equity Final [$]" there
    assert float((equity / CASH - 1) * 100) == pytest.approx(414.2298999999996, rel=1e-8)
