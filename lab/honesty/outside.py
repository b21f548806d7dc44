"""What a strategy's code reaches for outside its context: files, the network, processes, as the interpreter sees it.

And the files as they would have been on an earlier day, so that code that reads them can be proven wrong.
"""

import builtins
import gzip
import io
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import FrameType
from typing import Any

import pandas as pd
import pyarrow.parquet as arrow

_CODE = (".py", ".pyc", ".pyi", ".so", ".dylib", ".pyd")
_OF_THE_SYSTEM = ("/dev", "/proc", "/sys", "/usr/share/zoneinfo", "/etc")
_WRITES = "wax+"
_OTHERS = frozenset({"socket.connect", "socket.getaddrinfo", "urllib.Request", "sqlite3.connect", "subprocess.Popen"})
_DAY = re.compile(r"\b(\d{4})-?(\d{2})-?(\d{2})\b")


@dataclass
class Reach:
    """What was reached for: files and other things, each with the line of the strategy's code that did."""

    sources: frozenset[str] = frozenset()  # the strategy's own files
    files: dict[Path, str] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)

    def note(self, event: str, arguments: tuple[Any, ...]) -> None:
        """An event that the interpreter tells of."""
        if event == "open":
            path = _data_file(arguments)
            if path and (line := self._line()):
                self.files.setdefault(path, line)
        elif event in _OTHERS and (line := self._line()):
            self.others.setdefault(event, line)

    def _line(self) -> str:
        """The innermost line of the strategy's own code that is being run; empty if none is."""
        frame: FrameType | None = sys._getframe(1)
        while frame:
            if frame.f_code.co_filename in self.sources:
                return f"{Path(frame.f_code.co_filename).name}, line {frame.f_lineno}"
            frame = frame.f_back
        return ""


class _Watch:
    """The one hook of this process; hooks cannot be taken away, so it is deaf while nobody listens."""

    def __init__(self) -> None:
        self.listener: Reach | None = None
        self._hooked = False

    def listen(self, listener: Reach) -> None:
        if not self._hooked:
            sys.addaudithook(self._hear)
            self._hooked = True
        self.listener = listener

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        listener = self.listener
        if listener is not None and (event == "open" or event in _OTHERS):
            self.listener = None  # what the listener does itself is not told
            try:
                listener.note(event, arguments)
            finally:
                self.listener = listener


_WATCH = _Watch()


@contextmanager
def watched(sources: frozenset[str]) -> Iterator[Reach]:
    """Note what code in `sources` reaches for meanwhile."""
    reach = Reach(sources)
    _WATCH.listen(reach)
    try:
        with _arrow_through_python():
            yield reach
    finally:
        _WATCH.listener = None


def _data_file(arguments: tuple[Any, ...]) -> Path | None:
    """The file that is opened for reading, unless it is code or the system's."""
    name, mode = arguments[0], arguments[1] or "r"
    if not isinstance(name, str | bytes | os.PathLike) or any(letter in mode for letter in _WRITES):
        return None
    path = Path(os.fsdecode(name)).absolute()
    if path.suffix in _CODE or str(path).startswith(_OF_THE_SYSTEM) or "tzdata" in path.parts:
        return None
    return path


@contextmanager
def files_as_of(session: date, files: tuple[Path, ...]) -> Iterator[tuple[Path, ...]]:
    """Have `files` read as if nothing of `session` or later stood in them; gives those that cannot be cut so."""
    with tempfile.TemporaryDirectory(prefix="openbell-check-") as folder:
        copies: dict[Path, Path] = {}
        for number, file in enumerate(files):
            copy = Path(folder) / f"{number}-{file.name}"
            if _cut(file, copy, session):
                copies[file] = copy
        with _opened_instead(copies), _arrow_through_python():
            yield tuple(file for file in files if file not in copies)


def _cut(file: Path, copy: Path, session: date) -> bool:
    """Write to `copy` what `file` has from before `session`; False if it has no rows with dates."""
    try:
        if file.suffix in {".parquet", ".pq"}:
            return _cut_table(file, copy, session)
        opener = gzip.open if file.suffix == ".gz" else open
        with opener(file, "rt", encoding="utf-8", newline="") as source:
            lines = source.readlines()
    except (OSError, ValueError):
        return False
    kept = [line for line in lines if not _is_of(line, session)]
    with opener(copy, "wt", encoding="utf-8", newline="") as target:
        target.writelines(kept)
    return any(_DAY.search(line) for line in lines)


def _is_of(line: str, session: date) -> bool:
    found = _DAY.search(line)
    return found is not None and "-".join(found.groups()) >= session.isoformat()


def _cut_table(file: Path, copy: Path, session: date) -> bool:
    table = pd.read_parquet(file)
    plain = table.reset_index() if any(table.index.names) or isinstance(table.index, pd.DatetimeIndex) else table
    for name in plain.columns:
        days = plain[name].astype(str).str.slice(0, 10)
        if len(days) and days.str.fullmatch(r"\d{4}-\d{2}-\d{2}").all():
            table.loc[(days < session.isoformat()).to_numpy()].to_parquet(copy)
            return True
    return False


@contextmanager
def _opened_instead(copies: dict[Path, Path]) -> Iterator[None]:
    """Have this process open the copies where it asks for the originals."""
    true_open: Callable[..., Any] = builtins.open

    def opened(file: Any, *arguments: Any, **named: Any) -> Any:
        known = isinstance(file, str | bytes | os.PathLike)
        instead = copies.get(Path(os.fsdecode(file)).absolute()) if known else None
        return true_open(instead or file, *arguments, **named)

    builtins.open = io.open = opened  # pathlib and pandas look it up there
    try:
        yield
    finally:
        builtins.open = io.open = true_open


@contextmanager
def _arrow_through_python() -> Iterator[None]:
    """Have Arrow read files that Python opens: what Arrow opens itself, the interpreter does not see."""
    true_table, true_file = arrow.read_table, arrow.ParquetFile
    arrow.read_table = lambda source, *others, **named: true_table(_opened(source), *others, **named)
    arrow.ParquetFile = lambda source, *others, **named: true_file(_opened(source), *others, **named)
    try:
        yield
    finally:
        arrow.read_table, arrow.ParquetFile = true_table, true_file


def _opened(source: Any) -> Any:
    """What the file at a path holds; anything else, and folders, as they are."""
    is_file = isinstance(source, str | os.PathLike) and Path(source).is_file()
    return io.BytesIO(Path(source).read_bytes()) if is_file else source
