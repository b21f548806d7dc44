"""A file of JSON lines that only grows, and that a kill at any moment leaves readable."""

import json
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from local.failures import LocalCloudError

type Entry = dict[str, Any]


class Journal:
    """Entries are on the disk when `append` returns; safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._file = path.open("ab", buffering=0)

    def append(self, entry: Entry, *, power_safe: bool = True) -> None:
        """Write one entry; without `power_safe` it survives the end of this process, but maybe not a power cut."""
        line = _line(entry)
        with self._lock:
            self._file.write(line)
            if power_safe:
                os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()


def read_journal(path: Path) -> list[Entry]:
    """The entries of a journal, none if there is no file; a last line that was not finished is cut off.

    LocalCloudError if any other line cannot be read: then the file was changed by something else.
    """
    if not path.exists():
        return []
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)  # nobody was told of it, and the next entry needs a line of its own
    lines = content[:whole].splitlines()
    return [_entry(line, path, number) for number, line in enumerate(lines, start=1)]


def rewrite_journal(path: Path, entries: Iterable[Entry]) -> None:
    """Replace the journal's content, at once or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.tmp")
    with unfinished.open("wb") as file:
        file.writelines(map(_line, entries))
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _line(entry: Entry) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def _entry(line: bytes, path: Path, number: int) -> Entry:
    try:
        return dict(json.loads(line))
    except ValueError as error:
        raise LocalCloudError(
            f"{path}, line {number} is not what was written there: {error}. Restore the folder from a copy, or move it "
            "away to start with empty books"
        ) from error
