"""Following an execution until it ends."""

import time
from collections.abc import Callable, Iterable, Sequence

from cli.live import LiveDisplay
from cli.workflow import Event, Story, read_story

_POLL_SECONDS = 0.2  # of real time; reading the history costs the local cloud about 20 ms


def follow(read_events: Callable[[], Sequence[Event]], top_level: Iterable[str], display: LiveDisplay) -> Story:
    """The whole story of an execution, shown while it happens.

    `read_events` gives the history so far, oldest first. There is no time limit here: the state machine has one.
    """
    states = tuple(top_level)
    while True:
        story = read_story(read_events(), states)
        display.show(story)
        if story.ended:
            return story
        time.sleep(_POLL_SECONDS)
