"""sma_cross by our backtest."""

from datetime import date
from datetime import time as time_of_day
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bench.contestants import contest

if TYPE_CHECKING:
    from openbell.config import PlatformConfig
    from paper import History


class Ours(contest.Contestant):
    """One portfolio, every decision and every book as live."""

    def load(self) -> Any:
        """See Contestant."""
        import lab.backtest  # noqa: PLC0415  measured

        return lab.backtest

    def ready(self, task: contest.Task) -> contest.Play:
        """See Contestant."""
        from lab.backtest import backtest  # noqa: PLC0415
        from lab.forecasts import ForecastStore  # noqa: PLC0415
        from lab.outcome import BacktestSettings  # noqa: PLC0415
        from lab.trades import fills_of  # noqa: PLC0415

        history, config = history_of(task), _config(task)
        settings = BacktestSettings(
            history.sessions[0],
            history.sessions[-1],
            at=time_of_day(12),
            cash=Decimal(task.cash),
            slippage_bps=Decimal(0),
        )

        def play() -> list[contest.Fill]:
            outcome = backtest(history, config, settings, ForecastStore(None))
            return contest.as_fills((f.day, f.symbol, f.side.value, f.qty) for f in fills_of(outcome))

        return play


def history_of(task: contest.Task) -> "History":
    """The task's market."""
    import numpy as np  # noqa: PLC0415

    from paper import BarArrays, History  # noqa: PLC0415

    days = [date.fromisoformat(day) for day in task.days]
    history = History(task.symbols, days, BarArrays(np.array(task.closes).T))
    _ = history.calendar  # the exchange's holidays are worked out once for all backtests
    return history


def _config(task: contest.Task) -> "PlatformConfig":
    from openbell.config import parse_config  # noqa: PLC0415

    entry = {
        "allocation": "1",
        # Backtrader, too, begins a bar later
        "universe": {"members": "tradable", "size": len(task.symbols), "lookback": task.slow},
        "parameters": {"fast": task.fast, "slow": task.slow, "cash_buffer": str(task.cash_buffer)},
    }
    wide = {"max_daily_turnover": "10", "max_order_notional": "1e12", "max_price_move": "1", "max_daily_loss": "1"}
    content = {
        "strategies": {"sma_cross": entry},
        "risk": {**wide, "max_position": str(task.max_position)},
        "data": {"max_jump": 10},
    }
    return parse_config(content, "bench")


if __name__ == "__main__":
    contest.main(Ours())
