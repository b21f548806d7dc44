"""sma_cross in vectorbt: all symbols at once in compiled loops over arrays, each with the whole of the cash."""

from typing import Any

from bench.contestants import contest


class InVectorbt(contest.Contestant):
    """vectorbt; its first play compiles, unless an earlier process has left what it compiled."""

    plays = 6

    def load(self) -> Any:
        """See Contestant."""
        import vectorbt  # type: ignore[import-not-found]  # noqa: PLC0415  measured; not where the tools read this

        return vectorbt

    def ready(self, task: contest.Task) -> contest.Play:
        """See Contestant."""
        import numpy as np  # noqa: PLC0415
        import pandas as pd  # noqa: PLC0415
        import vectorbt as vbt  # noqa: PLC0415

        closes = pd.DataFrame(np.array(task.closes).T, pd.DatetimeIndex(task.days), task.symbols)

        def play() -> list[contest.Fill]:
            fast = vbt.MA.run(closes, task.fast).ma.to_numpy()
            slow = vbt.MA.run(closes, task.slow).ma.to_numpy()
            gap = fast / slow - 1
            gap[: task.slow] = 0  # where the others begin
            later = np.vstack([np.zeros_like(gap[:1]), gap[:-1]])  # filled a bar after it was seen
            orders = vbt.Portfolio.from_signals(
                closes,
                later > contest.SILENT,
                later < -contest.SILENT,
                init_cash=task.cash,
                freq="1D",
                size_granularity=1,
            ).orders.records
            sides = {0: "buy", 1: "sell"}
            rows = zip(orders["idx"], orders["col"], orders["side"], orders["size"], strict=True)
            return contest.as_fills(
                (task.days[day], task.symbols[column], sides[side], shares) for day, column, side, shares in rows
            )

        return play


if __name__ == "__main__":
    contest.main(InVectorbt())
