"""The explorer can fail: it finds each precaution that is taken out."""

import pytest

from tests.chaos.catalogue import by_chance, pointed
from tests.chaos.mutants import MUTANTS, Mutant
from tests.chaos.schedule import play

_MOST_PLAYS = 150


@pytest.fixture(scope="module", autouse=True)
def places_are_known() -> None:
    by_chance(0)  # which plays are worth playing is found out on the platform as it is


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_missing_precaution_is_found(mutant: Mutant) -> None:
    plays = [*pointed(), *(by_chance(seed) for seed in range(_MOST_PLAYS))][:_MOST_PLAYS]
    with mutant():
        found = next((played for played in map(play, plays) if played.violations), None)
    assert found, f"{_MOST_PLAYS} plays did not find that the platform {mutant.__name__.replace('_', ' ')}"
