"""The example of backtesting.py's own test suite, in that package: run by a test in an environment of its own.

It needs nothing of this project. The last line of the output is JSON: the bars, every trade, and the statistics.
"""

import json
import warnings

warnings.simplefilter("ignore")


def main() -> None:
    """Play SMA 10/30 on the prices of Google that the package ships, and print what came of it."""
    from backtesting import Backtest  # type: ignore[import-not-found]  # not there where the tools read this
    from backtesting.test import GOOG  # type: ignore[import-not-found]
    from backtesting.test._test import SmaCross  # type: ignore[import-not-found]

    statistics = Backtest(GOOG, SmaCross, finalize_trades=True).run()
    trades = statistics["_trades"][["Size", "EntryPrice", "ExitPrice"]]
    answer = {
        "days": [day.date().isoformat() for day in GOOG.index],
        "bars": {name.lower(): GOOG[name].tolist() for name in ("Open", "High", "Low", "Close")},
        "trades": trades.to_numpy().tolist(),
        "count": int(statistics["# Trades"]),
        "return_pct": float(statistics["Return [%]"]),
    }
    print(json.dumps(answer))  # noqa: T201


if __name__ == "__main__":
    main()
