"""Prophet and Stan as they are used in these tests."""

import logging

import pytest


@pytest.fixture(autouse=True)
def _quiet_stan() -> None:
    logging.getLogger("cmdstanpy").disabled = True
    logging.getLogger("prophet").setLevel(logging.ERROR)
