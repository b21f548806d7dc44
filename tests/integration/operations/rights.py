"""What a function may do, what it does, and what its code could do."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests.unit.infrastructure.sources import ROOT, expanded, functions

# Done too seldom for a week, with the reason; the code must still lead there.
SELDOM = {
    (
        "SelectUniverseFunction",
        "s3:ListBucket",
    ): "the last run's closes are read when no source answers; the first run has none",
    (
        "AggregateSignalsFunction",
        "dynamodb:DeleteItem",
    ): "removes orders of an earlier attempt that died before its seal",
}
_LEDGER = ROOT / "shared/openbell/adapters/dynamo/ledger.py"
_WORDS = {  # what the ledger's code says when it needs a right
    "get_item": "GetItem",
    "transact_get_items": "GetItem",
    "query": "Query",
    "put_item": "PutItem",
    "delete_item": "DeleteItem",
    "Put": "PutItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


def allowed(function: str) -> set[str]:
    """By the policies of the expanded template; AWS's own policies for logs and traces are not among them."""
    role = expanded()["Resources"][f"{function}Role"]["Properties"]
    policies = [*role["Policies"], *_policies_apart(function)]
    statements = [s for policy in policies for s in policy["PolicyDocument"]["Statement"]]
    actions = [s["Action"] if isinstance(s["Action"], list) else [s["Action"]] for s in statements]
    return {action for found in actions for action in found}


def _policies_apart(function: str) -> list[dict[str, Any]]:
    """What is added to the function's role elsewhere; not what a key of one's own needs in addition."""
    found = [r for r in expanded()["Resources"].values() if r["Type"] == "AWS::IAM::Policy" and "Condition" not in r]
    return [r["Properties"] for r in found if {"Ref": f"{function}Role"} in r["Properties"]["Roles"]]


def possible(function: str) -> set[str]:
    """What the code that the function's handler imports leads to: more than it does, never less."""
    called = {
        node.attr
        for file in _imported(_handler(function))
        for node in ast.walk(_tree(file))
        if isinstance(node, ast.Attribute)
    }
    methods = _methods()
    words = {word for name in called & set(methods) for word in _words(name, set())}
    reads = {"s3:GetObject", "s3:ListBucket"} if "archive" in called else set()
    tells = {"sns:Publish"} if "alert" in called else set()
    return {f"dynamodb:{_WORDS[word]}" for word in words} | reads | tells


def _handler(function: str) -> Path:
    return ROOT / str(functions()[function]["CodeUri"]) / "app.py"


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


def _imported(handler: Path) -> set[Path]:
    """The handler and our modules that it imports, directly or not, without the adapters."""
    found, todo = set(), [handler]
    while todo:
        file = todo.pop()
        if file not in found:
            found.add(file)
            todo += _imports(file)
    return found


def _imports(file: Path) -> Iterator[Path]:
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("openbell"):
            for name in (node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)):
                path = ROOT / "shared" / Path(*name.split("."))
                for place in (path.with_suffix(".py"), path / "__init__.py"):
                    if place.exists() and "adapters" not in place.parts:
                        yield place


@cache
def _methods() -> dict[str, ast.FunctionDef]:
    (ledger,) = [node for node in _tree(_LEDGER).body if isinstance(node, ast.ClassDef) and node.name == "DynamoLedger"]
    return {node.name: node for node in ledger.body if isinstance(node, ast.FunctionDef)}


def _words(method: str, seen: set[str]) -> set[str]:
    """The words of a method of the ledger and of all that it calls."""
    seen.add(method)
    nodes = list(ast.walk(_methods()[method]))
    calls = {node.attr for node in nodes if isinstance(node, ast.Attribute)} & set(_methods()) - seen
    own = {node.value for node in nodes if isinstance(node, ast.Constant) and node.value in _WORDS}
    return own | {word for call in calls for word in _words(call, seen)}
