"""What a web page that a person happens to visit, or a stranger on this machine, can do to the local cloud: nothing."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest
import requests
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from local import LocalCloud
from local.account import REGION
from local.door import MAX_BODY_BYTES
from local.runtime_api import Event, RuntimeApi

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Inbox:
    Type: AWS::SQS::Queue
Outputs:
  Inbox:
    Value: !Ref Inbox
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    folder: Path = tmp_path_factory.mktemp("door")
    (folder / "template.yaml").write_text(TEMPLATE)
    with LocalCloud(template=folder / "template.yaml") as cloud:
        yield cloud


def signed(cloud: LocalCloud) -> dict[str, str]:
    """The headers of a request that is let in."""
    scope = f"AWS4-HMAC-SHA256 Credential={cloud.access_key}/20220615/{REGION}/sqs/aws4_request"
    return {
        "Authorization": f"{scope}, SignedHeaders=host, Signature=0",
        "X-Amz-Target": "AmazonSQS.ListQueues",
        "Content-Type": "application/x-amz-json-1.0",
    }


def test_the_clouds_own_clients_are_let_in_and_no_answer_can_be_read_by_a_page(cloud: LocalCloud) -> None:
    answer = requests.post(cloud.endpoint_url, data="{}", headers=signed(cloud), timeout=5)
    (queue,) = answer.json()["QueueUrls"]
    assert queue.endswith(cloud.outputs["Inbox"].rpartition("/")[2])
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_a_page_reads_nothing_whatever_it_knows(cloud: LocalCloud) -> None:
    headers = {**signed(cloud), "Origin": "https://evil.example"}
    assert requests.post(cloud.endpoint_url, data="{}", headers=headers, timeout=5).status_code == 403


def test_a_preflight_is_refused(cloud: LocalCloud) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = requests.options(cloud.endpoint_url, headers=asked, timeout=5)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost:1", "127.0.0.1.evil.example:{port}"])
def test_a_name_that_was_rebound_to_this_machine_is_refused(cloud: LocalCloud, host: str) -> None:
    headers = {**signed(cloud), "Host": host.format(port=urlsplit(cloud.endpoint_url).port)}
    assert requests.post(cloud.endpoint_url, data="{}", headers=headers, timeout=5).status_code == 400


@pytest.mark.parametrize("path", ["/", "/moto-api/", "/moto-api/data.json", "/moto-api/reset", "/static/x"])
def test_without_the_key_there_is_nothing_to_see_and_nothing_to_change(cloud: LocalCloud, path: str) -> None:
    assert requests.get(f"{cloud.endpoint_url}{path}", timeout=5).status_code == 403
    form = {"Action": "PurgeQueue", "QueueUrl": cloud.outputs["Inbox"]}
    assert requests.post(f"{cloud.endpoint_url}{path}", data=form, timeout=5).status_code == 403


def test_the_key_of_another_start_is_refused(cloud: LocalCloud) -> None:
    client = boto3.client(
        "sqs",
        endpoint_url=cloud.endpoint_url,
        region_name=REGION,
        aws_access_key_id="LOCAL" + "0" * 40,
        aws_secret_access_key="any",
    )
    with pytest.raises((ClientError, ResponseParserError)):
        client.list_queues()


@pytest.mark.parametrize(("length", "status"), [("-1", 400), ("²", 400), ("x", 400), (str(MAX_BODY_BYTES + 1), 413)])
def test_a_body_without_a_sane_length_is_refused(cloud: LocalCloud, length: str, status: int) -> None:
    parts = urlsplit(cloud.endpoint_url)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
        head = "".join(f"{name}: {value}\r\n" for name, value in signed(cloud).items())
        text = f"POST / HTTP/1.1\r\nHost: {parts.netloc}\r\n{head}Content-Length: {length}\r\n\r\n{{}}"
        connection.sendall(text.encode())
        assert connection.recv(1024).split()[1] == str(status).encode()


def test_a_worker_is_fed_by_its_own_token_alone() -> None:
    api = RuntimeApi()
    try:
        api.offer(Event("1", "arn", b"{}", 3.0))
        host, token = api.address.split("/")
        strange: list[tuple[str, dict[str, str]]] = [(f"http://{host}", {}), (f"http://{host}/guess", {})]
        strange += [(f"http://{host}/{token}", {"Origin": "https://evil.example"})]
        strange += [(f"http://{host}/{token}", {"Host": "evil.example"})]
        for url, headers in strange:
            took = requests.get(f"{url}/2018-06-01/runtime/invocation/next", headers=headers, timeout=5)
            gave = requests.post(
                f"{url}/2018-06-01/runtime/invocation/1/response", data="1", headers=headers, timeout=5
            )
            assert (took.status_code, gave.status_code) == (404, 404)
        answer = requests.get(f"http://{api.address}/2018-06-01/runtime/invocation/next", timeout=5)
        assert json.loads(answer.content) == {}
        assert [api.messages.get_nowait().kind for _ in range(2)] == ["ready", "taken"]
        assert api.messages.empty()
    finally:
        api.close()
