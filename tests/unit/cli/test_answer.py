"""The JSON answer: its shape is what other programs rely on."""

import json
from pathlib import Path

from cli.answer import to_answer
from tests.unit.cli.sample_runs import result


def test_every_run_is_there_with_exact_strings_for_money_and_shares() -> None:
    answer = json.loads(to_answer(result(2), Path("reports/x.html")))
    assert answer["report"] == str(Path("reports/x.html").resolve())
    assert [run["run_id"] for run in answer["runs"]] == ["20220615T1500-0000", "20220615T1500-0001"]
    run = answer["runs"][0]
    assert run["as_of"] == "2022-06-15T15:00:00-04:00"
    assert (run["status"], run["equity"], run["seconds"]) == ("COMPLETED", "99983.30", 9.009)
    assert run["sleeves"]["momentum"]["positions"] == {"RRC": "42", "CVX": "70", "XOM": "28", "LLY": "50", "MRK": "45"}
    assert run["forecasts"]["failed"] == {"GE": "DataUnavailable: 12 of 504 bars are missing"}
    assert len(run["forecasts"]["made"]) == 19
    assert run["books_agree"] is True


def test_an_order_is_told_with_its_fill_and_who_wanted_it() -> None:
    orders = json.loads(to_answer(result(), Path("x")))["runs"][0]["orders"]
    assert orders[0] == {
        "client_order_id": "20220615T1500-0000-CVX-buy-x-1",
        "symbol": "CVX",
        "side": "buy",
        "qty": "210",
        "protective": False,
        "status": "FILLED",
        "filled_qty": "210",
        "filled_avg_price": "107.9816",
        "reference_price": "107.96",
        "strategies": ["momentum", "prophet_trend"],
        "reason": orders[0]["reason"],
        "note": "",
    }
    assert orders[-1]["filled_avg_price"] is None
