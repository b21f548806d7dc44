from pathlib import Path

import pytest

from scripts.lock import FOR_PEOPLE_ONLY, OFFERED_BY_LAMBDA, ROOT, closure, requirement_names

WITHOUT = OFFERED_BY_LAMBDA | FOR_PEOPLE_ONLY
TOO_MUCH = {"matplotlib", "plotly", "scipy", "moto", "boto3", "botocore", "flask", "pyarrow", "skfolio", "pytest"}


def _bundle(function: str) -> set[str]:
    return closure(requirement_names(ROOT / "functions" / function / "requirements.txt"), WITHOUT)


@pytest.mark.parametrize("file", sorted(ROOT.glob("functions/*/requirements.txt")), ids=lambda path: path.parent.name)
def test_no_bundle_holds_what_only_people_or_the_laptop_need(file: Path) -> None:
    assert not _bundle(file.parent.name) & TOO_MUCH


def test_forecasts_come_without_broker_and_data_library() -> None:
    assert not _bundle("forecast") & {"alpaca-trade-api", "yfinance", "requests"}


def test_only_the_universe_needs_the_data_library() -> None:
    assert {
        f.parent.name for f in ROOT.glob("functions/*/requirements.txt") if "yfinance" in _bundle(f.parent.name)
    } == {"select_universe"}


def test_a_package_brings_what_it_needs_its_extras_included() -> None:
    found = closure(["aws-lambda-powertools[parser]", "s3transfer"], WITHOUT)
    assert {"aws-lambda-powertools", "jmespath", "pydantic", "pydantic-core"} <= found
    assert "botocore" not in found  # s3transfer names it; the runtime has both


def test_what_another_system_needs_stays_out() -> None:
    assert "tzdata" not in closure(["pandas"], WITHOUT)  # wanted on Windows only


def test_a_package_that_is_not_locked_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="left-pad is not in the lock"):
        closure(["left-pad"], WITHOUT)


def test_a_version_in_a_functions_requirements_is_refused(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("numpy==2.5.5\n")
    with pytest.raises(ValueError, match="give the name only"):
        requirement_names(tmp_path / "requirements.txt")
