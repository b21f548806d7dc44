"""The first import of every handler: until all others are done, nobody looks for garbage.

What imports make stays. Looking through it over and over takes a tenth of the time in which a handler is loaded.
"""

import gc

gc.disable()


def imports_are_done() -> None:
    """Collect garbage from now on, but never again among all that has been loaded."""
    gc.freeze()
    gc.enable()
