"""From signals to a plan, as pure functions: weigh -> change -> limit -> net -> plan."""
