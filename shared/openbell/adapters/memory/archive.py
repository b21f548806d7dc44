"""The archive in memory, for backtests and tests."""


class MemoryArchive:
    """`openbell.ports.Archive` in a dictionary."""

    def __init__(self) -> None:
        self._contents: dict[str, bytes] = {}

    def put(self, key: str, content: bytes) -> None:
        """See Archive."""
        self._contents[key] = content

    def get(self, key: str) -> bytes:
        """See Archive."""
        return self._contents[key]

    def folders(self, under: str) -> list[str]:
        """The names of the folders directly under `under`, which ends with a slash."""
        inside = (key.removeprefix(under) for key in self._contents if key.startswith(under))
        return sorted({name.split("/")[0] for name in inside if "/" in name})
