"""The risk gate: ordered rules, each of which may shrink a trade and says why."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from openbell.config import RiskConfig
from openbell.model import ZERO, Cut, Side
from openbell.money import bought_with, quantum_of
from openbell.portfolio.cash import buy_limit
from openbell.portfolio.trades import Trade


@dataclass(frozen=True)
class RiskFacts:
    """What the rules know of the world, all as of the run's opening. USD by symbol unless said otherwise."""

    equity: Decimal
    buying_power: Decimal
    position_values: Mapping[str, Decimal]  # of the whole account, positions of no strategy included
    last_closes: Mapping[str, Decimal]
    bar_ages: Mapping[str, int]  # sessions between the last bar and the last complete session
    tradable: frozenset[str]
    minutes_to_close: float
    turnover_today: Decimal = ZERO
    quarantined: Mapping[str, str] = field(default_factory=dict)  # why a symbol is not traded
    doubtful: Mapping[str, str] = field(default_factory=dict)  # why a symbol's price is not believed
    sleeve_cash: Mapping[str, Decimal] = field(default_factory=dict)  # by strategy, less what working buys may take


@dataclass
class _Tally:
    """What the trades let through so far add up to."""

    facts: RiskFacts
    values: dict[str, Decimal] = field(default_factory=dict)
    turnover: Decimal = ZERO
    cash: Decimal = ZERO
    sleeve_cash: dict[str, Decimal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.values = dict(self.facts.position_values)
        self.turnover = self.facts.turnover_today
        self.cash = self.facts.buying_power
        self.sleeve_cash = dict(self.facts.sleeve_cash)

    def add(self, trade: Trade, risk: RiskConfig) -> None:
        change = trade.side.sign * trade.value
        self.values[trade.symbol] = self.values.get(trade.symbol, ZERO) + change
        self.turnover += trade.value
        self.cash -= change
        own = self.sleeve_cash.get(trade.strategy, ZERO)
        self.sleeve_cash[trade.strategy] = own - trade.qty * _paid(trade, risk) if change > 0 else own - change


_Verdict = tuple[Decimal, str] | None  # allowed quantity and the reason; None: nothing to object
_Rule = Callable[[Trade, _Tally, RiskConfig], _Verdict]


def _sound_books(trade: Trade, tally: _Tally, _: RiskConfig) -> _Verdict:
    why = tally.facts.quarantined.get(trade.symbol)
    return (ZERO, why) if why else None


def _tradable(trade: Trade, tally: _Tally, _: RiskConfig) -> _Verdict:
    if trade.symbol in tally.facts.tradable:
        return None
    return ZERO, "the broker does not trade this symbol now"


def _early_enough(trade: Trade, tally: _Tally, risk: RiskConfig) -> _Verdict:
    left = tally.facts.minutes_to_close
    if trade.side is Side.SELL or left >= risk.no_entry_minutes:
        return None
    return ZERO, f"{left:.0f} minutes before the close; nothing is bought in the last {risk.no_entry_minutes}"


def _price_of_today(trade: Trade, tally: _Tally, _: RiskConfig) -> _Verdict:
    """Doubtful data keeps a symbol from being bought, never from being sold; so do the next two rules."""
    why = tally.facts.doubtful.get(trade.symbol)
    return (ZERO, why) if why and trade.side is Side.BUY else None


def _fresh_bars(trade: Trade, tally: _Tally, risk: RiskConfig) -> _Verdict:
    if trade.side is Side.SELL:
        return None
    age = tally.facts.bar_ages.get(trade.symbol)
    if age is not None and age <= risk.max_bar_age_sessions:
        return None
    found = "there is no bar" if age is None else f"the last bar is {age} sessions old"
    return ZERO, f"{found}; at most {risk.max_bar_age_sessions} sessions are allowed"


def _sane_price(trade: Trade, tally: _Tally, risk: RiskConfig) -> _Verdict:
    if trade.price <= 0:
        return ZERO, "it has no price now"
    if trade.side is Side.SELL:
        return None
    close = tally.facts.last_closes.get(trade.symbol, ZERO)
    if close <= 0:
        return ZERO, "there is no last close to compare the price with"
    move = abs(trade.price / close - 1)
    if move <= risk.max_price_move:
        return None
    return (
        ZERO,
        f"price {trade.price} is {move:.1%} away from the last close {close}; allowed {risk.max_price_move:.1%}",
    )


def _position_cap(trade: Trade, tally: _Tally, risk: RiskConfig) -> _Verdict:
    limit = risk.max_position * tally.facts.equity
    room = limit - tally.values.get(trade.symbol, ZERO)
    return _cap(trade, room, f"a position may be worth {limit:.2f} USD ({risk.max_position:.0%} of equity)")


def _gross_exposure(trade: Trade, tally: _Tally, risk: RiskConfig) -> _Verdict:
    limit = risk.max_gross_exposure * tally.facts.equity
    room = limit - sum((abs(value) for value in tally.values.values()), ZERO)
    return _cap(trade, room, f"gross exposure may reach {limit:.2f} USD ({risk.max_gross_exposure:.0%} of equity)")


def _order_notional(trade: Trade, _: _Tally, risk: RiskConfig) -> _Verdict:
    return _cap(trade, risk.max_order_notional, f"an order may be worth {risk.max_order_notional} USD")


def _turnover(trade: Trade, tally: _Tally, risk: RiskConfig) -> _Verdict:
    limit = risk.max_daily_turnover * tally.facts.equity
    return _cap(trade, limit - tally.turnover, f"turnover of a day may reach {limit:.2f} USD")


def _buying_power(trade: Trade, tally: _Tally, _: RiskConfig) -> _Verdict:
    return _cap(trade, tally.cash, f"buying power after the sells is {tally.cash:.2f} USD")


def _cap(trade: Trade, room: Decimal, limit: str) -> _Verdict:
    """Shrink a buy to `room` USD. Sells only ever lower risk, so no cap holds them back."""
    if trade.side is Side.SELL or trade.value <= room:
        return None
    return min(trade.qty, bought_with(room, trade.price, quantum_of(trade.qty))), limit


def _minimum_notional(trade: Trade, _: _Tally, risk: RiskConfig) -> _Verdict:
    if trade.value >= risk.min_order_notional:
        return None
    return ZERO, f"worth {trade.value:.2f} USD; an order must be worth {risk.min_order_notional} USD"


def _sleeve_cash(trade: Trade, tally: _Tally, risk: RiskConfig) -> _Verdict:
    """A sleeve pays with its own cash and what its sells before this buy bring; what they really brought counts later.

    Where too little is left to be worth an order, nothing is.
    """
    if trade.side is Side.SELL or trade.strategy not in tally.facts.sleeve_cash:
        return None
    cash = tally.sleeve_cash[trade.strategy]
    qty = min(trade.qty, bought_with(cash, _paid(trade, risk), quantum_of(trade.qty)))
    if qty * trade.price < risk.min_order_notional:
        qty = ZERO
    return qty, f"its sleeve has {cash:.2f} USD; a buy sets aside {risk.max_slippage:.1%} more than its price"


def _paid(trade: Trade, risk: RiskConfig) -> Decimal:
    return buy_limit(trade.price, risk.max_slippage)


# In this order: first what forbids the trade, then what shrinks it, then what makes the rest too small, and last what
# nothing else may undo: a sleeve never spends what it does not have.
RULES: tuple[tuple[str, _Rule], ...] = (
    ("quarantined", _sound_books),
    ("symbol_not_tradable", _tradable),
    ("too_late", _early_enough),
    ("doubtful_price", _price_of_today),
    ("stale_data", _fresh_bars),
    ("price_sanity", _sane_price),
    ("position_cap", _position_cap),
    ("gross_exposure", _gross_exposure),
    ("order_notional", _order_notional),
    ("daily_turnover", _turnover),
    ("buying_power", _buying_power),
    ("minimum_notional", _minimum_notional),
    ("sleeve_cash", _sleeve_cash),
)


def limit(trades: Sequence[Trade], facts: RiskFacts, risk: RiskConfig) -> tuple[list[Trade], list[Cut]]:
    """The trades that may be done, shrunk where a rule says so, and every cut with its rule and reason.

    Trades are judged in the given order; the cash of the sells before a buy counts for it.
    """
    tally = _Tally(facts)
    allowed, cuts = [], []
    for wanted in trades:
        trade: Trade | None = wanted
        for name, rule in RULES:
            trade, cut = _judge(wanted, trade, name, rule(trade, tally, risk)) if trade else (None, None)
            cuts += [cut] if cut else []
        if trade:
            tally.add(trade, risk)
            allowed.append(trade)
    return allowed, cuts


def _judge(wanted: Trade, trade: Trade, name: str, verdict: _Verdict) -> tuple[Trade | None, Cut | None]:
    if verdict is None or verdict[0] == trade.qty:
        return trade, None
    qty, reason = verdict
    cut = Cut(name, wanted.strategy, wanted.symbol, wanted.side, trade.qty, qty, reason)
    if qty == 0:
        return None, cut
    return Trade(trade.strategy, trade.symbol, trade.side, qty, trade.price, trade.reason, trade.bracket), cut
