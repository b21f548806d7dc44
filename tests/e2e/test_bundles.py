"""What `make package` built, which is what is deployed, plays a day as the sources do."""

from pathlib import Path
from typing import Any

import pytest

from scripts.prove import CAN_PROVE
from tests.e2e.commands import openbell
from tests.unit.infrastructure.sources import ROOT


def day(folder: Path, *arguments: str) -> dict[str, Any]:
    ended = openbell("run", "--json", *arguments, folder=folder)
    assert ended.exit_code == 0, ended.stderr
    return ended.run


@pytest.mark.skipif(not CAN_PROVE, reason="bundles hold compiled packages for Linux on x86_64, which cannot run here")
def test_the_built_bundles_decide_and_trade_as_the_sources_do(tmp_path: Path) -> None:
    built = day(tmp_path, "--bundles", str(ROOT / ".aws-sam" / "build"))
    sources = day(tmp_path)
    assert built["status"] == "COMPLETED"
    assert len(built["orders"]) >= 5
    for part in ("universe", "forecasts", "signals", "sleeves"):
        assert built[part] == sources[part], part
    told = [[{**order, "client_order_id": ""} for order in run["orders"]] for run in (built, sources)]
    assert told[0] == told[1]  # but for their ids, which come of the execution
