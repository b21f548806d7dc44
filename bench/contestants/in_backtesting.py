"""sma_cross in backtesting.py, which knows one symbol at a time: ticker by ticker, each with the whole of the cash."""

import warnings
from typing import Any

from bench.contestants import contest


class InBacktesting(contest.Contestant):
    """backtesting.py; its run includes its statistics."""

    def load(self) -> Any:
        """See Contestant."""
        import backtesting  # type: ignore[import-not-found]  # noqa: PLC0415  measured; not where the tools read this

        return backtesting

    def ready(self, task: contest.Task) -> contest.Play:
        """See Contestant."""
        import pandas as pd  # noqa: PLC0415
        from backtesting import Backtest  # noqa: PLC0415

        warnings.simplefilter("ignore")  # that trades are open at the end
        index, strategy = pd.DatetimeIndex(task.days), _strategy(task)
        frames = {
            symbol: pd.DataFrame(dict.fromkeys(("Open", "High", "Low", "Close"), closes), index)
            for symbol, closes in zip(task.symbols, task.closes, strict=True)
        }

        def play() -> list[contest.Fill]:
            found: list[contest.Fill] = []
            for symbol, frame in frames.items():
                played = Backtest(frame, strategy, cash=task.cash).run()["_strategy"]
                for trade in (*played.closed_trades, *played.trades):
                    found.append((task.days[trade.entry_bar], symbol, "buy", abs(trade.size)))
                    if trade.exit_bar is not None:
                        found.append((task.days[trade.exit_bar], symbol, "sell", abs(trade.size)))
            return contest.as_fills(found)

        return play


def _strategy(task: contest.Task) -> Any:
    import pandas as pd  # noqa: PLC0415
    from backtesting import Strategy  # noqa: PLC0415

    def mean_of(closes: Any, bars: int) -> Any:
        return pd.Series(closes).rolling(bars).mean()

    class SmaCross(Strategy):  # type: ignore[misc]
        """Long while the fast mean is above the slow one."""

        def init(self) -> None:
            self.fast = self.I(mean_of, self.data.Close, task.fast)
            self.slow = self.I(mean_of, self.data.Close, task.slow)

        def next(self) -> None:
            gap = self.fast[-1] / self.slow[-1] - 1
            if self.position:
                if gap < -contest.SILENT:
                    self.position.close()
            elif gap > contest.SILENT:
                self.buy()

    return SmaCross


if __name__ == "__main__":
    contest.main(InBacktesting())
