"""The explorer can fail: it finds each precaution that is taken out."""

from itertools import islice

import pytest

from tests.chaos.hunt import FOUND_BY, MUTANTS, hunt, plays
from tests.chaos.schedule import Schedule

_MORE_PLAYS = 60  # if the play that has found it before does so no more


def test_there_is_a_play_for_each_mutant() -> None:
    assert sorted(FOUND_BY) == sorted(MUTANTS)
    assert len(MUTANTS) >= 30


@pytest.mark.parametrize("name", MUTANTS)
def test_a_missing_precaution_is_found(name: str) -> None:
    first = Schedule.read(FOUND_BY[name])
    found = hunt(MUTANTS[name], [first, *islice(plays(), _MORE_PLAYS)])
    assert found, f"{_MORE_PLAYS} plays did not find that the platform {name.replace('_', ' ')}"
