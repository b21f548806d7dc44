"""The backtest and the workflow are the same under settings and markets that nobody chose."""

from datetime import time
from decimal import Decimal
from random import Random

import pytest

from lab.outcome import BacktestSettings
from tests.integration.lab.identity import check_span
from tests.months.markets import WARM_UP, configuration, market, wildness

SESSIONS = 10


def check_seed(seed: int) -> int:
    """Fail unless the backtest and the workflow of a seed are the same; gives the number of fills."""
    random = Random(seed)
    history, settings = market(seed, wildness(random)), configuration(random)
    start = random.randrange(WARM_UP, len(history.sessions) - SESSIONS)
    span = BacktestSettings(
        history.sessions[start],
        history.sessions[start + SESSIONS - 1],
        at=random.choice((time(15), time(15, 45), time(15, 50))),
        cash=Decimal(random.choice(("100000", "5000", "700"))),
        slippage_bps=Decimal(random.choice((0, 2, 30))),
    )
    return len(check_span(history, settings, span).exchange.fills())


@pytest.mark.parametrize("seed", range(8))
def test_any_settings_are_the_same(seed: int) -> None:
    check_seed(seed)
