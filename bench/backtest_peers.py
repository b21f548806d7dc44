"""sma_cross in Backtrader, by the same rules as ours: run by bench.backtest in an environment of its own.

It needs nothing of this project. Argument: a JSON file with closes, symbols, days and the rules. The last line of the
output is JSON: CPU seconds, wall seconds and every fill.
"""

import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")  # Backtrader's own, of newer Pythons


def main() -> None:
    """Run both shapes and print the answer."""
    task = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print(json.dumps({"documented": run(task, documented=True), "lean": run(task, documented=False)}))


def run(task: dict[str, Any], *, documented: bool) -> dict[str, Any]:
    """Backtrader as its documentation has it (CrossOver indicators, observers on), or stripped of what can go."""
    import backtrader as bt  # type: ignore[import-not-found]  # noqa: PLC0415  not there where the tools read this
    import pandas as pd  # noqa: PLC0415

    cerebro = bt.Cerebro(stdstats=documented)
    index = pd.DatetimeIndex(task["days"])
    for symbol, closes in zip(task["symbols"], task["closes"], strict=True):
        frame = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), closes), index)
        frame["volume"] = frame["openinterest"] = 0
        cerebro.adddata(bt.feeds.PandasData(dataname=frame), name=symbol)
    cerebro.addstrategy(_strategy(bt), task=task, documented=documented)
    cerebro.broker.setcash(task["cash"])
    cerebro.broker.set_checksubmit(False)
    wall, cpu = time.perf_counter(), time.process_time()
    (played,) = cerebro.run()
    seconds = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu": seconds[0], "wall": seconds[1], "fills": played.fills, "value": cerebro.broker.getvalue()}


def _strategy(bt: Any) -> Any:  # noqa: C901 a class, made where its base is known
    class SmaCross(bt.Strategy):  # type: ignore[misc]
        """Long while the fast average is above the slow one, sized as our ENTER rule and risk gate size it."""

        params = (("task", None), ("documented", True))

        def __init__(self) -> None:
            self.fills: list[tuple[str, str, str, int]] = []
            self.averages = {}
            for data in self.datas:
                fast = bt.indicators.SimpleMovingAverage(data.close, period=self.p.task["fast"])
                slow = bt.indicators.SimpleMovingAverage(data.close, period=self.p.task["slow"])
                if self.p.documented:
                    bt.indicators.CrossOver(fast, slow)
                self.averages[data] = fast, slow

        def notify_order(self, order: Any) -> None:
            if order.status == order.Completed:
                side = "buy" if order.isbuy() else "sell"
                day = bt.num2date(order.executed.dt).date().isoformat()
                self.fills.append((day, order.data._name, side, abs(int(order.executed.size))))

        def next(self) -> None:
            if len(self) > self.p.task["slow"]:  # where CrossOver lets it begin
                self._decide()

        def _decide(self) -> None:
            entering = []
            leaving = []
            for data, (fast, slow) in self.averages.items():
                gap = fast[0] / slow[0] - 1
                if self.getposition(data).size:
                    if gap < -1e-9:  # noqa: PLR2004 as ours
                        leaving.append(data)
                elif gap > 1e-9:  # noqa: PLR2004
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
            investable = equity * (1 - rules["cash_buffer"])
            weight = investable / (len(entering) + len(kept))
            budget = max(0.0, min(weight, (investable - kept_value) / len(entering)))
            cash, gross = self.broker.getcash() + freed, kept_value
            for data in sorted(entering, key=lambda d: d._name):
                price = data.close[0]
                room = min(budget, rules["max_position"] * equity, equity - gross, cash)
                shares = int(room // price)
                if shares > 0:
                    self.buy(data, size=shares)
                    cash -= shares * price
                    gross += shares * price

    return SmaCross


if __name__ == "__main__":
    main()
