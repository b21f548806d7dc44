"""buy_and_hold: the benchmark."""

from typing import ClassVar

from openbell.model import Signal
from openbell.portfolio.sizing import Sizing
from openbell.strategies.protocol import Context, Parameters, Strategy


class BuyAndHold(Strategy[Parameters]):
    """Buys its universe once at equal weights, and holds it.

    What any other strategy has to beat after costs: Sharpe (1991), The Arithmetic of Active Management, Financial
    Analysts J. 47(1). It speaks while it holds nothing, so that an order that came to nothing is tried again. Shares
    that cannot be bought (no price, one share above the weight) are left out, not replaced.
    """

    sizing: ClassVar[Sizing] = Sizing.ENTER

    def signals(self, context: Context) -> list[Signal]:
        """Every symbol whose last bar is there, until the first is held."""
        if context.holdings or context.closes.empty:
            return []
        last = context.closes.iloc[-1].dropna()
        return [Signal(symbol, 1.0, "bought once, to be held") for symbol in sorted(map(str, last.index))]
