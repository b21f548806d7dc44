"""`openbell run --bars`: a market of one's own, with tickers that cannot be used."""

import csv
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.commands import Ended, openbell
from tests.integration.workflow.stage import sample


@pytest.fixture(scope="module")
def own_market(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """Six tickers in the columns of the shared five-year file; one has too few bars, one a price of zero at the end."""
    folder = tmp_path_factory.mktemp("own_market")
    days = [day for day in sample().sessions if day.isoformat() <= "2018-02-07"][-820:]
    with (folder / "all_stocks_5yr.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["date", "open", "high", "low", "close", "volume", "Name"])
        for number, name in enumerate(("AAA", "BBB", "CCC", "DDD", "NEW", "NIL")):
            noise = np.random.default_rng(number).normal(0.0003 * number, 0.01, len(days))
            closes = 50 * np.exp(np.cumsum(noise))
            for at, (day, close) in enumerate(zip(days, closes, strict=True)):
                if name == "NEW" and at < len(days) - 30:
                    continue
                price = 0.0 if name == "NIL" and at == len(days) - 2 else round(float(close), 4)
                writer.writerow([day, price, price * 1.01, price * 0.99, price, 1000, name])
    arguments = ("--bars", "all_stocks_5yr.csv", "--as-of", "2018-02-07T15:00", "--json")
    return openbell("run", *arguments, "--config", str(_lenient(folder)), folder=folder)


def _lenient(folder: Path) -> Path:
    """Two of six tickers have no usable prices, which is more than the default tolerates."""
    path = folder / "strategies.yaml"
    path.write_text(
        "strategies:\n"
        "  prophet_trend: {allocation: 0.5, universe: {size: 20, lookback: 60}}\n"
        "  momentum: {allocation: 0.4, universe: {size: 20, lookback: 252}, parameters: {hold: 2}}\n"
        "data: {max_missing: 0.5, max_failed_forecasts: 0.5}\n"
    )
    return path


def test_a_market_of_ones_own_is_traded(own_market: Ended) -> None:
    assert own_market.exit_code == 0, own_market.stderr
    assert own_market.run["status"] == "COMPLETED"
    traded = {order["symbol"] for order in own_market.run["orders"]}
    assert traded
    assert traded <= {"AAA", "BBB", "CCC", "DDD"}


def test_a_ticker_that_cannot_be_used_is_named_with_its_reason(own_market: Ended) -> None:
    told = {**own_market.run["left_out"], **own_market.run["forecasts"]["failed"]}
    assert "price 0" in told["NIL"]
    assert "30" in told["NEW"]
