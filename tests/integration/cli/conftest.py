import pytest

from openbell.model import RunStatus
from tests.integration.workflow.stage import Stage


@pytest.fixture
def stage() -> Stage:
    """After one run: momentum holds RRC, CVX and XOM."""
    stage = Stage()
    assert stage.run().status is RunStatus.COMPLETED
    return stage
