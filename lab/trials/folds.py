"""Folds of a walk-forward: where parameters are searched, and where what was found has to prove itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from openbell.errors import InvalidInput

_SHORTEST = 2  # sessions, of which returns can scatter
_SESSIONS = {"w": 5, "m": 21, "y": 252}


@dataclass(frozen=True)
class Fold:
    """An in-sample window and the out-of-sample window after it; all dates are sessions, and included."""

    number: int  # from 1
    in_first: date
    in_last: date
    out_first: date
    out_last: date


def parse_span(option: str, text: str) -> int:
    """Sessions in a span: 504, 2y (252 each), 6m (21 each), 4w (5 each); InvalidInput for anything else."""
    digits, unit = (text[:-1], text[-1:]) if text[-1:] in _SESSIONS else (text, "")
    sessions = int(digits) * _SESSIONS.get(unit, 1) if digits.isascii() and digits.isdigit() else 0
    if sessions < _SHORTEST:
        raise InvalidInput(
            f"{option} {text}: expected a number of sessions (at least {_SHORTEST}) such as 504, or 2y, 6m, 4w"
        )
    return sessions


def cut_folds(sessions: Sequence[date], train: int, test: int, *, anchored: bool = False) -> tuple[Fold, ...]:
    """Folds over `sessions`, ascending: `train` sessions in-sample, the next `test` out-of-sample, then on by `test`.

    Anchored, every in-sample window begins with the first session and grows. Out-of-sample windows follow each other
    without a gap; a rest at the end that is shorter than `test` is left out. InvalidInput if there is not one fold.
    """
    folds = []
    for number, split in enumerate(range(train, len(sessions) - test + 1, test), start=1):
        begin = 0 if anchored else split - train
        folds.append(
            Fold(number, sessions[begin], sessions[split - 1], sessions[split], sessions[split + test - 1]),
        )
    if not folds:
        raise InvalidInput(
            f"--train {train} and --test {test} need {train + test:,} sessions; there are {len(sessions):,} from "
            f"--from to --to. Shorten the windows or take more history"
        )
    return tuple(folds)
