"""What the broker says right now; a broker that does not answer is unknown, not empty."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from openbell.errors import OpenbellError
from openbell.model import Account, BrokerPosition, MarketClock
from openbell.ports import Broker


@dataclass(frozen=True)
class BrokerSide:
    """Account, clock and positions by symbol; None together with the `error` that says why."""

    account: Account | None = None
    clock: MarketClock | None = None
    positions: Mapping[str, BrokerPosition] | None = None
    error: str = ""

    @property
    def prices(self) -> dict[str, Decimal]:
        """USD by symbol, of what the account holds."""
        return {symbol: position.price for symbol, position in (self.positions or {}).items()}


def look_at_broker(connect: Callable[[], Broker]) -> BrokerSide:
    """All that the broker says, or why it does not answer."""
    try:
        broker = connect()
        return BrokerSide(broker.account(), broker.clock(), broker.positions())
    except OpenbellError as error:
        return BrokerSide(error=f"{type(error).__name__}: {error}")
