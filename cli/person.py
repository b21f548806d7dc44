"""Who acts: what is written beside a halt."""

import getpass


def person() -> str:
    """The name of the person at this machine."""
    try:
        return getpass.getuser()
    except OSError:  # a container's user may have no name
        return "an operator"
