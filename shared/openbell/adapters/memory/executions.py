"""Executions without Step Functions, for runs that are played in one process."""

from collections.abc import Collection


class MemoryExecutions:
    """`openbell.ports.Executions` that knows of those that it was told of."""

    def __init__(self, ended: Collection[str] = ()) -> None:
        self._ended = frozenset(ended)

    def ended(self, name: str) -> bool:
        """See Executions."""
        return name in self._ended
