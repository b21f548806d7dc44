"""What moto's Step Functions interpreter does differently here than stock (moto 5.2.5); each hook says why."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError
from moto.awslambda.exceptions import LambdaClientError
from moto.core.config import default_user_config
from moto.core.responses import ActionResult
from moto.stepfunctions.parser import models as parser_models
from moto.stepfunctions.parser.api import (
    ExecutionAbortedEventDetails,
    ExecutionStatus,
    ExecutionTimedOutEventDetails,
    HistoryEventType,
)
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.iteration_worker import IterationWorker
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import StateTaskService
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped, ProgramTimedOut
from moto.stepfunctions.parser.asl.utils import boto_client
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.parser.utils import TMP_THREADS
from moto.stepfunctions.responses import StepFunctionResponse, get_backend

from local.account import ACCOUNT_ID, REGION, Clients
from local.failures import Failures
from local.functions import Closed, TooManyRequests
from local.moto_distributed_map import distributed_map_hooks
from local.patching import replaced, replaced_item
from local.workers import Outcome

_LOOK_SECONDS = 0.05  # how late a stop or a time-out of an execution may be noticed


@dataclass(frozen=True)
class Hooks:
    """What the interpreter is given instead of its own ways."""

    invoke: Callable[[str, bytes], Outcome]  # a function by name or ARN, without a way through HTTP
    clients: Clients  # for the other services
    wait: Callable[[float], None] | None  # in Wait states; None waits for real
    retry_scale: float  # times each interval of a Retry
    on_change: Callable[[Execution], None]  # called when an execution's status has changed
    follow: Callable[[Execution, EventManager], AbstractContextManager[None]]  # entered while an execution runs
    closing: threading.Event  # set when nobody may wait any more
    failures: Failures


@contextmanager
def interpreter_is_hooked(hooks: Hooks) -> Iterator[None]:
    """State machines are executed, and as `hooks` say, inside the block."""
    with ExitStack() as stack:
        stack.enter_context(replaced_item(default_user_config, "stepfunctions", {"execute_state_machine": True}))
        replacements = (*_execution_hooks(hooks), *_program_hooks(hooks), *_task_hooks(hooks), *distributed_map_hooks())
        for target, name, value in replacements:
            stack.enter_context(replaced(target, name, value))
        yield


def stop_executions() -> None:
    """Stop every execution that is running."""
    for machine in get_backend(ACCOUNT_ID, REGION).state_machines:
        for execution in machine.executions:
            if execution.exec_worker and execution.exec_worker.env and execution.exec_status is ExecutionStatus.RUNNING:
                execution.stop(stop_date=datetime.now(UTC), error="LocalCloud.Closed", cause="")


def await_threads(patience_s: float) -> tuple[str, ...]:
    """Wait for the interpreter's threads; the names of those that are still there after `patience_s` seconds."""
    deadline = time.monotonic() + patience_s
    for thread in TMP_THREADS:
        thread.join(max(0.0, deadline - time.monotonic()))
    left = tuple(thread.name for thread in TMP_THREADS if thread.is_alive())
    TMP_THREADS.clear()
    return left


def _forget_ended_threads() -> None:
    """Stock keeps every thread for ever, and with it all that the thread has seen."""
    for thread in tuple(TMP_THREADS):
        if not thread.is_alive() and thread.ident:
            TMP_THREADS.remove(thread)


type _Hook = tuple[Any, str, Any]


def _execution_hooks(hooks: Hooks) -> tuple[_Hook, ...]:
    start = parser_models.StepFunctionsParserBackend.start_execution
    details = Execution.get_start_execution_details
    describe = StepFunctionResponse.describe_execution

    def start_execution(self: Any, state_machine_arn: str, name: str | None = None, *rest: Any, **options: Any) -> Any:
        """An execution without a name gets one: stock names it None."""
        execution = start(self, state_machine_arn, name or str(uuid.uuid4()), *rest, **options)
        hooks.on_change(execution)
        return execution

    def start_details(self: Execution) -> Any:
        """$$.Execution.StartTime is a text: stock has a datetime there."""
        made = details(self)
        made.start_time = f"{self.start_date:%Y-%m-%dT%H:%M:%S}.{self.start_date.microsecond // 1000:03d}Z"
        return made

    def terminated(self: BaseExecutionWorkerCommunication) -> None:
        """Tells the end, and makes a datetime in the output a text: stock cannot describe such an execution."""
        self._reflect_execution_status()
        execution = self.execution
        execution.output = json.loads(to_json_str(execution.output))
        state = execution.exec_worker.env.program_state()
        if isinstance(state, ProgramStopped):
            execution.error, execution.cause = state.error, state.cause
        _forget_ended_threads()
        hooks.on_change(execution)

    def describe_execution(self: StepFunctionResponse) -> ActionResult:
        """Gives the end of an execution that timed out too."""
        answer = describe(self)
        execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        if execution.stop_date:
            answer.result["stopDate"] = execution.stop_date
        return answer

    def stop_execution(self: StepFunctionResponse) -> ActionResult:
        """Keeps the error and cause that the caller gives, and works on an execution that has only just begun."""
        execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        now = datetime.now(UTC)
        while execution.exec_worker.env is None:
            time.sleep(0.005)
        execution.stop(stop_date=now, error=self._get_param("error"), cause=self._get_param("cause"))
        return ActionResult({"stopDate": now})

    return (
        (parser_models.StepFunctionsParserBackend, "start_execution", start_execution),
        (Execution, "get_start_execution_details", start_details),
        (BaseExecutionWorkerCommunication, "terminated", terminated),
        (StepFunctionResponse, "describe_execution", describe_execution),
        (StepFunctionResponse, "stop_execution", stop_execution),
    )


def _program_hooks(hooks: Hooks) -> tuple[_Hook, ...]:
    evaluate = Program.eval

    def evaluate_program(self: Program, env: Environment) -> None:
        """The program of an execution; that of a Map's items is evaluated as stock does it."""
        if env.is_frame():
            evaluate(self, env)
            return
        with hooks.follow(_execution_of(env), env.event_manager):
            _evaluate_watched(self, env)

    def evaluate_pool(self: IterationWorker, job: Any, worker_frame: Environment) -> None:
        """Iterates where stock recurses (near 990 items that hangs), and a failed item stops the others."""
        while job is not None:
            job_frame = worker_frame.open_inner_frame()
            self._eval_job(env=job_frame, job=job)
            worker_frame.close_frame(job_frame)
            failed = isinstance(job.job_output, Exception)
            following = None if failed or self.stopped() else self._job_pool.next_job()
            if following is None:
                if not failed:
                    worker_frame.event_history_context.source_event_id = (
                        job_frame.event_history_context.last_published_event_id
                    )
                self._env.close_frame(worker_frame)
                self._job_pool.close_job(job)
                if failed:
                    _stop_frames(self._env)
                return
            self._job_pool.close_job(job)
            job = following
        self._env.close_frame(worker_frame)

    set_error = Environment.set_error

    def set_error_unless_over(self: Environment, error: Any) -> None:
        """A stop or a time-out is final: stock lets a task that fails a moment later make FAILED of it."""
        if self.is_frame() or not isinstance(self._program_state, ProgramStopped | ProgramTimedOut):
            set_error(self, error)

    return (
        (Program, "eval", evaluate_program),
        (IterationWorker, "_eval_pool", evaluate_pool),
        (Environment, "set_error", set_error_unless_over),
    )


def _evaluate_watched(program: Program, env: Environment) -> None:
    """A stop or a time-out ends the execution at once, as on AWS: stock waits until the state has ended."""
    env.next_state_name = program.start_at.start_at_name
    worker = threading.Thread(target=EvalComponent.eval, args=(program, env), name="execution", daemon=True)
    TMP_THREADS.append(worker)
    worker.start()
    _watch(worker, env, program.timeout_seconds.timeout_seconds if program.timeout_seconds else None)
    state = env.program_state()
    if isinstance(state, ProgramStopped | ProgramTimedOut):
        _end_history(env, state)
    else:
        worker.join()


def _execution_of(env: Environment) -> Execution:
    arn = env.states.context_object.context_object_data["Execution"]["Id"]
    return get_backend(ACCOUNT_ID, REGION).describe_execution(arn)


def _watch(worker: threading.Thread, env: Environment, timeout_s: float | None) -> None:
    """Return when the program has ended, was stopped, or has used up its time."""
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    while worker.is_alive() and env.is_running():
        if deadline is not None and time.monotonic() >= deadline:
            env.set_timed_out()
            return
        worker.join(_LOOK_SECONDS)


def _end_history(env: Environment, state: ProgramStopped | ProgramTimedOut) -> None:
    """The last event; what threads still say that have not noticed the end is no longer written down."""
    manager = env.event_manager
    if isinstance(state, ProgramStopped):
        kind = HistoryEventType.ExecutionAborted
        aborted = ExecutionAbortedEventDetails(error=state.error, cause=state.cause)
        told = EventDetails(executionAbortedEventDetails=aborted)
    else:
        kind = HistoryEventType.ExecutionTimedOut
        told = EventDetails(executionTimedOutEventDetails=ExecutionTimedOutEventDetails())
    last = manager.add_event(context=env.event_history_context, event_type=kind, event_details=told)
    manager.add_event = lambda *_, **__: last


def _stop_frames(env: Environment) -> None:
    for frame in tuple(env._frames):
        frame.set_stop(stop_date=datetime.now(UTC), cause=None, error=None)


def _task_hooks(hooks: Hooks) -> tuple[_Hook, ...]:  # noqa: C901 a closure for each hook
    after = StateTaskService._after_eval_execution

    def invoke_function(parameters: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Invokes in this process: stock goes through HTTP, which costs more than the handler."""
        try:
            outcome = hooks.invoke(parameters["FunctionName"], parameters.get("Payload") or b"{}")
        except TooManyRequests as error:
            raise _client_error("TooManyRequestsException", 429, str(error)) from error
        except (Closed, LambdaClientError):
            raise
        except Exception as error:
            hooks.failures.add(f"invocation of {parameters['FunctionName']}", error)
            raise
        payload = json.loads(outcome.payload)
        answer = {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": payload}
        return answer | ({"FunctionError": "Unhandled"} if outcome.error_type else {})

    def after_execution(self: StateTaskService, env: Environment, **rest: Any) -> None:
        """A task that is finished after its state was given up is not written down."""
        if env.is_running():
            after(self, env=env, **rest)

    def wait_interval(self: WaitFunction, env: Environment, wait_seconds: float) -> None:  # noqa: ARG001
        if wait_seconds > 0 and hooks.wait:
            hooks.wait(wait_seconds)

    def client(service_name: str, **_: Any) -> Any:
        """One client for all tasks and at our port: stock makes one for each task, at a port from the environment."""
        return hooks.clients.get(service_name)

    def sleep(seconds: float) -> None:
        hooks.closing.wait(seconds * hooks.retry_scale)

    def name_error(self: CustomErrorName, error_name: str) -> None:
        """A failed item, or a Fail with ErrorPath, passes on the interpreter's own errors: stock raises ValueError."""
        ErrorName.__init__(self, error_name=error_name)

    waiting = ((WaitFunction, "_wait_interval", wait_interval),) if hooks.wait else ()
    return (
        (lambda_eval_utils, "_invoke_lambda_function", invoke_function),
        (StateTaskService, "_after_eval_execution", after_execution),
        (CustomErrorName, "__init__", name_error),
        (boto_client, "boto3", SimpleNamespace(client=client)),
        (retrier_decl, "time", SimpleNamespace(sleep=sleep)),
        *waiting,
    )


def _client_error(code: str, status: int, message: str) -> ClientError:
    answer = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": str(uuid.uuid4())},
    }
    return ClientError(answer, "Invoke")
