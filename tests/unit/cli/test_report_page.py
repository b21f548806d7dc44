"""The HTML report: complete, escaped, self-contained, and the same for the same data."""

import dataclasses
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from cli.day import Alert, Day, Result
from cli.report import build_page, write_page
from cli.report.ink import strategy_roles
from cli.run_report import read_report
from cli.workflow import Story
from tests.unit.cli.sample_runs import SYMBOLS, day, report, result

EVIL = "<script>alert('x')</script>"
VOID = {"meta", "br", "hr", "img", "input", "link"}


@pytest.fixture(scope="module")
def page() -> str:
    return build_page(result())


class Outline(HTMLParser):
    """Tags that are open, ids, and whatever would be fetched from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in {"src", "href"} and not (value or "").startswith("#"):
                self.fetched.append(f"{tag} {name}={value}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def outline(html: str) -> Outline:
    parser = Outline()
    parser.feed(html)
    return parser


def test_every_tag_is_closed_and_every_id_is_unique() -> None:
    found = outline(build_page(result(3)))
    assert found.open == []
    assert len(found.ids) == len(set(found.ids))


def test_the_page_needs_nothing_from_elsewhere(page: str) -> None:
    assert outline(page).fetched == []
    assert "@import" not in page
    assert re.findall(r"url\((?!#)", page) == []
    assert "<script" not in page


def test_every_reference_inside_a_chart_leads_somewhere(page: str) -> None:
    wanted = set(re.findall(r'(?:href="|url\()#([\w-]+)', page))
    assert wanted
    assert wanted <= set(outline(page).ids)


def test_the_numbers_are_there_as_people_read_them(page: str) -> None:
    sample = report()
    assert "99,983.30" in page  # equity
    for order in sample["orders"]:
        assert order["symbol"] in page
    assert "position cap" in page
    assert "insufficient buying power" in page
    assert "DataUnavailable: 12 of 504 bars are missing" in page
    assert "rank 1 of 20 by 12-1 month return" in page


def test_every_forecast_is_drawn_and_described_traded_symbols_first(page: str) -> None:
    drawn = re.findall(r'aria-label="(\w+): last close', page)
    assert sorted(drawn) == sorted(set(SYMBOLS) - {"GE"})
    assert set(drawn[:7]) == {"CVX", "RRC", "XOM", "LLY", "MRK", "UNH", "BAC"}


def test_each_chart_is_well_formed_and_has_a_description(page: str) -> None:
    charts = re.findall(r"<svg viewBox=[^>]*role=.*?</svg>", page, flags=re.DOTALL)
    assert len(charts) == 19 + 2 + 1  # forecasts, weights of two strategies, timeline
    for chart in charts:
        assert ET.fromstring(chart).attrib["aria-label"]


def test_charts_take_their_colours_from_the_page(page: str) -> None:
    assert "#0102" not in page  # a stand-in that was left
    assert "var(--s0)" in page
    assert "prefers-color-scheme:dark" in page


@pytest.mark.parametrize("where", ["reason", "note", "symbol"])
def test_an_orders_text_is_escaped(where: str) -> None:
    orders = [report()["orders"][0] | {where: EVIL}]
    page = build_page_of(orders=orders)
    assert EVIL not in page
    assert "&lt;script&gt;" in page


def test_names_and_reasons_from_elsewhere_are_escaped_too() -> None:
    sample = report()
    made = [sample["forecasts"]["made"][0] | {"symbol": EVIL}]
    page = build_page_of(
        forecasts={"made": made, "failed": {EVIL: EVIL}},
        failed_strategies={EVIL: EVIL},
        signals={EVIL: [{"symbol": EVIL, "score": 0.5, "reason": EVIL}]},
        sleeves={EVIL: sample["sleeves"]["momentum"]},
        strategies=[EVIL],
        targets=[sample["targets"][0] | {"strategy": EVIL, "symbol": EVIL}],
    )
    assert "<script" not in page
    assert outline(page).open == []


def test_a_dollar_sign_in_a_name_is_not_mathematics() -> None:
    targets = [report()["targets"][0] | {"symbol": "$A$"}]
    assert ">$A$</text>" in build_page_of(targets=targets)


def test_alerts_and_failures_are_shown() -> None:
    page = build_page(only(day(alerts=(Alert("Openbell: drift found", EVIL),))))
    assert "Openbell: drift found" in page
    assert EVIL not in page


def test_a_skipped_run_has_a_page_without_tables() -> None:
    head = {"run_id": "r", "as_of": "2022-06-18T15:00:00-04:00", "status": "SKIPPED", "note": "market closed"}
    skipped = Day(read_report(json.dumps(head).encode(), "report.json"), Story(), "manual")
    page = build_page(only(skipped))
    assert "Nothing was traded: market closed." in page
    assert "Plan and fills" not in page


def test_several_days_fold_away_but_the_last() -> None:
    page = build_page(result(3))
    assert page.count("<details") == 3
    assert page.count(" open>") == 1
    assert "Change of equity since the start: Account" in page


def test_the_same_runs_give_the_same_bytes() -> None:
    assert build_page(result(2)) == build_page(result(2))


def test_a_strategy_keeps_its_colour_whatever_the_order() -> None:
    assert strategy_roles(["b", "a"]) == strategy_roles(["a", "b"]) == {"a": "s0", "b": "s1"}


def test_the_limits_of_the_data_are_told(page: str) -> None:
    for word in ("Closes only", "Survivorship", "Adjusted prices", "Not investment advice", "plus 2 bps"):
        assert word in page


def test_twenty_charts_stay_a_small_file(page: str) -> None:
    assert len(page) < 400_000


def test_the_folder_of_the_report_is_made(tmp_path: Path) -> None:
    write_page(result(), tmp_path / "new" / "page.html")
    assert (tmp_path / "new" / "page.html").read_text().startswith("<!doctype html>")


def only(one: Day) -> Result:
    return dataclasses.replace(result(), days=(one,))


def build_page_of(**changes: Any) -> str:
    return build_page(only(day(**changes)))
