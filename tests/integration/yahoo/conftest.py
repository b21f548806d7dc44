"""yfinance, pointed at a server of this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yfinance

from tests.integration.yahoo.yahoo_server import FakeYahoo, point_yfinance_at, serving


@pytest.fixture
def yahoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeYahoo]:
    """A Yahoo that knows no ticker yet."""
    yfinance.set_tz_cache_location(str(tmp_path))
    with serving() as fake:
        point_yfinance_at(fake.url, monkeypatch)
        yield fake
