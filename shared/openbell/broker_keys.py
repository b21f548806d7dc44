"""The broker's keys in the secret's text."""

import json
import re

from openbell.errors import KeysRefused

HOW = "see docs/runbook.md, 'Keys'"

_PLACEHOLDER = re.compile(r"[\s<>]|\.\.\.")  # no key has such characters; "..." is what the README shows


def broker_keys(text: str, where: str) -> tuple[str, str]:
    """key_id and secret_key of a JSON object; KeysRefused, naming `where` it was, if they are not filled in.

    >>> broker_keys('{"key_id": "PKEXAMPLE", "secret_key": "example"}', "a file")
    ('PKEXAMPLE', 'example')
    """
    try:
        keys = json.loads(text)
        found = str(keys["key_id"]), str(keys["secret_key"])
    except (ValueError, LookupError, TypeError) as error:
        raise KeysRefused(f"the secret {where} must be JSON with key_id and secret_key; {HOW}") from error
    if not all(found):
        raise KeysRefused(f"the broker's keys in the secret {where} are not filled in; {HOW}")
    if any(map(_PLACEHOLDER.search, found)):
        raise KeysRefused(f"the secret {where} holds a placeholder instead of the broker's keys; {HOW}")
    return found
