"""The arguments of `openbell run`."""

from datetime import datetime
from decimal import Decimal

import pytest

from cli.arguments import parse_days, parse_equity, parse_moment, parse_slippage, parse_strategies
from openbell.errors import InvalidInput
from openbell.model import NEW_YORK

THREE_O_CLOCK = datetime(2022, 6, 15, 15, tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    "text",
    ["2022-06-15T15:00", "2022-06-15 15:00", "2022-06-15", "2022-06-15T19:00+00:00", "2022-06-15T21:00+02:00"],
)
def test_a_moment_may_be_written_in_several_ways(text: str) -> None:
    assert parse_moment(text) == THREE_O_CLOCK
    assert parse_moment(text).tzinfo is NEW_YORK


@pytest.mark.parametrize("text", ["2022-02-30", "2022-02-30T15:00", "2022-06-15T25:00", "yesterday", "", "15/06/2022"])
def test_an_impossible_moment_is_named_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"--as-of .*2022-06-15T15:00"):
        parse_moment(text)


@pytest.mark.parametrize("days", [0, -3, 261])
def test_days_below_one_or_beyond_a_year_are_refused(days: int) -> None:
    with pytest.raises(InvalidInput, match=f"--days {days}: expected a number of sessions from 1 to 260"):
        parse_days(days)


@pytest.mark.parametrize("text", ["0", "-5", "NaN", "Infinity", "a lot", ""])
def test_equity_must_be_an_amount_above_zero(text: str) -> None:
    with pytest.raises(InvalidInput, match=f"--equity {text}: expected an amount above 0"):
        parse_equity(text)


def test_equity_is_exact() -> None:
    assert parse_equity("100000.10") == Decimal("100000.10")


@pytest.mark.parametrize("text", ["-1", "-0.5", "1001", "two", "NaN"])
def test_slippage_must_lie_from_0_to_1000_basis_points(text: str) -> None:
    with pytest.raises(InvalidInput, match=f"--slippage-bps {text}: expected basis points from 0 to 1000"):
        parse_slippage(text)


def test_no_slippage_is_allowed() -> None:
    assert parse_slippage("0") == 0


def test_strategies_are_separated_by_commas_and_named_once() -> None:
    assert parse_strategies("momentum, prophet_trend,momentum") == ("momentum", "prophet_trend")
    assert parse_strategies("") == ()


def test_an_empty_name_between_commas_is_refused() -> None:
    with pytest.raises(InvalidInput, match="--strategies 'a,,b'"):
        parse_strategies("a,,b")
