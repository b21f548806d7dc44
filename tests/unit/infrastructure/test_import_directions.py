"""What import-linter (pyproject.toml) cannot see: the environment, and functions, whose modules are all called app."""

import ast
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.infrastructure.sources import ROOT, template

SHARED = ROOT / "shared" / "openbell"
KNOWS_THE_ENVIRONMENT = {"bootstrap.py", "lambdas.py"}
OWN_PACKAGES = {"backtest_fold": {"lab", "paper"}}  # by handler: a trial is a backtest on the paper exchange
HANDLERS = sorted(ROOT.glob("functions/*/app.py"))


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_only_the_edge_reads_the_environment() -> None:
    reading = {
        str(file.relative_to(SHARED))
        for file in SHARED.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    }
    assert reading <= KNOWS_THE_ENVIRONMENT


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda path: path.parent.name)
def test_a_handler_imports_the_shared_package_and_what_its_bundle_holds(handler: Path) -> None:
    tops = {name.split(".")[0] for name in _imports(handler)}
    own = OWN_PACKAGES.get(handler.parent.name, set())
    assert tops <= {"openbell", "aws_lambda_powertools", "pydantic"} | own | sys.stdlib_module_names


def test_packages_of_our_own_beside_the_shared_one_are_shipped_where_they_are_needed_only() -> None:
    shipped = {
        Path(found["Properties"]["CodeUri"]).name: set(found["Metadata"]["OwnPackages"])
        for found in template()["Resources"].values()
        if "OwnPackages" in found.get("Metadata", {})
    }
    assert shipped == OWN_PACKAGES


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda path: path.parent.name)
def test_a_handler_touches_no_adapter_and_no_aws_client(handler: Path) -> None:
    assert not [name for name in _imports(handler) if name.startswith(("openbell.adapters", "boto3", "botocore"))]


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda path: path.parent.name)
def test_a_handler_puts_garbage_off_before_it_imports_anything(handler: Path) -> None:
    if handler.parent.name == "check_release":  # imports nothing of ours before it can answer for what fails
        at_start = [
            node for node in ast.parse(handler.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        assert not [node for node in at_start if "openbell" in ast.unparse(node)]
    else:
        assert next(_imports(handler)) == "openbell.cold_start"


def test_there_is_a_handler_for_every_folder() -> None:
    folders = {entry.name for entry in os.scandir(ROOT / "functions") if entry.is_dir() and entry.name != "__pycache__"}
    assert {handler.parent.name for handler in HANDLERS} == folders
