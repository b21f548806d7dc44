"""Opening and closing: one at a time, nothing reachable from outside, and nothing left behind."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from local import Alert, InternalError, LocalCloud
from tests.integration.local.processes import children, is_running, listening_addresses
from tests.integration.local.running import FIXTURE, eventually

LONE = FIXTURE / "lone.yaml"
LOOPBACK = "0100007F"  # 127.0.0.1 as the kernel writes it


class Interrupted(Exception):
    """What a test raises in the block."""


def invoke(cloud: LocalCloud, kind: str = "RequestResponse", **event: object) -> bytes:
    answer = cloud.client("lambda").invoke(
        FunctionName=cloud.outputs["FunctionName"], InvocationType=kind, Payload=json.dumps(event)
    )
    return bytes(answer["Payload"].read())


def publish(cloud: LocalCloud) -> None:
    cloud.client("sns").publish(TopicArn=cloud.outputs["TopicArn"], Message="hear")


def use_and_raise(use: Callable[[LocalCloud], object], on_alert: Callable[[Alert], None] | None = None) -> None:
    with LocalCloud(template=LONE, on_alert=on_alert) as cloud:
        use(cloud)
        raise Interrupted


def threads() -> set[threading.Thread]:
    return set(threading.enumerate())


def assert_left(expected: tuple[frozenset[int], set[threading.Thread]]) -> None:
    """These processes and threads, and no other; the server's last connections may take a moment to end."""
    assert children() == expected[0]
    eventually(threads, lambda found: found == expected[1])


def test_nothing_listens_beyond_this_machine() -> None:
    with LocalCloud(template=LONE) as cloud:
        invoke(cloud, trouble="none")
        addresses = [listening_addresses(pid) for pid in (os.getpid(), *children())]
        assert set().union(*addresses) == {LOOPBACK}
        assert cloud.endpoint_url.startswith("http://127.0.0.1:")


def test_on_leaving_no_process_and_no_thread_is_left() -> None:
    before = children(), threads()
    with LocalCloud(template=LONE) as cloud:
        invoke(cloud, trouble="none")
        assert children() > before[0]
    assert_left(before)


def test_on_an_exception_in_the_block_nothing_is_left_either_and_it_goes_on() -> None:
    before = children(), threads()
    with pytest.raises(Interrupted):
        use_and_raise(lambda cloud: invoke(cloud, trouble="none"))
    assert_left(before)


def test_leaving_does_not_wait_for_a_handler_that_still_works() -> None:
    before = children(), threads()
    with LocalCloud(template=LONE) as cloud:
        invoke(cloud, "Event", trouble="sleep", seconds=25)
        eventually(lambda: cloud.logs("TroubledFunction"))
        begun = time.monotonic()
    assert time.monotonic() - begun < 10
    assert_left(before)


def test_what_a_handler_started_is_gone_too() -> None:
    with LocalCloud(template=LONE) as cloud:
        child = json.loads(invoke(cloud, trouble="child"))["child"]
        assert is_running(child)
    eventually(lambda: not is_running(child))


def test_workers_die_with_a_process_that_is_killed() -> None:
    program = (
        "import json, os, signal, sys\n"
        "from pathlib import Path\n"
        "from local import LocalCloud\n"
        "with LocalCloud(template=Path(sys.argv[1])) as cloud:\n"
        "    name, event = cloud.outputs['FunctionName'], json.dumps({'trouble': 'pid'})\n"
        "    print(cloud.client('lambda').invoke(FunctionName=name, Payload=event)['Payload'].read().decode())\n"
        "    sys.stdout.flush()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(LONE)], stdout=subprocess.PIPE, check=False)
    worker = json.loads(ended.stdout)["pid"]
    eventually(lambda: not is_running(worker))


def test_no_temporary_file_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with LocalCloud(template=LONE) as cloud:
        invoke(cloud, trouble="none")
        assert list(tmp_path.iterdir()) != []
    assert list(tmp_path.iterdir()) == []


def test_artefacts_of_an_earlier_time_are_not_used_again(tmp_path: Path) -> None:
    stale = tmp_path / "artefacts" / "TroubledFunction" / "stale.py"
    stale.parent.mkdir(parents=True)
    stale.touch()
    (tmp_path / "mine").touch()
    with LocalCloud(template=LONE, work=tmp_path):
        assert not stale.exists()
        assert (stale.parent / "app.py").exists()
    assert (tmp_path / "mine").exists()


def test_a_second_cloud_in_the_same_process_is_refused_and_the_first_goes_on() -> None:
    with LocalCloud(template=LONE) as first:
        with pytest.raises(RuntimeError, match="already open in this process"), LocalCloud(template=LONE):
            pass
        assert json.loads(invoke(first, trouble="none")) == {"trouble": "none"}


def test_each_cloud_is_empty_at_first() -> None:
    for _ in range(2):
        with LocalCloud(template=LONE) as cloud:
            assert cloud.invocations == cloud.metrics == cloud.logs("TroubledFunction") == ()
            assert len(cloud.client("sns").list_topics()["Topics"]) == 1
            invoke(cloud, trouble="none")


def broken(error: Exception) -> Callable[[Alert], None]:
    def hook(_: Alert) -> None:
        raise error

    return hook


def test_what_broke_inside_is_told_on_leaving() -> None:
    with (
        pytest.raises(InternalError, match=r"the local cloud broke:\non_alert: (?s:.*)ValueError: no ears"),
        LocalCloud(template=LONE, on_alert=broken(ValueError("no ears"))) as cloud,
    ):
        publish(cloud)


def test_what_broke_inside_does_not_hide_the_exception_of_the_block() -> None:
    with pytest.raises(Interrupted) as raised:
        use_and_raise(publish, on_alert=broken(ValueError("no ears")))
    assert "ValueError: no ears" in raised.value.__notes__[0]


def test_without_a_hook_a_wait_waits(tmp_path: Path) -> None:
    definition = {"StartAt": "Pause", "States": {"Pause": {"Type": "Wait", "Seconds": 1, "End": True}}}
    machine = {"Role": "arn:aws:iam::123456789012:role/r", "Definition": definition}
    resources = {"Machine": {"Type": "AWS::Serverless::StateMachine", "Properties": machine}}
    template = {"Transform": "AWS::Serverless-2016-10-31", "Resources": resources}
    (tmp_path / "template.yaml").write_text(json.dumps(template))
    with LocalCloud(template=tmp_path / "template.yaml") as cloud:
        sfn = cloud.client("stepfunctions")
        arn = sfn.start_execution(stateMachineArn=cloud.physical_id("Machine"))["executionArn"]
        ended = eventually(lambda: sfn.describe_execution(executionArn=arn), lambda found: found["status"] != "RUNNING")
    assert ended["status"] == "SUCCEEDED"
    assert (ended["stopDate"] - ended["startDate"]).total_seconds() >= 0.9
