"""One function's or the layer's folder, as Lambda unpacks it, built without Docker from uv.lock."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from scripts import trim
from scripts.lock import FOR_PEOPLE_ONLY, OFFERED_BY_LAMBDA, ROOT, closure, pins, requirement_names, run_uv

_PARTS = ROOT / ".aws-sam" / "parts"
_NOT_SHIPPED = shutil.ignore_patterns("__pycache__", "*.pyc", "Makefile", "requirements.txt", ".*")


def build_function(source: Path, target: Path, own_packages: Iterable[Path] = ()) -> None:
    """The handler in `source` with the packages that its requirements.txt names, and these of the project's own."""
    _empty(target)
    for part in parts(closure(requirement_names(source / "requirements.txt"), OFFERED_BY_LAMBDA | FOR_PEOPLE_ONLY)):
        shutil.copytree(part, target, copy_function=_link, dirs_exist_ok=True)
    _copy_own(source, target, "/var/task")
    for package in own_packages:
        _copy_own(package, target / package.name, f"/var/task/{package.name}")


def build_layer(target: Path) -> None:
    """The openbell package and the configuration, both beside each other in python/."""
    _empty(target)
    (target / "python").mkdir()
    for source in (ROOT / "shared" / "openbell", ROOT / "config"):
        _copy_own(source, target / "python" / source.name, f"/opt/python/{source.name}")


def build_runtime(target: Path) -> None:
    """What Lambda offers besides Python: the runtime interface client and boto3, for trying bundles on this machine."""
    _empty(target)
    for part in parts(closure(["awslambdaric", "boto3"], frozenset())):
        shutil.copytree(part, target, copy_function=_link, dirs_exist_ok=True)


def parts(names: Iterable[str]) -> list[Path]:
    """Folders with one trimmed package each; a package is installed and compiled once for all bundles."""
    rules = sha256(Path(trim.__file__).read_bytes()).hexdigest()[:8]
    return [_part(pin, _PARTS / rules) for pin in pins(names).values()]


def _part(pin: str, store: Path) -> Path:
    done = store / pin.split(maxsplit=1)[0]
    if not done.exists():
        store.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=store) as scratch:
            _install(pin, Path(scratch))
            trim.trim(Path(scratch) / "installed")
            (Path(scratch) / "installed").rename(done)
    return done


def _install(pin: str, scratch: Path) -> None:
    wanted = scratch / "requirements.txt"
    wanted.write_text(pin + "\n")
    platform = ("--python", sys.executable, "--python-platform", "x86_64-manylinux_2_28", "--python-version", "3.13")
    # Copies, not links: trimming would otherwise reach into uv's cache.
    how = ("--link-mode", "copy", "--target", str(scratch / "installed"))
    run_uv("pip", "install", *platform, *how, "--requirements", str(wanted))


def _copy_own(source: Path, target: Path, seen_as: str) -> None:
    """Compiled apart from the packages in `target`, whose byte code is linked and must not be written again."""
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        own = Path(shutil.copytree(source, Path(scratch) / "own", ignore=_NOT_SHIPPED))
        trim.add_byte_code(own, seen_as)
        shutil.copytree(own, target, dirs_exist_ok=True)


def _empty(target: Path) -> None:
    if target.exists():
        shutil.rmtree(target)
    target.mkdir(parents=True)


def _link(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:  # another file system, as when sam build asks for a folder under /tmp
        shutil.copy2(source, target)
    return target
