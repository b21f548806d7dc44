"""The owner of the account, who trades beside the platform, moves money, and changes his mind."""

from collections.abc import Callable
from decimal import Decimal
from random import Random

from cli.rearranged import Wish, rearrange, rearrangement
from openbell.errors import InvalidInput
from openbell.model import ZERO, Halt, Order
from openbell.money import to_cents
from openbell.portfolio.rearranging import resize, transfer
from paper import Refused, Ticket
from paper import Side as PaperSide
from tests.integration.workflow.stage import Stage
from tests.months.markets import SYMBOLS


class Owner:
    """Does things by hand, by chance; `shares` are his own, by symbol."""

    def __init__(self, stage: Stage, random: Random) -> None:
        self.shares: dict[str, Decimal] = {}
        self.before: dict[str, Decimal] = {}  # his shares at the last close
        self.done: list[str] = []
        self._stage = stage
        self._random = random
        self._orders: set[str] = set()  # ids at the broker
        self._counted = 0  # fills
        self._whole = stage.config

    def act(self) -> None:
        """One deed; what the broker or the platform refuses is not done."""
        deeds: list[tuple[Callable[[], str], int]] = [
            (self._buy, 4),
            (self._sell, 3),
            (self._order, 3),
            (self._pay_in, 2),
            (self._pay_out, 2),
            (self._interest, 2),
            (self._cancel, 3),
            (self._pass_on, 2),
            (self._resize, 2),
            (self._halt, 1),
            (self._resume, 3),
            (self._choose, 2),
            (self._forbid, 1),
        ]
        deed = self._random.choices([deed for deed, _ in deeds], [weight for _, weight in deeds])[0]
        try:
            self.done.append(f"{self._stage.exchange.now:%m-%d %H:%M} {deed()}")
        except (Refused, InvalidInput) as refusal:
            self.done.append(f"{self._stage.exchange.now:%m-%d %H:%M} {deed.__name__} was refused: {refusal}")

    def count(self) -> None:
        """Add to his shares what his orders have filled since."""
        fills = self._stage.exchange.fills()
        for fill in fills[self._counted :]:
            if fill.order_id in self._orders:
                self._add(fill.symbol, fill.side.sign * fill.qty)
        self._counted = len(fills)

    def sleep(self) -> None:
        """The session is over."""
        self.before = dict(self.shares)

    def split(self, symbol: str, held: Decimal) -> None:
        """A company has changed his shares of a symbol; from now on there are so many."""
        self.shares[symbol] = held

    def leave(self) -> None:
        """Everything that the platform holds is to be sold, and may be."""
        for symbol in SYMBOLS:
            self._stage.exchange.by_hand.set_asset(symbol, tradable=True)
        self._stage.ledger.clear_halt()
        self._stage.ledger.set_halt(Halt("the month is over", "the owner", self._stage.exchange.now, flatten=True))

    def _add(self, symbol: str, qty: Decimal) -> None:
        self.shares[symbol] = self.shares.get(symbol, ZERO) + qty

    def _qty(self) -> Decimal:
        return Decimal(self._random.choice(("1", "3", "17", "0.5", "2.123456789")))

    def _buy(self) -> str:
        symbol, qty = self._random.choice(SYMBOLS), self._qty()
        self._stage.exchange.by_hand.trade(symbol, qty)
        self._add(symbol, qty)
        return f"buys {qty} {symbol}"

    def _sell(self) -> str:
        own = sorted(symbol for symbol, qty in self.shares.items() if qty > 0)
        if not own:
            return "has nothing to sell"
        symbol = self._random.choice(own)
        qty = min(self.shares[symbol], self._qty())
        self._stage.exchange.by_hand.trade(symbol, -qty)
        self._add(symbol, -qty)
        return f"sells {qty} {symbol}"

    def _order(self) -> str:
        symbol = self._random.choice(SYMBOLS)
        sent = self._stage.exchange.submit(Ticket(symbol, PaperSide.BUY, Decimal(2)))
        self._orders.add(sent.id)
        return f"orders 2 {symbol}"

    def _pay_in(self) -> str:
        amount = Decimal(self._random.randint(1, 2_000_000)) / 100
        self._stage.exchange.by_hand.transfer(amount)
        return f"pays {amount} in"

    def _pay_out(self) -> str:
        """No more than belongs to no strategy."""
        line = self._stage.ledger.account_line()
        free = to_cents(max(ZERO, line.cash if line else ZERO))
        amount = to_cents(free * Decimal(self._random.choice(("0.3", "1"))))
        self._stage.exchange.by_hand.transfer(-amount)
        return f"takes {amount} out"

    def _interest(self) -> str:
        kind, cents = self._random.choice((("INT", 1), ("FEE", -1)))
        amount = Decimal(cents * self._random.randint(1, 500)) / 100
        self._stage.exchange.by_hand.pay(kind, amount)
        return f"{kind} of {amount}"

    def _cancel(self) -> str:
        """One of the platform's own orders."""
        working: list[Order] = [order for order in self._stage.ledger.open_orders() if order.broker_order_id]
        if not working:
            return "finds nothing to cancel"
        order = self._random.choice(working)
        self._stage.exchange.cancel(order.broker_order_id)
        return f"cancels {order.client_order_id}"

    def _pass_on(self) -> str:
        names = sorted(self._stage.ledger.sleeves())
        if len(names) < 2:
            return "finds no two sleeves"
        giver, taker = self._random.sample(names, 2)
        amount = Decimal(self._random.randint(1, 50_000)) / 100
        return self._rearrange(lambda books, _, __: transfer(books, giver, taker, amount))

    def _resize(self) -> str:
        names = sorted(self._stage.ledger.sleeves())
        if not names:
            return "finds no sleeve"
        name, share = self._random.choice(names), Decimal(self._random.choice(("0.1", "0.3", "0.5")))
        return self._rearrange(lambda books, account, prices: resize(books, name, account.equity * share, prices))

    def _rearrange(self, wish: Wish) -> str:
        desk = self._stage.desk
        made = rearrangement(wish, desk.ledger, desk.broker)
        rearrange(wish, made, "the owner", desk.ledger, desk.archive, desk.broker)
        return "; ".join(made.told)

    def _halt(self) -> str:
        flatten = self._random.random() < 0.5
        self._stage.ledger.set_halt(Halt("a whim", "the owner", self._stage.exchange.now, flatten=flatten))
        return f"halts{' and flattens' if flatten else ''}"

    def _resume(self) -> str:
        self._stage.ledger.clear_halt()
        return "resumes"

    def _choose(self) -> str:
        """Enable some of the strategies, or all again."""
        names = sorted(self._whole.strategies)
        chosen = tuple(self._random.sample(names, self._random.randint(1, len(names))))
        self._stage.config = self._whole.only(chosen)
        return f"enables {', '.join(chosen)}"

    def _forbid(self) -> str:
        """The broker stops or resumes trading in a symbol."""
        symbol, tradable = self._random.choice(SYMBOLS), self._random.random() < 0.5
        self._stage.exchange.by_hand.set_asset(symbol, tradable=tradable)
        return f"{symbol} is {'' if tradable else 'not '}tradable"
