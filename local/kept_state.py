"""The folder that a local cloud is kept in: `journal.jsonl` for items and objects, `executions/` for histories."""

from pathlib import Path
from typing import TYPE_CHECKING

from local.account import Clients
from local.deploy import Stack
from local.executions import ExecutionFiles
from local.journal import Journal, read_journal, rewrite_journal
from local.keeping import Keeper

if TYPE_CHECKING:
    from moto.stepfunctions.parser.backend.execution import Execution


class KeptState:
    """What one local cloud leaves to the next."""

    def __init__(self, folder: Path, keeper: Keeper) -> None:
        self._path = folder / "journal.jsonl"
        self._keeper = keeper
        self.executions = ExecutionFiles(folder / "executions")

    def restore(self, stack: Stack, clients: Clients) -> tuple["Execution", ...]:
        """Make again what was kept, shorten the journal to what it amounts to, and keep what happens from now on.

        Gives the executions that ran when the last cloud ended. Raises LocalCloudError if the journal cannot be read,
        or does not fit the stack.
        """
        self._keeper.repeat(read_journal(self._path))
        tables, buckets = stack.of_type("AWS::DynamoDB::Table"), stack.of_type("AWS::S3::Bucket")
        rewrite_journal(self._path, self._keeper.present(tables, buckets, clients))
        self._keeper.record(Journal(self._path), {*tables, *buckets})
        return self.executions.restore()
