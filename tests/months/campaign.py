"""Many months in several processes, and what they found."""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator

from tests.months.month import Lived, live


def campaign(seeds: Iterable[int], processes: int, on_lived: Callable[[Lived], None]) -> bool:
    """Whether no promise was broken; `on_lived` hears of each month as soon as it is over."""
    kept = True
    for lived in _lived(seeds, processes):
        kept &= not lived.violations
        on_lived(lived)
    return kept


def _lived(seeds: Iterable[int], processes: int) -> Iterator[Lived]:
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(live, seeds, chunksize=4)


def told(lived: Lived) -> str:
    """A month, deed by deed."""
    lines = [f"SEED=month:{lived.seed}", *(f"  {deed}" for deed in lived.deeds)]
    lines += [f"VIOLATION {sentence}" for sentence in lived.violations] or ["no violation"]
    return "\n".join([*lines, f"{lived.runs} runs, {lived.fills} fills"])
