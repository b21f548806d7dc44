"""Which exact packages a bundle needs: names in, uv.lock's pins with their hashes out."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
_UV = ROOT / "scripts" / "uv.sh"
# Offered by the Lambda runtime itself, and kept patched there: docs/decisions/0004-what-a-bundle-holds.md.
OFFERED_BY_LAMBDA = frozenset({"boto3", "botocore", "s3transfer"})
# Named by Prophet, but only its plots use them.
FOR_PEOPLE_ONLY = frozenset({"matplotlib", "plotly"})
_LAMBDA = {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64", "os_name": "posix"}
_LAMBDA |= {"python_version": "3.13", "python_full_version": "3.13.0", "implementation_name": "cpython"}


def requirement_names(file: Path) -> list[str]:
    """The names in a requirements.txt; ValueError if one has a version, because versions come from uv.lock alone."""
    names = [line for line in (line.strip() for line in file.read_text().splitlines()) if line and line[0] != "#"]
    if pinned := [name for name in names if Requirement(name).specifier]:
        raise ValueError(f"{file}: {', '.join(pinned)}: give the name only; the version comes from uv.lock")
    return names


def closure(names: Iterable[str], without: frozenset[str]) -> set[str]:
    """The named packages and all that they need on Lambda, less `without` and what only those need."""
    found: set[str] = set()
    seen: set[tuple[str, str]] = set()
    todo = [(canonicalize_name(r.name), extra) for r in map(Requirement, names) for extra in ("", *r.extras)]
    while todo:
        name, extra = todo.pop()
        if name in without or (name, extra) in seen:
            continue
        if name not in _locked():
            raise ValueError(f"{name} is not in the lock: add it to pyproject.toml, then run uv lock")
        seen.add((name, extra))
        found.add(name)
        todo += [(need["name"], part) for need in _needs(name, extra) for part in ("", *need.get("extra", ()))]
    return found


def pins(names: Iterable[str]) -> dict[str, str]:
    """`name==version` with its hashes, as pip reads it, by name."""
    blocks = _export()
    return {name: blocks[name] for name in sorted(names)}


def run_uv(*arguments: str, **how: Any) -> subprocess.CompletedProcess[str]:
    """Call uv as scripts/uv.sh does for the whole project; CalledProcessError if it fails."""
    return subprocess.run([_UV, *arguments], check=True, text=True, **how)


def _needs(name: str, extra: str) -> list[dict[str, Any]]:
    package = _locked()[name]
    needs = package.get("optional-dependencies", {}).get(extra, []) if extra else package.get("dependencies", [])
    return [need for need in needs if "marker" not in need or Marker(need["marker"]).evaluate(_LAMBDA)]


@cache
def _locked() -> dict[str, dict[str, Any]]:
    return {package["name"]: package for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}


@cache
def _export() -> dict[str, str]:
    what = ["--frozen", "--all-groups", "--no-emit-project", "--no-annotate", "--no-header", "--quiet"]
    text = run_uv("export", "--python", sys.executable, *what, cwd=ROOT, stdout=subprocess.PIPE).stdout
    blocks = re.split(r"\n(?=\S)", text.strip())
    return {canonicalize_name(re.split(r"[=\s;\[]", block, maxsplit=1)[0]): block for block in blocks}
