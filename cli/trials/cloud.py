"""Trials in Lambdas: put into the archive, fanned out by statemachine/sweep.asl.json, followed, and read back.

The same on AWS as in the local cloud. What was played is in the archive at once, so that a sweep may go on later.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from lab.membership import Membership
from lab.trials import Trial, TrialResult
from lab.trials.bars import pack_history, pack_membership
from lab.trials.batch import Item, Plan, bars_key, folder_of, members_key, plan_key
from lab.trials.running import OnTrials
from openbell.codec import from_json, to_json, to_plain
from openbell.errors import InvalidInput, OpenbellError, message_of
from paper import History

_LARGEST_BATCH = 25  # trials that are lost at once if the function dies, and are tried again one by one
_TOLERATED_PCT = 20.0  # of the trials, lost with their function; more is no accident
_READERS = 8  # results fetched at the same time


class SweepFailed(OpenbellError):
    """The execution of a sweep did not succeed."""


class Services(Protocol):
    """A deployed stack: on AWS, or in a local cloud."""

    @property
    def outputs(self) -> Mapping[str, str]:
        """The stack's outputs."""

    def client(self, service: str) -> Any:
        """The boto3 client of a service."""


@dataclass(frozen=True)
class Pace:
    """How much at once, and how often somebody looks."""

    concurrency: int  # Lambdas
    poll_s: float


class CloudRunner:
    """A `lab.trials.RunTrials` by way of Lambdas. Results come back in the order of the trials.

    Raises SweepFailed if the execution fails as a whole; a trial whose function died has that as its error.
    """

    def __init__(self, services: Services, name: str, pace: Pace, on_trials: OnTrials | None = None) -> None:
        self._s3 = services.client("s3")
        self._workflow = services.client("stepfunctions")
        self._bucket = services.outputs["BucketName"]
        self._machine = services.outputs["SweepMachineArn"]
        self.name = name
        self._pace = pace
        self._on_trials = on_trials or (lambda *_: None)
        self._numbered = 0
        self._executions = 0

    def prepare(self, plan: Plan, history: History, members: Membership | None, *, resumed: bool) -> None:
        """Store what all trials need. InvalidInput if a sweep that is to go on was begun with something else."""
        content = to_json(plan)
        if resumed:
            self._check_same(content)
            return
        self._put(bars_key(self.name), pack_history(history))
        if members:
            self._put(members_key(self.name), pack_membership(members))
        self._put(plan_key(self.name), content)  # last: a sweep with a plan can go on

    def _check_same(self, content: bytes) -> None:
        try:
            found = self._get(plan_key(self.name))
        except self._s3.exceptions.NoSuchKey as error:
            raise InvalidInput(f"--resume {self.name}: there is no such sweep in the stack's archive") from error
        if found != content:
            raise InvalidInput(
                f"--resume {self.name}: it was begun with another grid, other dates, bars, costs or another "
                "configuration; give the same as then, or start a new sweep"
            )

    def __call__(self, trials: Sequence[Trial]) -> list[TrialResult]:
        """The result of each trial, in their order."""
        items = [Item(self._numbered + at, trial) for at, trial in enumerate(trials)]
        self._numbered += len(items)
        lost = self._send(items, self._batch_size(len(items)), _TOLERATED_PCT)
        lost |= self._send(items, 1, 100.0) if lost else {}  # each alone, so that only the one that kills is lost
        found = self._results(items)
        nothing = "its Lambda gave neither a result nor a reason"
        return [
            found.get(item.number) or TrialResult(item.trial, None, lost.get(item.number, nothing)) for item in items
        ]

    def _batch_size(self, trials: int) -> int:
        return max(1, min(_LARGEST_BATCH, trials // (4 * self._pace.concurrency)))

    def _send(self, items: Sequence[Item], batch_size: int, tolerated_pct: float) -> dict[int, str]:
        """Have those of `items` played that have no result; why others have none still, by number."""
        stored = self._stored()
        left = [item for item in items if item.number not in stored]
        if not left:
            return {}
        self._executions += 1
        folder, part = folder_of(self.name), f"{self._executions}-{int(time.time())}"
        self._put(f"{folder}items-{part}.json", json.dumps(to_plain(left)).encode())
        given = {
            "sweep": self.name,
            "items_key": f"{folder}items-{part}.json",
            "batches_prefix": f"{folder}batches-{part}",
            "batch_size": batch_size,
            "concurrency": self._pace.concurrency,
            "tolerated_pct": tolerated_pct,
        }
        started = self._workflow.start_execution(
            stateMachineArn=self._machine, name=f"{self.name}-{part}", input=json.dumps(given)
        )
        return dict(self._lost(self._follow(started["executionArn"], items)))

    def _follow(self, arn: str, items: Sequence[Item]) -> dict[str, Any]:
        """The output of the execution, once it has ended; it is stopped if nobody wants to wait for it any more."""
        try:
            while (found := self._workflow.describe_execution(executionArn=arn))["status"] == "RUNNING":
                self._tell(items)
                time.sleep(self._pace.poll_s)
        except KeyboardInterrupt:
            self._workflow.stop_execution(executionArn=arn, cause="the person who started it stopped it")
            raise
        self._tell(items)
        if found["status"] != "SUCCEEDED":
            cause = message_of(found.get("cause") or "it gave no cause")
            raise SweepFailed(f"sweep {self.name}: {found.get('error') or found['status']}: {cause}")
        output: dict[str, Any] = json.loads(found["output"])
        return output

    def _tell(self, items: Sequence[Item]) -> None:
        stored, wanted = self._stored(), {item.number for item in items}
        ended = [key for number, key in stored.items() if number in wanted]
        self._on_trials(len(ended), sum("/failures/" in key for key in ended), len(items))

    def _lost(self, output: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
        """Numbers of the items in batches that failed, with their batch's error."""
        manifest = json.loads(self._get(output["ResultWriterDetails"]["Key"]))
        for file in manifest["ResultFiles"]["FAILED"]:
            for batch in json.loads(self._get(file["Key"])):
                reason = f"{batch.get('Error', '')}: {message_of(batch.get('Cause', ''))}"
                yield from ((item["number"], reason) for item in json.loads(batch["Input"])["Items"])

    def _stored(self) -> dict[int, str]:
        """The keys of all results, by the trial's number."""
        found: dict[int, str] = {}
        for folder in ("trials/", "failures/"):
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=f"{folder_of(self.name)}{folder}"
            )
            keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
            found |= {int(key.rpartition("/")[2].removesuffix(".json")): key for key in keys}
        return found

    def _results(self, items: Sequence[Item]) -> dict[int, TrialResult]:
        stored = self._stored()
        numbers = [item.number for item in items if item.number in stored]
        with ThreadPoolExecutor(_READERS) as readers:
            contents = readers.map(lambda number: self._get(stored[number]), numbers)
            return {number: from_json(TrialResult, content) for number, content in zip(numbers, contents, strict=True)}

    def _put(self, key: str, content: bytes) -> None:
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=content)

    def _get(self, key: str) -> bytes:
        content: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return content
