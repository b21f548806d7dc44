"""`openbell drift`: its arguments, and how the platform's broker fills."""

import boto3
import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.platform import Place, Platform


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--from", "June", "--to", "2022-06-17"), "--from June: expected a date such as 2022-06-13"),
        (("--from", "2022-06-13", "--to", "2022-02-30"), "--to 2022-02-30: expected a date such as 2022-06-13"),
        (("--from", "2022-06-13", "--to", ""), "--to : expected a date such as 2022-06-13"),
        (("--from", "2022-06-13", "--to", "2022-06-17", "--slippage-bps", "x"), "--slippage-bps x: expected"),
    ],
)
def test_wrong_arguments_are_told_before_a_platform_is_looked_for(arguments: tuple[str, ...], complaint: str) -> None:
    told = CliRunner().invoke(app, ["drift", *arguments])
    assert (told.exit_code, complaint in " ".join(told.stderr.split())) == (2, True), told.stderr


@pytest.mark.parametrize(
    ("url", "at_once"),
    [
        ("https://paper-api.alpaca.markets", True),
        ("https://api.alpaca.markets", True),
        ("http://127.0.0.1:40123", False),
        ("http://alpaca.markets.example:80", False),
    ],
)
def test_alpaca_fills_at_once_and_the_paper_exchange_at_the_next_price(url: str, at_once: bool) -> None:
    stack = {"Outputs": [{"OutputKey": "BrokerUrlInUse", "OutputValue": url}]}
    platform = Platform(Place("openbell-paper"), boto3.Session(region_name="us-east-1"), stack)
    assert platform.trades_at_alpaca is at_once
