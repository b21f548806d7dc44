"""What the exit code of `openbell` means."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes; shells and CI decide by them."""

    OK = 0  # every run completed, and the books agree
    FAILED = 1  # a run failed, or the platform did not start
    BAD_INPUT = 2  # an argument, the configuration or the bars file is wrong: nothing was started
    SKIPPED = 3  # nothing failed, but a run found nothing to do (market closed, halted, ...)
    BOOKS_DISAGREE = 4  # ledger and exchange differ after a run
    INTERRUPTED = 130  # Ctrl-C, or a request to terminate


# The worst of several runs decides, in this order.
SEVERITY = (Exit.BOOKS_DISAGREE, Exit.FAILED, Exit.SKIPPED, Exit.OK)


def worst(codes: set[Exit]) -> Exit:
    """The exit code of several runs: OK for none."""
    return next((code for code in SEVERITY if code in codes), Exit.OK)
