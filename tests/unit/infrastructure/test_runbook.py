"""The runbook has a place for whatever can be mailed to a person, and for every error that ends a run."""

import re

import pytest

from openbell import errors
from tests.unit.infrastructure.sources import ROOT

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
MAILS, ERRORS = (RUNBOOK.partition(f"| {head} |")[2].partition("\n\n")[0] for head in ("the mail", "error"))
HEADINGS = set(re.findall(r"^## (.+)$", RUNBOOK, re.MULTILINE))
CODE = sorted((ROOT / "shared" / "openbell").rglob("*.py"))
WORDS = "".join(file.read_text() for file in [*CODE, *sorted((ROOT / "statemachine").glob("*.json"))])
SUBJECTS = sorted(set(re.findall(r'(?<=")Openbell: [^"{\n]+(?=")', WORDS)))
PAGES = sorted(set(re.findall(r"docs/runbook\.md, '([^'{]+)'", WORDS)))
ENDS_NO_RUN = {
    "LegsStillOpen",  # an order that waits for it in vain is in the report; the run goes on
    "NothingDecided",  # of a replay
}


def ends_a_run() -> list[str]:
    kinds = (errors.RetryableError, errors.PermanentError)
    found = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, kinds)]
    return sorted({each.__name__ for each in found if not each.__subclasses__()} - ENDS_NO_RUN)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_mail_has_a_row(subject: str) -> None:
    assert f'"{subject}"' in MAILS


@pytest.mark.parametrize("page", PAGES)
def test_the_page_that_a_mail_names_is_there(page: str) -> None:
    assert page in HEADINGS


@pytest.mark.parametrize("error", ends_a_run())
def test_every_error_that_ends_a_run_has_a_row(error: str) -> None:
    assert re.search(rf"\b{error}\b", ERRORS)


def test_links_inside_the_runbook_lead_to_its_headings() -> None:
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in HEADINGS}
    anchors |= {
        re.sub(r"[^a-z0-9 -]", "", each.lower()).replace(" ", "-") for each in re.findall(r"^### (.+)$", RUNBOOK, re.M)
    }
    assert set(re.findall(r"\]\(#([\w-]+)\)", RUNBOOK)) <= anchors


def test_there_is_something_to_check() -> None:
    assert len(SUBJECTS) >= 10
    assert len(PAGES) >= 5
