"""What a replay tells of two decisions that are not the same."""

import json

from openbell.replay import Difference, Replay


def differences(stored: object, recomputed: object) -> list[tuple[str, str, str]]:
    found = Replay("run", json.dumps(stored).encode(), json.dumps(recomputed).encode()).differences
    return [(one.where, one.stored, one.recomputed) for one in found]


def test_equal_bytes_are_identical() -> None:
    replay = Replay("run", b'{"a": 1}', b'{"a": 1}')
    assert replay.identical
    assert replay.differences == ()


def test_every_value_that_differs_is_told_with_its_place() -> None:
    stored = {"signals": {"momentum": [{"score": 0.5}, {"score": 1.0}]}, "plan": {"run_id": "x"}}
    recomputed = {"signals": {"momentum": [{"score": 0.25}, {"score": 1.0}]}, "plan": {"run_id": "y"}}
    assert differences(stored, recomputed) == [
        ("signals.momentum[0].score", "0.5", "0.25"),
        ("plan.run_id", '"x"', '"y"'),
    ]


def test_what_only_one_side_has_is_told() -> None:
    assert differences({"orders": ["a"], "old": 1}, {"orders": ["a", "b"]}) == [
        ("orders[1]", "nothing", '"b"'),
        ("old", "1", "nothing"),
    ]


def test_another_kind_of_value_is_a_difference() -> None:
    assert differences({"a": 1, "b": [], "c": True}, {"a": 1.0, "b": {}, "c": 1}) == [
        ("a", "1", "1.0"),
        ("b", "[]", "{}"),
        ("c", "true", "1"),
    ]


def test_equal_values_in_another_spelling_are_told_by_the_first_byte() -> None:
    (found,) = Replay("run", b'{"a": 1, "b": 2}', b'{"b": 2, "a": 1}').differences
    assert found == Difference("byte 2", 'a": 1, "b": 2}', 'b": 2, "a": 1}')


def test_a_file_that_was_cut_off_is_told_by_where_it_ends() -> None:
    (found,) = Replay("run", b'{"a": ', b'{"a": 1}').differences
    assert found == Difference("byte 6", "", "1}")
