"""What /proc tells about processes and the ports that they listen on (Linux)."""

import os
from collections.abc import Iterator
from pathlib import Path

_LISTEN = "0A"


def is_running(pid: int) -> bool:
    """Whether there is such a process, and it is more than an entry that nobody has collected."""
    state = _status(pid).get("State", "Z")
    return not state.startswith(("Z", "X"))


def children(pid: int | None = None) -> frozenset[int]:
    """The running processes that `pid` has started, by default this one."""
    parent = str(pid or os.getpid())
    return frozenset(found for found in _pids() if _status(found).get("PPid") == parent and is_running(found))


def listening_addresses(pid: int) -> frozenset[str]:
    """The addresses, as the kernel writes them in hexadecimal, at which `pid` waits for connections."""
    inodes = set(_socket_inodes(pid))
    rows = (row for table in ("tcp", "tcp6") for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:])
    sockets = [row.split() for row in rows]
    return frozenset(
        socket[1].split(":")[0] for socket in sockets if socket[3] == _LISTEN and f"socket:[{socket[9]}]" in inodes
    )


def _socket_inodes(pid: int) -> Iterator[str]:
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            yield str(entry.readlink())
        except FileNotFoundError:
            continue  # closed since the folder was read


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _status(pid: int) -> dict[str, str]:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
