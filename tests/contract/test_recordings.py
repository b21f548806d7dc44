import json
from functools import partial
from pathlib import Path

import pytest

from paper import PaperExchange, serve
from tests.contract.__main__ import main
from tests.contract.account import Account
from tests.contract.api import Answer, Api
from tests.contract.recordings import differences, not_recorded, record, recorded
from tests.contract.sanitise import Sanitiser
from tests.contract.scenarios import SCENARIOS
from tests.contract.shapes import missing
from tests.unit.paper.market_days import closes, exchange

ORDER = {"id": "904837e3-3b76-47ec-b432-046db621571b", "qty": "1", "legs": [{"type": "limit"}], "expires_at": None}


def test_an_answer_comes_back_as_it_was_recorded(tmp_path: Path) -> None:
    assert recorded("expiry", tmp_path) is None
    record("expiry", {"order": Answer(200, ORDER), "cancelled": Answer(204, None)}, Sanitiser(), tmp_path)
    found = recorded("expiry", tmp_path)
    assert found
    assert found["cancelled"] == Answer(204, None)
    assert found["order"].body == ORDER | {"id": "00000000-0000-4000-8000-000000000001"}
    assert not_recorded(tmp_path) == [s.__name__ for s in SCENARIOS if s.__name__ != "expiry"]


OTHER_KIND = {"id": "a", "qty": 1, "legs": [{"type": "limit"}], "expires_at": "2022"}
LACKING = {"id": "a", "qty": "1", "legs": [{}]}


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        (Answer(200, ORDER | {"more": 1}), []),
        (Answer(200, OTHER_KIND), ["order.qty: str at Alpaca, number here"]),
        (Answer(200, LACKING), ["order.expires_at: missing", "order.legs[0].type: missing"]),
        (Answer(422, {}), ["order: status 200 at Alpaca, 422 here"]),
    ],
)
def test_the_exchange_is_held_to_what_was_recorded(tmp_path: Path, ours: Answer, expected: list[str]) -> None:
    record("expiry", {"order": Answer(200, ORDER)}, Sanitiser(), tmp_path)
    assert list(differences("expiry", {"order": ours}, tmp_path)) == expected


def test_a_truth_value_is_no_number() -> None:
    assert list(missing({"a": True}, {"a": 1})) == [".a: boolean at Alpaca, number here"]


def test_the_command_plays_records_and_tells(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tests.contract.__main__.record", partial(record, folder=tmp_path))
    with serve(exchange(closes(AAPL=[100, 102, 104])), 0) as served:
        given = {"APCA_API_KEY_ID": "key", "APCA_API_SECRET_KEY": "secret", "CONTRACT_SYMBOL": "AAPL"}
        for name, value in (given | {"CONTRACT_URL": served.url, "CONTRACT_DATA_URL": served.url}).items():
            monkeypatch.setenv(name, value)
        assert main(["asset", "expiry"]) == 0
        monkeypatch.setenv("CONTRACT_SYMBOL", "NOSUCH")
        assert main(["asset", "--no-record"]) == 1
    told = capsys.readouterr().out
    assert "asset                kept" in told
    assert "asset                BROKEN" in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["asset.json", "expiry.json"]
    assert "key" not in json.loads((tmp_path / "asset.json").read_text())["answers"]


def test_a_scenario_that_ended_too_early_leaves_nothing_behind() -> None:
    market = exchange(closes(AAPL=[100, 102, 104]))
    with serve(market, 0) as served:
        api = Api(Account(served.url, served.url, "key", "secret", "AAPL"), wait=lambda seconds: _pass(market, seconds))
        terms = {"side": "buy", "qty": "1", "time_in_force": "day"}
        bought = api.post("bought", **terms, type="market")
        api.until("filled", bought.body["id"], lambda found: found["status"] == "filled")
        api.post("resting", **terms, type="limit", limit_price="50")
        api.tidy()
        market.close_session()
    assert market.positions() == []
    assert not [order for order in market.orders() if order.status.open]


def _pass(market: PaperExchange, seconds: float) -> None:
    market.wait(seconds)
