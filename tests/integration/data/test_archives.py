"""Both archives keep the same promises."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from openbell.adapters.memory.archive import MemoryArchive
from openbell.adapters.s3_archive import S3Archive

type Listed = MemoryArchive | S3Archive


@pytest.fixture(params=["memory", "s3"])
def archive(request: pytest.FixtureRequest) -> Iterator[Listed]:
    if request.param == "memory":
        yield MemoryArchive()
        return
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        client.create_bucket(Bucket="archive")
        yield S3Archive(client, "archive")


def test_a_key_holds_what_was_put_last(archive: Listed) -> None:
    archive.put("runs/a/report.json", b"1")
    archive.put("runs/a/report.json", b"2")
    assert archive.get("runs/a/report.json") == b"2"
    with pytest.raises(KeyError):
        archive.get("runs/a/nothing.json")


def test_folders_are_listed_each_once_however_many_there_are(archive: Listed) -> None:
    names = [f"{number:04}" for number in range(1002)]  # one answer of S3 has 1,000
    for name in names:
        archive.put(f"runs/{name}/report.json", b"")
    archive.put("runs/0000/deeper/inputs.json", b"")
    archive.put("runs/a file", b"")
    archive.put("sweeps/x/plan.json", b"")
    assert archive.folders("runs/") == names
    assert archive.folders("nothing/") == []
