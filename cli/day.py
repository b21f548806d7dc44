"""One run of the workflow as the command saw it: report, states, alerts, and whether the books agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from cli.exits import Exit, worst
from cli.run_report import RunReport
from cli.workflow import Story
from openbell.model import NEW_YORK, RunStatus


@dataclass(frozen=True)
class Alert:
    """A message that the platform sent to the people who run it."""

    subject: str
    message: str


@dataclass(frozen=True)
class Day:
    """One run and what was seen of it from outside."""

    report: RunReport
    story: Story
    started_by: str  # the schedule that was due, or "manual"
    alerts: tuple[Alert, ...] = ()
    differences: tuple[str, ...] = ()  # found by comparing the sleeves with the exchange's own books

    @property
    def title(self) -> str:
        """The moment of the run in New York, as a person says it."""
        return f"{self.report.as_of.astimezone(NEW_YORK):%a %-d %B %Y, %H:%M}"

    @property
    def date_label(self) -> str:
        """The session, short."""
        return f"{self.report.as_of.astimezone(NEW_YORK):%-d %b %Y}"

    @property
    def books_agree(self) -> bool | None:
        """Both comparisons, the run's own and ours; None if the run ended before there was anything to compare."""
        if self.differences:
            return False
        return self.report.checks.books_agree

    @property
    def all_differences(self) -> tuple[str, ...]:
        """What the two comparisons found."""
        return tuple(dict.fromkeys((*map(str, self.report.checks.differences), *self.differences)))

    @property
    def equity_before(self) -> Decimal | None:
        """USD when the run opened."""
        return self.report.account.equity if self.report.account else None

    @property
    def exit(self) -> Exit:
        """What this run means for the command's exit code."""
        if self.books_agree is False:
            return Exit.BOOKS_DISAGREE
        by_status = {RunStatus.COMPLETED: Exit.OK, RunStatus.SKIPPED: Exit.SKIPPED}
        return by_status.get(self.report.status, Exit.FAILED)


@dataclass(frozen=True)
class Result:
    """All runs of one command, with what a reader must know of their data."""

    days: tuple[Day, ...]
    cash: Decimal  # USD that the account started with
    data_source: str  # which file, from when to when
    fills: str  # how the paper exchange prices fills

    @property
    def last(self) -> Day:
        """The newest run."""
        return self.days[-1]

    @property
    def exit(self) -> Exit:
        """The worst of the runs."""
        return worst({day.exit for day in self.days})

    @property
    def equity(self) -> Decimal:
        """USD at the end of the last run that told it; the starting cash if none did."""
        return next((day.report.equity for day in reversed(self.days) if day.report.equity is not None), self.cash)

    @property
    def strategies(self) -> tuple[str, ...]:
        """Every strategy that took part, in the order of their first appearance."""
        return tuple(dict.fromkeys(name for day in self.days for name in (*day.report.strategies, *day.report.sleeves)))


def total_orders(days: Sequence[Day]) -> tuple[int, int]:
    """How many orders the strategies wanted, and how many of them were filled completely."""
    orders = [order for day in days for order in day.report.wanted]
    return len(orders), sum(order.status == "FILLED" for order in orders)
