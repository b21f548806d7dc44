"""A backtest: the runs of the workflow on every session of a stretch of history, one after the other."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal

from lab.forecasts import ForecastStore
from lab.next_run import NextRun
from lab.outcome import BacktestSettings, DatedOrder, Outcome, Record
from lab.quick_exchange import QuickExchange
from lab.quick_history import QuickHistory
from lab.quick_run import QuickDesk, Ran
from openbell.config import PlatformConfig
from openbell.errors import InvalidInput, OpenbellError
from openbell.model import NEW_YORK
from paper import History
from paper.sessions import Session

type OnRun = Callable[[Ran], None]
type OnProgress = Callable[[int, int], None]  # runs done, of how many


def backtest(
    history: History,
    config: PlatformConfig,
    settings: BacktestSettings,
    store: ForecastStore,
    *,
    on_run: OnRun | None = None,
    on_progress: OnProgress | None = None,
    skip_silent: bool = True,
    player: "type[Playing] | None" = None,
) -> Outcome:
    """Every run from the first to the last session of `settings`, with the enabled strategies of `config`.

    The strategies look at every symbol of `history`, or at the members of the day if `settings` have them, whatever
    their `universe.members` says.

    `on_run` gets every run that was made; with `skip_silent` those are left out in which all strategies are known to be
    silent, which changes nothing that is traded. `player` is where they are played; None: on the paper exchange. Raises
    InvalidInput if the dates lie outside the data, ConfigError for wrong parameters.
    """
    check_dates(history, settings)
    playing = (player or Playing)(history, config, settings, store)
    return playing.play(on_run, on_progress, skip_silent=skip_silent)


def check_dates(history: History, settings: BacktestSettings) -> None:
    """Raise InvalidInput unless the dates lie within the data and in order."""
    first, last = history.sessions[0], history.sessions[-1]
    for option, day in (("--from", settings.first), ("--to", settings.last)):
        if not first <= day <= last:
            raise InvalidInput(f"{option} {day} lies outside the data; expected a date from {first} to {last}")
    if settings.first > settings.last:
        raise InvalidInput(f"--from {settings.first} is after --to {settings.last}")


class Playing:
    """The runs of a backtest, on the paper exchange; another market overrides what is asked of it."""

    def __init__(
        self, history: History, config: PlatformConfig, settings: BacktestSettings, store: ForecastStore
    ) -> None:
        self._settings = settings
        self._sessions = history.calendar.between(settings.first, settings.last)
        due = self._sessions if settings.every == "1d" else _first_of_each_week(self._sessions)
        self._runs = [session for session in due if self._at(session) < session.close]
        self._closed = len(due) - len(self._runs)
        if not self._runs:
            raise InvalidInput(f"from {settings.first} to {settings.last} no session is open at {settings.at:%H:%M}")
        start = self._at(self._runs[0])
        self._exchange = QuickExchange(QuickHistory(history), settings.cash, start, settings.slippage_bps)
        self._desk = self._make_desk(config, store)
        self._record = Record()

    def _make_desk(self, config: PlatformConfig, store: ForecastStore) -> QuickDesk:
        return QuickDesk(self._exchange, config, store, members=self._settings.members)

    def _at(self, session: Session) -> datetime:
        return datetime.combine(session.day, self._settings.at, NEW_YORK)

    def play(self, on_run: OnRun | None, on_progress: OnProgress | None, *, skip_silent: bool) -> Outcome:
        """All runs, and what came of them."""
        next_run = NextRun(self._desk, self._runs)
        number = 0
        while number < len(self._runs):
            self._exchange.jump(self._at(self._runs[number]))
            self._run(self._runs[number], on_run)
            number = next_run.after(number) if skip_silent else number + 1
            if on_progress:
                on_progress(number, len(self._runs))
        self._exchange.jump(max(self._sessions[-1].close, self._exchange.now))
        self._desk.book_what_is_left()
        return self._outcome()

    def _run(self, session: Session, on_run: OnRun | None) -> None:
        self._record.asked += 1
        try:
            ran = self._desk.run(f"backtest-{session.day}")
        except OpenbellError as error:
            self._record.note_failure(session.day, error)
            return
        self._record.note(session.day, ran, self._desk.snapshots.closes)
        if on_run:
            on_run(ran)

    def _outcome(self) -> Outcome:
        record, equities = self._record, self._equities()
        return Outcome(
            settings=self._settings,
            sessions=tuple(day for day, _ in equities),
            equity=tuple(equity for _, equity in equities),
            runs=len(self._runs),
            asked=record.asked,
            closed=self._closed,
            start_cash=record.start_cash,
            orders=tuple(self._orders()),
            crosses=tuple(record.crosses),
            signals=dict(record.signals),
            universe_sizes=record.universe_sizes,
            refusals=record.refusals,
            run_failures=record.run_failures,
            strategy_failures=record.strategy_failures,
            accuracy={name: scores.by_horizon() for name, scores in record.accuracy.items()},
            fills=self._describe_fills(),
        )

    def _equities(self) -> Sequence[tuple[date, Decimal]]:
        """USD at the close of each session."""
        return self._exchange.equities()

    def _describe_fills(self) -> str:
        return self._exchange.describe_fills()

    def _last_filled(self, broker_order_id: str) -> datetime | None:
        """When an order was filled that was."""
        order = self._exchange.state.book.get(broker_order_id)
        return order.updated_at if order else None

    def _orders(self) -> Sequence[DatedOrder]:
        found = []
        for run, day in self._record.run_days.items():
            for order in self._desk.ledger.orders(run):
                at = self._last_filled(order.broker_order_id) if order.filled_qty else None
                ids = [leg.broker_order_id for leg in order.legs if leg.filled_qty]
                legs = {i: leg_at for i in ids if (leg_at := self._last_filled(i))}
                found.append(DatedOrder(day, order, at, legs))
        return found


def _first_of_each_week(sessions: Sequence[Session]) -> Sequence[Session]:
    """The first session of every week from Monday to Sunday."""
    weeks = {session.day.isocalendar()[:2]: session for session in reversed(sessions)}
    return list(reversed(weeks.values()))
