"""What the console reads: a platform, of which it knows no more than this."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from openbell.ports import Archive, Broker, Ledger


class Source(Protocol):
    """The part of `cli.platform.Platform` that the pages need."""

    @property
    def mode(self) -> Literal["paper", "live"]:
        """Whether it trades with real money."""
        ...

    @property
    def identity(self) -> Mapping[str, str]:
        """Which platform this is: stack, where, mode."""
        ...

    @property
    def outputs(self) -> Mapping[str, str]:
        """The stack's outputs."""
        ...

    @property
    def ledger(self) -> Ledger:
        """The books."""
        ...

    @property
    def archive(self) -> Archive:
        """Reports of runs."""
        ...

    @property
    def broker(self) -> Broker:
        """The brokerage account; OpenbellError if it cannot be reached at all."""
        ...

    def client(self, service: str) -> Any:
        """The boto3 client of a service."""
        ...

    def execution_status(self, execution: str) -> str:
        """How an execution stands; empty if it is not known."""
        ...

    def history(self, execution: str) -> Sequence[Mapping[str, Any]]:
        """The events of an execution, oldest first."""
        ...
