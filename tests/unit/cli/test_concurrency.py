"""Accounts with few Lambdas: doctor tells it, and a sweep leaves a run its own."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from cli.checkup import Ailment, look_at_lambdas
from cli.concurrency import share_of_a_sweep
from cli.platform import Place, Platform
from cli.trials.clouds import _pace_on


class Account:
    def __init__(self, free: int) -> None:
        self._free = free

    def get_account_settings(self) -> dict[str, Any]:
        return {"AccountLimit": {"ConcurrentExecutions": self._free + 5, "UnreservedConcurrentExecutions": self._free}}


def test_an_account_that_has_enough_is_well() -> None:
    assert look_at_lambdas(Account(1000), {"ForecastLambdas": "40"}) == (
        "the account may run 1,000 at once; a run wants 42"
    )


@pytest.mark.parametrize(("parameters", "wanted"), [({"ForecastLambdas": "40"}, 42), ({}, 42)])
def test_a_new_account_is_told_what_to_deploy_with(parameters: dict[str, str], wanted: int) -> None:
    with pytest.raises(Ailment, match=f"may run 10 Lambdas at once, and a run wants {wanted}") as ailing:
        look_at_lambdas(Account(10), parameters)
    assert "ForecastLambdas=8;" in ailing.value.mend
    assert look_at_lambdas(Account(10), {"ForecastLambdas": "8"}) == "the account may run 10 at once; a run wants 10"


@pytest.mark.parametrize(
    ("asked", "free", "of_a_run", "share"), [(40, 1000, 42, 40), (40, 50, 42, 8), (40, 10, 10, 1), (3, 50, 10, 3)]
)
def test_a_sweep_leaves_a_run_its_lambdas(asked: int, free: int, of_a_run: int, share: int) -> None:
    assert share_of_a_sweep(asked, free, of_a_run) == share


def test_on_aws_a_sweep_is_told_how_many_lambdas_it_gets(capsys: pytest.CaptureFixture[str]) -> None:
    platform = SimpleNamespace(
        place=Place("openbell-paper"), parameters={"ForecastLambdas": "40"}, client=lambda _: Account(50)
    )
    assert _pace_on(cast("Platform", platform), 40).concurrency == 8
    assert "8 instead of 40 Lambdas at once: the account may run 50, and a trading run wants 42 of them" in " ".join(
        capsys.readouterr().err.split()
    )
