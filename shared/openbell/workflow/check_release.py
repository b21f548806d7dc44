"""CheckRelease: would this version have decided the last runs as they were decided? Asked before it gets any run."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from openbell.errors import NothingDecided, OpenbellError
from openbell.model import RunStatus
from openbell.ports import Archive, Ledger
from openbell.replay import Replay, decide_again

RUNS = 20
APPROVED_KEY = "releases/approved.json"  # of the archive: digests of decisions by run that a person has approved
_LOOK_BACK = 200  # runs, skipped ones included
_MOST_SHOWN = 5  # differences of a run
_LONGEST = 160  # letters of a difference


@dataclass(frozen=True)
class CheckedRun:
    """A run that was decided once more."""

    run_id: str
    digest: str  # of the decisions as this version makes them; empty if it could make none
    differences: tuple[str, ...]  # in words; empty if nothing differs from what was stored, or approved before

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


def check_runs(ledger: Ledger, archive: Archive, config_folder: Path) -> tuple[CheckedRun, ...]:
    """The last 20 completed runs, newest first, decided by the code that is running now, from what they kept.

    A run that sold everything because of a halt decided nothing and does not count.
    """
    approved = read_approved(archive)
    return tuple(_checked(ledger, archive, config_folder, approved))


def _checked(ledger: Ledger, archive: Archive, folder: Path, approved: dict[str, str]) -> Iterator[CheckedRun]:
    completed = [run.run_id for run in ledger.runs(_LOOK_BACK) if run.status is RunStatus.COMPLETED]
    left = RUNS
    for run_id in completed:
        if not left:
            return
        try:
            yield _compared(decide_again(run_id, ledger=ledger, archive=archive, config_folder=folder), approved)
        except NothingDecided:
            continue
        except Exception as error:
            name = "" if isinstance(error, OpenbellError) else f"{type(error).__name__}: "
            yield CheckedRun(run_id, "", (f"cannot be decided: {name}{error}"[:_LONGEST],))
        left -= 1


def _compared(again: Replay, approved: dict[str, str]) -> CheckedRun:
    digest = sha256(again.recomputed).hexdigest()
    if again.identical or approved.get(again.run_id) == digest:
        return CheckedRun(again.run_id, digest, ())
    shown = [f"{each.where}: {each.stored} -> {each.recomputed}"[:_LONGEST] for each in again.differences]
    more = [f"and {len(shown) - _MOST_SHOWN} more"] if len(shown) > _MOST_SHOWN else []
    return CheckedRun(again.run_id, digest, (*shown[:_MOST_SHOWN], *more))


def read_approved(archive: Archive) -> dict[str, str]:
    """Digests of decisions by run that a person has approved."""
    try:
        return {str(run): str(digest) for run, digest in json.loads(archive.get(APPROVED_KEY)).items()}
    except KeyError:
        return {}


def approve(checked: Sequence[CheckedRun], archive: Archive) -> None:
    """Later versions may decide these runs as this one does.

    A run that could not be decided at all leaves nothing to be measured by: the next release is asked about it again.
    """
    approved = read_approved(archive) | {each.run_id: each.digest for each in checked if each.digest}
    archive.put(APPROVED_KEY, json.dumps(approved, indent=1, sort_keys=True).encode())
