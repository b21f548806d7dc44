"""Documents: the numbers of decisions, and links between files."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.unit.infrastructure.sources import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")])
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def test_every_decision_has_a_number_of_its_own() -> None:
    numbers = Counter(file.name[:4] for file in (ROOT / "docs" / "decisions").glob("*.md"))
    assert numbers
    assert [number for number, times in numbers.items() if times > 1] == []


def test_a_decision_whose_title_has_a_number_has_that_of_its_file() -> None:
    for file in (ROOT / "docs" / "decisions").glob("*.md"):
        told = re.match(r"# (\d{4}): ", file.read_text())
        assert told is None or told[1] == file.name[:4], file.name


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_between_files_lead_somewhere(file: Path) -> None:
    targets = [each for each in _LINK.findall(file.read_text()) if "://" not in each and not each.startswith("mailto:")]
    assert [each for each in targets if not (file.parent / each).exists()] == []
