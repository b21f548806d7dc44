import json

import pytest

from openbell.broker_keys import broker_keys
from openbell.errors import KeysRefused


def text(key_id: object, secret_key: object) -> str:
    return json.dumps({"key_id": key_id, "secret_key": secret_key})


def test_keys_are_read() -> None:
    assert broker_keys(text("PKAB", "s3cret/+="), "here") == ("PKAB", "s3cret/+=")


@pytest.mark.parametrize("wrong", ["", "no JSON", "[]", "null", '"PKAB"', '{"key_id": "PKAB"}'])
def test_what_is_no_object_with_both_is_told_with_its_place(wrong: str) -> None:
    with pytest.raises(KeysRefused, match=r"the secret here must be JSON with key_id and secret_key; see docs/runbook"):
        broker_keys(wrong, "here")


@pytest.mark.parametrize(("key_id", "secret_key"), [("", ""), ("PKAB", ""), ("", "s3cret")])
def test_empty_keys_are_not_filled_in(key_id: str, secret_key: str) -> None:
    with pytest.raises(KeysRefused, match="not filled in"):
        broker_keys(text(key_id, secret_key), "here")


@pytest.mark.parametrize("placeholder", ["...", "<your key>", "your key", "PKAB\n"])
def test_a_placeholder_is_not_sent_to_the_broker(placeholder: str) -> None:
    with pytest.raises(KeysRefused, match="placeholder"):
        broker_keys(text("PKAB", placeholder), "here")
    with pytest.raises(KeysRefused, match="placeholder"):
        broker_keys(text(placeholder, "s3cret"), "here")
