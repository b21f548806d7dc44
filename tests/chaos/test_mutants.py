"""The explorer can fail: it finds each precaution that is taken out."""

from itertools import islice

import pytest

from tests.chaos.catalogue import by_chance
from tests.chaos.hunt import FOUND_BY, MUTANTS, hunt, plays
from tests.chaos.schedule import Schedule

_MORE_PLAYS = 60  # if the play that has found it before does so no more


@pytest.fixture(scope="module", autouse=True)
def places_are_known() -> None:
    by_chance(0)  # which plays are worth playing is found out on the platform as it is


@pytest.mark.parametrize("name", FOUND_BY)
def test_a_missing_precaution_is_found(name: str) -> None:
    first = Schedule.read(FOUND_BY[name][1])
    found = hunt(MUTANTS[name], [first, *islice(plays(), _MORE_PLAYS)])
    assert found, f"{_MORE_PLAYS} plays did not find that the platform {name.replace('_', ' ')}"
