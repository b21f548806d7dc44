"""What went wrong, in a person's words: from an execution's error and cause."""

import json

from cli.workflow import Story


def failure_note(story: Story) -> str:
    """`Error: message` of an execution that failed; a Lambda's cause is JSON, of which only the message is told."""
    return f"{story.error or story.status}: {_message(story.cause)}".rstrip(": ")


def _message(cause: str) -> str:
    try:
        told = json.loads(cause)
    except ValueError:
        return cause
    return str(told.get("errorMessage", cause)) if isinstance(told, dict) else cause
