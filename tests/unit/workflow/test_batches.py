"""How the forecasts of a run are cut for the Lambdas that may run at once."""

from collections import Counter

import pytest

from openbell.workflow.select_universe import batches


def needed(**by_spec: int) -> set[tuple[str, str]]:
    return {(spec, f"S{number:03d}") for spec, tickers in by_spec.items() for number in range(tickers)}


@pytest.mark.parametrize(
    ("tickers", "lambdas", "sizes"), [(20, 40, {1: 20}), (20, 8, {3: 6, 2: 1}), (500, 1, {500: 1})]
)
def test_there_is_a_batch_for_each_lambda_at_most(tickers: int, lambdas: int, sizes: dict[int, int]) -> None:
    cut = batches(needed(a=tickers), lambdas)
    assert Counter(len(batch.tickers) for batch in cut) == sizes
    assert len(cut) <= lambdas


@pytest.mark.parametrize("lambdas", range(3, 41))
def test_several_specifications_share_the_lambdas_and_nothing_is_lost(lambdas: int) -> None:
    wanted = needed(a=7, b=33, c=1)
    cut = batches(wanted, lambdas)
    assert len(cut) <= lambdas
    made = [(batch.spec, ticker) for batch in cut for ticker in batch.tickers]
    assert sorted(made) == sorted(wanted)


def test_more_specifications_than_lambdas_have_a_batch_each() -> None:
    assert len(batches(needed(a=2, b=2, c=2), 1)) == 3
    assert batches(set()) == ()
