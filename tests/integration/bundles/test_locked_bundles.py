"""What a bundle holds depends on uv.lock alone, whatever an index, a folder, a variable or a configuration offers."""

import os
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import CalledProcessError

import pytest

from scripts import bundle, lock

# As in the project's own pyproject.toml: an override that allows more than the lock names.
PYPROJECT = """
[project]
name = "lambdas"
version = "0"
requires-python = ">=3.13,<3.14"
dependencies = ["bellows==1.0"]
[tool.uv]
package = false
override-dependencies = ["bellows>=1.0"]
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 as the base has it
        pass


class Index:
    """A package index of one package in a folder, served at 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        self.files = folder / "simple" / "bellows"
        self.files.mkdir(parents=True)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/simple"

    def publish(self, version: str, says: str = "") -> None:
        wheel(self.files, version, says or version)
        links = [
            f'<a href="{file.name}#sha256={sha256(file.read_bytes()).hexdigest()}">{file.name}</a>'
            for file in sorted(self.files.glob("*.whl"))
        ]
        (self.files / "index.html").write_text("\n".join(links))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def wheel(folder: Path, version: str, says: str) -> None:
    info = f"bellows-{version}.dist-info"
    with zipfile.ZipFile(folder / f"bellows-{version}-py3-none-any.whl", "w") as file:
        file.writestr("bellows/__init__.py", f"VERSION = {says!r}\n")
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: bellows\nVersion: {version}\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")


@pytest.fixture
def indexes(tmp_path: Path) -> Iterator[Callable[[str], Index]]:
    made: list[Index] = []

    def index(name: str) -> Index:
        made.append(Index(tmp_path / name))
        return made[-1]

    yield index
    for one in made:
        one.close()


@pytest.fixture
def index(indexes: Callable[[str], Index], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """A project in the working folder whose uv.lock names bellows 1.0, the only version that this index has yet."""
    project = tmp_path / "project"
    (project / "function").mkdir(parents=True)
    (project / "function" / "requirements.txt").write_text("bellows\n")
    (project / "function" / "app.py").write_text("import bellows\n")
    (project / "pyproject.toml").write_text(PYPROJECT)
    index = indexes("index")
    index.publish("1.0")
    for name in [name for name in os.environ if name.startswith(("UV_", "PIP_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr(lock, "ROOT", project)
    monkeypatch.chdir(project)
    forget_lock()
    lock.run_uv("lock", "--quiet", "--python", sys.executable)
    yield index
    forget_lock()


def forget_lock() -> None:
    lock._locked.cache_clear()
    lock._export.cache_clear()


def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> dict[str, bytes]:
    """Every file of a bundle built with nothing left from before."""
    monkeypatch.setattr(bundle, "_PARTS", tmp_path / f"parts-{name}")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / f"cache-{name}"))
    target = tmp_path / f"bundle-{name}"
    bundle.build_function(Path("function").absolute(), target)
    return {str(file.relative_to(target)): file.read_bytes() for file in target.rglob("*") if file.is_file()}


def newer_on_the_same_index(index: Index, **_: object) -> None:
    index.publish("2.0")


def newer_on_one_more_index(indexes: Callable[[str], Index], monkeypatch: pytest.MonkeyPatch, **_: object) -> None:
    other = indexes("other")
    other.publish("2.0")
    monkeypatch.setenv("UV_EXTRA_INDEX_URL", other.url)


def newer_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **_: object) -> None:
    wheel(tmp_path, "2.0", "2.0")
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path))


def overridden_by_a_variable(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **_: object) -> None:
    index.publish("2.0")
    (tmp_path / "override.txt").write_text("bellows==2.0\n")
    monkeypatch.setenv("UV_OVERRIDE", str(tmp_path / "override.txt"))


def configured_for_the_folder(index: Index, **_: object) -> None:
    index.publish("2.0")
    Path("uv.toml").write_text('override-dependencies = ["bellows>=2"]\n')


def configured_by_the_person(tmp_path: Path, **_: object) -> None:
    wheel(tmp_path, "2.0", "2.0")
    (tmp_path / "xdg" / "uv").mkdir(parents=True)
    (tmp_path / "xdg" / "uv" / "uv.toml").write_text(f'[pip]\nfind-links = ["{tmp_path}"]\nupgrade = true\n')


OFFERS = [
    newer_on_the_same_index,
    newer_on_one_more_index,
    newer_in_a_folder,
    overridden_by_a_variable,
    configured_for_the_folder,
    configured_by_the_person,
]


@pytest.mark.parametrize("offer", OFFERS, ids=lambda offer: offer.__name__)
def test_a_bundle_is_the_same_to_the_byte_whatever_else_is_on_offer(
    offer: Callable[..., None],
    index: Index,
    indexes: Callable[[str], Index],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = build(tmp_path, monkeypatch, "before")
    assert b"1.0" in before["bellows/__init__.py"]
    offer(index=index, indexes=indexes, tmp_path=tmp_path, monkeypatch=monkeypatch)
    forget_lock()
    assert build(tmp_path, monkeypatch, "after") == before


def test_the_locked_version_with_another_content_is_refused(
    index: Index, indexes: Callable[[str], Index], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = indexes("other")
    other.publish("1.0", says="something else")
    monkeypatch.setenv("UV_EXTRA_INDEX_URL", other.url)
    with pytest.raises(CalledProcessError):
        build(tmp_path, monkeypatch, "after")
