"""Answers of a real paper account as files: one a scenario, sanitised, compared with what the exchange answers."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.contract.api import Answer
from tests.contract.sanitise import Sanitiser
from tests.contract.scenarios import SCENARIOS
from tests.contract.shapes import missing

FOLDER = Path(__file__).with_name("recorded")


def record(name: str, answers: Mapping[str, Answer], sanitiser: Sanitiser, folder: Path = FOLDER) -> Path:
    """Keep a scenario's answers; gives the file."""
    content: dict[str, Any] = {"recorded": f"{datetime.now(UTC):%Y-%m-%d}", "answers": {}}
    for label, answer in answers.items():
        content["answers"][label] = {"status": answer.status, "body": sanitiser.clean(answer.body)}
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
    return path


def recorded(name: str, folder: Path = FOLDER) -> dict[str, Answer] | None:
    """What was recorded of a scenario, by label; None if nothing was yet."""
    path = folder / f"{name}.json"
    if not path.exists():
        return None
    found = json.loads(path.read_text())["answers"]
    return {label: Answer(answer["status"], answer["body"]) for label, answer in found.items()}


def not_recorded(folder: Path = FOLDER) -> list[str]:
    """Names of the scenarios of which there are no answers of Alpaca yet."""
    return [scenario.__name__ for scenario in SCENARIOS if recorded(scenario.__name__, folder) is None]


def differences(name: str, ours: Mapping[str, Answer], folder: Path = FOLDER) -> Iterator[str]:
    """Where the exchange answers otherwise than Alpaca was recorded to: another status, a field that lacks."""
    for label, answer in (recorded(name, folder) or {}).items():
        if label not in ours:
            continue  # the market went another way there
        if ours[label].status != answer.status:
            yield f"{label}: status {answer.status} at Alpaca, {ours[label].status} here"
        else:
            yield from (f"{label}{line}" for line in missing(answer.body, ours[label].body))
