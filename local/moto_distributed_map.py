"""What moto's Distributed Map lacks (moto 5.2.5): batches, tolerated failures and files of results; see each hook.

A child execution that fails does not fail the others, as long as no more items have failed than are tolerated.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.stepfunctions.parser.api import ExecutionFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.distributed_iteration_component import (
    DistributedIterationComponent,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor.distributed_item_processor_worker import (  # noqa: E501
    DistributedItemProcessorWorker,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor.map_run_record import (
    MapRunRecord,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.job import Job, JobPool
from moto.stepfunctions.parser.asl.component.state.exec.state_map.result_writer.resource_eval.resource_eval_s3 import (
    ResourceEvalS3,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.result_writer.result_writer_decl import ResultWriter
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.program_state import ProgramEnded, ProgramStopped
from moto.stepfunctions.parser.asl.eval.states import ItemData, MapData
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
from moto.stepfunctions.parser.asl.utils.json_path import extract_json

type Hook = tuple[Any, str, Any]


@dataclass(frozen=True)
class Child:
    """How one child execution ended, spelled as in the files that Step Functions writes."""

    name: str
    status: str  # SUCCEEDED, FAILED or ABORTED
    items: int
    input: Any
    output: Any
    error: str
    cause: str
    started: datetime
    stopped: datetime

    def row(self) -> dict[str, Any]:
        """Its entry in a file of results."""
        told = {"Output": to_json_str(self.output)} if self.status == "SUCCEEDED" else {}
        failed = {"Error": self.error, "Cause": self.cause} if self.status != "SUCCEEDED" else {}
        known = {"Name": self.name, "Status": self.status, "Input": to_json_str(self.input)}
        return known | told | failed | {"StartDate": _instant(self.started), "StopDate": _instant(self.stopped)}


@dataclass
class _Ended:
    """The children of a Map run that have ended."""

    total: int  # items of the whole run
    tolerated: float  # items
    failed: int = 0  # items
    children: list[Child] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, child: Child) -> bool:
        """Whether no more items have failed than are tolerated."""
        with self.lock:
            self.children.append(child)
            self.failed += child.items if child.status == "FAILED" else 0
            return self.failed <= self.tolerated


def distributed_map_hooks() -> tuple[Hook, ...]:
    """What is replaced, by what."""
    return (
        (AmazonStateLanguageParser, "parse", staticmethod(_parse_with_batches(AmazonStateLanguageParser.parse))),
        (DistributedIterationComponent, "_map_run", _run_map),
        (DistributedItemProcessorWorker, "_eval_job", _evaluate_job),
        (DistributedItemProcessorWorker, "_eval_pool", _evaluate_pool),
        (ResultWriter, "_eval_body", _evaluate_writer),
        (ResourceEvalS3, "_handle_put_object", staticmethod(_write_results)),
    )


def _parse_with_batches(parse: Any) -> Any:
    def parse_with_batches(definition: str) -> Any:
        """Gives a Map its ItemBatcher apart from the grammar, which does not know it.

        The batcher's BatchInput is a template like an ItemSelector, and is parsed in its place.
        """
        try:
            plain = json.loads(definition)
            batchers = {
                name: state.pop("ItemBatcher") for name, state in plain["States"].items() if "ItemBatcher" in state
            }
        except (ValueError, TypeError, LookupError):
            batchers = {}  # whatever is wrong with it, the parser says it better
        if not batchers:
            return parse(definition)
        for name, batcher in batchers.items():
            if "ItemSelector" in plain["States"][name]:
                raise ValueError(f"{name}: ItemSelector beside ItemBatcher is not emulated here; use BatchInput")
            plain["States"][name]["ItemSelector"] = batcher.get("BatchInput", {})
        program, tree = parse(json.dumps(plain))
        for name, batcher in batchers.items():
            program.states.states[name].iteration_component.item_batcher = batcher
        return program, tree

    return parse_with_batches


def _run_map(self: DistributedIterationComponent, env: Environment, eval_input: Any) -> None:
    """Cuts batches, and ends when all children have, or more items failed than are tolerated."""
    items = env.stack.pop()
    record: MapRunRecord = eval_input.map_run_record
    inputs = items
    if batcher := getattr(self, "item_batcher", None):
        inputs = _batches(items, _batch_size(batcher, env), _shared(env, eval_input.item_selector))
        eval_input.item_selector = None
    tolerated = max(record.tolerated_failure_count, record.tolerated_failure_percentage / 100 * len(items))
    record.ended = _Ended(len(items), tolerated)
    record.item_counter.total.offset(len(items))
    record.execution_counter.total.offset(len(inputs))
    pool = JobPool(job_program=self._get_iteration_program(), job_inputs=inputs)
    for _ in range(min(record.max_concurrency or len(inputs), len(inputs))):
        self._launch_worker(env=env, eval_input=eval_input, job_pool=pool)
    pool.await_jobs()
    if error := pool.get_worker_exception():
        raise error
    env.stack.append([job.job_output for job in pool.get_closed_jobs() if job.job_output is not None])


def _batches(items: Sequence[Any], size: int, shared: Any) -> list[dict[str, Any]]:
    also = {"BatchInput": shared} if shared else {}
    return [{**also, "Items": items[at : at + size]} for at in range(0, len(items), size)]


def _batch_size(batcher: Mapping[str, Any], env: Environment) -> int:
    path = batcher.get("MaxItemsPerBatchPath")
    return int(extract_json(path, env.states.get_input()) if path else batcher["MaxItemsPerBatch"])


def _shared(env: Environment, template: Any) -> Any:
    frame = env.open_frame()
    frame.states.reset(input_value=env.states.get_input())
    frame.stack.append(env.states.get_input())
    template.eval(frame)
    env.close_frame(frame)
    return frame.stack[-1]


def _evaluate_job(self: DistributedItemProcessorWorker, env: Environment, job: Job) -> None:
    """Counts every item of a batch, remembers how each child ended, and stops where too many have failed."""
    record = self._map_run_record
    try:
        child = _play(self, env, job)
        for counter, number in ((record.item_counter, child.items), (record.execution_counter, 1)):
            getattr(counter, child.status.lower()).offset(number)
        tolerable = record.ended.add(child)
        job.job_output = child.output if tolerable else _too_many(env, record.ended)
    except Exception as error:
        job.job_output = error


def _play(worker: DistributedItemProcessorWorker, env: Environment, job: Job) -> Child:
    started = datetime.now(UTC)
    env.states.context_object.context_object_data["Map"] = MapData(
        Item=ItemData(Index=job.job_index, Value=job.job_input)
    )
    env.states.reset(job.job_input)
    env.stack.append(env.states.get_input())
    worker._eval_input(env_frame=env)
    given = env.states.get_input()
    job.job_program.eval(env)
    state = env.program_state()
    told = getattr(state, "error", None) or {}
    known = told if isinstance(told, dict) else {}
    status = (
        "SUCCEEDED" if isinstance(state, ProgramEnded) else "ABORTED" if isinstance(state, ProgramStopped) else "FAILED"
    )
    return Child(
        name=f"{job.job_index:05d}",
        status=status,
        items=len(job.job_input["Items"]) if isinstance(job.job_input, dict) and "Items" in job.job_input else 1,
        input=given,
        output=env.states.get_input() if status == "SUCCEEDED" else None,
        error=str(known.get("error") or ""),
        cause=str(known.get("cause") or ""),
        started=started,
        stopped=datetime.now(UTC),
    )


def _too_many(env: Environment, ended: _Ended) -> FailureEventException:
    name = "States.ExceedToleratedFailureThreshold"
    last = next(child for child in reversed(ended.children) if child.status == "FAILED")
    cause = f"more than {ended.tolerated:g} of {ended.total} items failed, the last with {last.error}: {last.cause}"
    details = EventDetails(executionFailedEventDetails=ExecutionFailedEventDetails(error=name, cause=cause))
    return FailureEventException(FailureEvent(env, CustomErrorName(name), HistoryEventType.MapRunFailed, details))


def _evaluate_pool(self: DistributedItemProcessorWorker, job: Job | None, worker_frame: Environment) -> None:
    """Iterates where stock recurses, which ends near a thousand items."""
    while job is not None:
        frame = worker_frame.open_inner_frame()
        self._eval_job(env=frame, job=job)
        worker_frame.delete_frame(frame)
        over = isinstance(job.job_output, Exception) or self.stopped()
        following = None if over else self._job_pool.next_job()
        self._job_pool.close_job(job)
        job = following


def _evaluate_writer(self: ResultWriter, env: Environment) -> None:
    """Fills in the writer's parameters from the state's input: stock takes them from the children's output."""
    env.stack[-1] = env.states.get_input()
    self.parargs.eval(env=env)
    self.resource_eval.eval_resource(env=env)


def _write_results(env: Environment, resource_runtime_part: Any, state_credentials: Any) -> None:
    """Writes what the children gave and why others failed: stock writes an empty manifest."""
    parameters = env.stack.pop()
    env.stack.pop()  # what they were filled in from
    record = env.map_run_record_pool_manager.get_all()[-1]
    bucket, run = parameters["Bucket"], record.map_run_arn.rpartition(":")[2]
    folder = f"{parameters['Prefix'].rstrip('/')}/{run}/"
    s3 = ResourceEvalS3._get_s3_client(resource_runtime_part, state_credentials)

    def write(name: str, content: Any) -> dict[str, Any]:
        body = json.dumps(content, indent=1).encode()
        s3.put_object(Bucket=bucket, Key=f"{folder}{name}.json", Body=body)
        return {"Key": f"{folder}{name}.json", "Size": len(body)}

    files: dict[str, list[Any]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    for status in ("FAILED", "SUCCEEDED"):
        if rows := [child.row() for child in record.ended.children if child.status == status]:
            files[status].append(write(f"{status}_0", rows))
    manifest = {"DestinationBucket": bucket, "MapRunArn": record.map_run_arn, "ResultFiles": files}
    key = write("manifest", manifest)["Key"]
    env.stack.append({"MapRunArn": record.map_run_arn, "ResultWriterDetails": {"Bucket": bucket, "Key": key}})


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
