"""What went wrong, in a person's words: from an execution's error and cause."""

from cli.workflow import Story
from openbell.errors import message_of


def failure_note(story: Story) -> str:
    """`Error: message` of an execution that failed."""
    return f"{story.error or story.status}: {message_of(story.cause)}".rstrip(": ")
