"""sma_cross in Backtrader, by the same rules as ours and in one portfolio: `TASK`, or `TASK lean`.

As its documentation has it, with CrossOver indicators and the observers that are on by themselves; or lean, stripped of
both.
"""

import sys
import warnings
from typing import Any

from bench.contestants import contest


class InBacktrader(contest.Contestant):
    """Backtrader."""

    plays = 2

    def __init__(self, *, documented: bool) -> None:
        self._documented = documented

    def load(self) -> Any:
        """See Contestant."""
        warnings.simplefilter("ignore")  # spellings that newer Pythons frown at
        import backtrader  # noqa: PLC0415  measured

        return backtrader

    def ready(self, task: contest.Task) -> contest.Play:
        """See Contestant."""
        import backtrader as bt  # noqa: PLC0415
        import pandas as pd  # noqa: PLC0415

        cerebro = bt.Cerebro(stdstats=self._documented)
        index = pd.DatetimeIndex(task.days)
        for symbol, closes in zip(task.symbols, task.closes, strict=True):
            frame = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), closes), index)
            frame["volume"] = frame["openinterest"] = 0
            cerebro.adddata(bt.feeds.PandasData(dataname=frame), name=symbol)
        cerebro.addstrategy(_strategy(bt), task=task, documented=self._documented)
        cerebro.broker.setcash(task.cash)
        cerebro.broker.set_checksubmit(False)
        return lambda: contest.as_fills(cerebro.run()[0].fills)


def _strategy(bt: Any) -> Any:  # noqa: C901 a class, made where its base is known
    class SmaCross(bt.Strategy):  # type: ignore[misc]
        """Long while the fast average is above the slow one, sized as our ENTER rule and risk gate size it."""

        params = (("task", None), ("documented", True))

        def __init__(self) -> None:
            self.fills: list[tuple[Any, str, str, int]] = []
            self.averages = {}
            for data in self.datas:
                fast = bt.indicators.SimpleMovingAverage(data.close, period=self.p.task.fast)
                slow = bt.indicators.SimpleMovingAverage(data.close, period=self.p.task.slow)
                if self.p.documented:
                    bt.indicators.CrossOver(fast, slow)
                self.averages[data] = fast, slow

        def notify_order(self, order: Any) -> None:
            if order.status == order.Completed:
                side = "buy" if order.isbuy() else "sell"
                day = bt.num2date(order.executed.dt).date()
                self.fills.append((day, order.data._name, side, abs(order.executed.size)))

        def next(self) -> None:
            if len(self) > self.p.task.slow:  # where CrossOver lets it begin
                self._decide()

        def _decide(self) -> None:
            entering = []
            leaving = []
            for data, (fast, slow) in self.averages.items():
                gap = fast[0] / slow[0] - 1
                if self.getposition(data).size:
                    if gap < -contest.SILENT:
                        leaving.append(data)
                elif gap > contest.SILENT:
                    entering.append(data)
            for data in leaving:
                self.close(data)
            if entering:
                self._enter(entering, leaving)

        def _enter(self, entering: list[Any], leaving: list[Any]) -> None:
            rules, equity = self.p.task, self.broker.getvalue()
            kept = [d for d in self.datas if self.getposition(d).size and d not in leaving]
            kept_value = sum(self.getposition(d).size * d.close[0] for d in kept)
            freed = sum(self.getposition(d).size * d.close[0] for d in leaving)
            investable = equity * (1 - rules.cash_buffer)
            weight = investable / (len(entering) + len(kept))
            budget = max(0.0, min(weight, (investable - kept_value) / len(entering)))
            cash, gross = self.broker.getcash() + freed, kept_value
            for data in sorted(entering, key=lambda d: d._name):
                price = data.close[0]
                room = min(budget, rules.max_position * equity, equity - gross, cash)
                shares = int(room // price)
                if shares > 0:
                    self.buy(data, size=shares)
                    cash -= shares * price
                    gross += shares * price

    return SmaCross


if __name__ == "__main__":
    contest.main(InBacktrader(documented="lean" not in sys.argv))
