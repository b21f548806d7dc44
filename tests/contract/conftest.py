"""Says of which scenarios Alpaca's own answers are still to be recorded."""

from typing import Any

from tests.contract.recordings import not_recorded


def pytest_terminal_summary(terminalreporter: Any) -> None:
    names = not_recorded()
    if names:
        terminalreporter.write_line(
            f"contract: nothing is recorded of {', '.join(names)}: there the exchange is held to the promises, "
            "but to no answers of Alpaca; `make contract` records them"
        )
