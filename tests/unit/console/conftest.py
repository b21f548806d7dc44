"""One run of momentum, played anew for every test that may change something."""

import pytest

from openbell.model import RunStatus
from tests.integration.workflow.stage import Stage
from tests.unit.console.desk import Desk, Visitor


@pytest.fixture
def desk() -> Desk:
    stage = Stage()
    assert stage.run().status is RunStatus.COMPLETED
    return Desk(stage)


@pytest.fixture
def empty_desk() -> Desk:
    return Desk(Stage())


@pytest.fixture
def visitor(desk: Desk) -> Visitor:
    return Visitor(desk)
