"""The local cloud: a SAM template deployed and running in this process, without AWS and without Docker."""

import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, nullcontext
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import local.release_makers
import local.resource_makers  # noqa: F401 both register types
from local.account import ACCOUNT_ID, REGION, Clients
from local.alerts import Alert, publications_are_told
from local.artefacts import Artefacts
from local.deploy import Stack, deploy
from local.door import new_token
from local.events import put_event, rules_deliver, status_change
from local.executions import ExecutionChange, Watch, was_started
from local.failures import Failures, InternalError, LocalCloudError
from local.functions import Functions, Invocation
from local.keeping import Keeper
from local.kept_state import KeptState
from local.log_shipper import LogShipper, Metric
from local.meter import Meter
from local.moto_cloudwatch import metric_queries_are_answered
from local.moto_dynamodb import transactions_are_local
from local.moto_lambda import describe, find_function, invocations_reach
from local.moto_releases import releases_are_kept
from local.moto_resources import resources_are_made
from local.moto_step_functions import Hooks, await_threads, interpreter_is_hooked, stop_executions
from local.scheduler import Schedule, deployed_schedules, fire
from local.server import moto_server
from local.workers import Outcome, Runtime

if TYPE_CHECKING:
    from moto.stepfunctions.parser.backend.execution import Execution

_PATIENCE_S = 5.0  # how long the interpreter's threads may take to notice the end


class LocalCloud:
    """A context manager: everything is made on entering, and nothing is left, no process and no thread, on leaving.

    One at a time in a process. It raises DeployError on entering if the template cannot be made as it is written, and
    InternalError on leaving if the emulation broke meanwhile.
    """

    account_id = ACCOUNT_ID
    region = REGION

    def __init__(  # noqa: PLR0913 each is a choice of the caller's, and all but one have a default
        self,
        *,
        template: Path,
        parameters: Mapping[str, str] | None = None,
        work: Path | None = None,
        wait: Callable[[float], None] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_alert: Callable[[Alert], None] | None = None,
        concurrency: Mapping[str, int] | None = None,
        retry_scale: float = 1.0,
        layer_files: Mapping[str, Path] | None = None,
        bundles: Path | None = None,
        stack_name: str = "openbell",
        port: int = 0,
        state: Path | None = None,
        on_execution: Callable[[ExecutionChange], None] | None = None,
        on_unattended: Callable[[str, bool], None] | None = None,
    ) -> None:
        """Describe the cloud.

        Args:
            template: the SAM template; its local paths are relative to its folder.
            parameters: of the template, where not the defaults.
            work: where artefacts are built, in a folder of its own that is emptied first; None is a temporary one.
            wait: called with the seconds of a Wait state instead of waiting; the clock may move in it.
            clock: says the moment (zone-aware) that schedules are due at, and that CloudWatch's metrics are of.
            on_alert: called with every message published to any topic, in the thread of the publisher.
            concurrency: most worker processes by function (name in the template); further invocations queue.
            retry_scale: times the intervals of Retry; 0 retries at once.
            layer_files: put into the python/ folder of every layer, by path in it, over what the layer has there.
            bundles: folder of built bundles by name in the template, with the runtime's packages in `../runtime`; then
                workers see nothing of this project's environment.
            stack_name: of the CloudFormation stack.
            port: of 127.0.0.1 that every service listens on; 0 takes a free one.
            state: folder that items, objects and histories of executions are kept in, also when this process is killed:
                the next cloud with the same folder, template and stack name has them again. One cloud at a time.
            on_execution: called with every change of every execution, in the thread that noticed it.
            on_unattended: called with the id of an asynchronous invocation and True when it begins, False when it ends.
        """
        self._template = template
        self._parameters = parameters or {}
        self._deployments = 1
        self._work = work
        self._wait = wait
        self._clock = clock
        self._on_alert = on_alert
        self._concurrency = concurrency or {}
        self._retry_scale = retry_scale
        self._layer_files = layer_files or {}
        self._bundles = bundles
        self._stack_name = stack_name
        self._port = port
        self._on_execution = on_execution
        self._on_unattended = on_unattended or (lambda *_: None)
        self._watch = Watch(self._hear)
        self._failures = Failures()
        self._keeper = Keeper(self._failures)
        self._kept = KeptState(state, self._keeper) if state else None
        self._closing = threading.Event()
        self._meter = Meter(clock)
        self._shipper = LogShipper(self._meter)
        self._cleanup = ExitStack()
        self._artefacts: Artefacts
        self._build: Path
        self._clients: Clients
        self._functions: Functions
        self._stack: Stack
        self._aborted: tuple[Execution, ...]
        self.access_key = new_token()  # what every request to it must be signed with
        self.endpoint_url: str
        self.alerts: list[Alert]

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._open(stack)
            self._cleanup = stack.pop_all()
        return self

    def _open(self, stack: ExitStack) -> None:
        stack.callback(self._keeper.close)
        self.endpoint_url = stack.enter_context(
            moto_server(self._failures, self._keeper.before, self.access_key, self._port)
        )
        self._clients = Clients(self.endpoint_url, self.access_key)
        stack.callback(self._clients.close)
        lenient = Clients(self.endpoint_url, self.access_key, lenient=True)
        stack.callback(lenient.close)
        self._build = self._build_folder(stack)
        artefacts = self._artefacts = Artefacts(self._template.parent, self._build, self._bundles, self._layer_files)
        self._functions = Functions(self._runtime(), self._shipper, self._meter, self._concurrency, self._closing)
        hooks = Hooks(
            invoke=lambda name, event: self._invoke(name, event, artefacts),
            clients=lenient,
            wait=self._wait,
            retry_scale=self._retry_scale,
            on_change=self._notice,
            follow=self._kept.executions.following if self._kept else lambda *_: nullcontext(),
            closing=self._closing,
            failures=self._failures,
        )
        stack.enter_context(releases_are_kept())
        stack.enter_context(resources_are_made(self._clients))
        stack.enter_context(transactions_are_local())
        stack.enter_context(metric_queries_are_answered())
        stack.enter_context(
            invocations_reach(self._functions, artefacts.folder_of, self._failures, self._on_unattended)
        )
        stack.enter_context(rules_deliver(self._clients, self._failures))
        self.alerts = stack.enter_context(publications_are_told(self._on_alert, self._failures))
        stack.enter_context(interpreter_is_hooked(hooks))
        stack.callback(self._wind_down)
        self._stack = deploy(
            self._template, self._parameters, artefacts, self._clients, self._stack_name, self._failures
        )
        self._aborted = self._kept.restore(self._stack, self._clients) if self._kept else ()

    def deploy(self, template: Path | None = None, parameters: Mapping[str, str] | None = None) -> None:
        """Deploy once more over what is there, as a second `sam deploy` does; executions go on meanwhile.

        `template` takes the place of the one before, and `parameters` come on top of the stack's. DeployError if it
        cannot be made: then everything is as it was.
        """
        self._deployments += 1
        template, given = template or self._template, self._present_parameters() | dict(parameters or {})
        artefacts = self._artefacts.of_another(template.parent, self._build / f"deployment-{self._deployments}")
        self._stack = deploy(template, given, artefacts, self._clients, self._stack_name, self._failures)
        self._template = template
        self.__dict__.pop("schedules", None)  # they may have changed

    def _present_parameters(self) -> dict[str, str]:
        """The stack's, which somebody may have changed through the API."""
        (stack,) = self.client("cloudformation").describe_stacks(StackName=self._stack_name)["Stacks"]
        return {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}

    def tell_aborted(self) -> None:
        """Send the events of executions that ran when the last cloud with this folder ended; they are ABORTED now.

        Rules may invoke functions then: call this once, as soon as everything is there that those need.
        """
        aborted, self._aborted = self._aborted, ()
        for execution in aborted:
            self._notice(execution)

    def _notice(self, execution: "Execution") -> None:
        put_event(status_change(execution))
        self._watch.look(execution)

    def _hear(self, change: ExecutionChange) -> None:
        self._meter.execution(change)
        if self._on_execution:
            self._on_execution(change)

    def stop_executions(self) -> None:
        """Stop every execution that is running: it ends as ABORTED."""
        stop_executions()

    def _build_folder(self, stack: ExitStack) -> Path:
        if self._work is None:
            return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="openbell-"))).resolve()
        folder = (self._work / "artefacts").resolve()
        shutil.rmtree(folder, ignore_errors=True)
        return folder

    def _runtime(self) -> Runtime:
        if self._bundles is None:
            return Runtime(self.endpoint_url, self.access_key)
        return Runtime(
            self.endpoint_url, self.access_key, ("-P", "-S"), ((self._bundles.parent / "runtime").resolve(),)
        )

    def _invoke(self, name: str, event: bytes, artefacts: Artefacts) -> Outcome:
        return self._functions.invoke(describe(find_function(name), artefacts.folder_of), event)

    def _wind_down(self) -> None:
        self._closing.set()
        stop_executions()
        self._functions.close()
        left = await_threads(_PATIENCE_S)
        if left:
            error = TimeoutError(f"still running {_PATIENCE_S:.0f} s after the end: {', '.join(left)}")
            self._failures.add("closing", error)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cleanup.close()
        found = self._failures.take()
        if not found:
            return
        told = "the local cloud broke:\n" + "\n".join(map(str, found))
        if error is None:
            raise InternalError(told)
        error.add_note(told)

    @property
    def address(self) -> str:
        """The URL of every service with the key that it asks for, as `--local` takes it."""
        return self.endpoint_url.replace("://", f"://{self.access_key}@")

    def client(self, service: str) -> Any:
        """The boto3 client of a service of this cloud."""
        return self._clients.get(service)

    @property
    def outputs(self) -> Mapping[str, str]:
        """The template's outputs."""
        return self._stack.outputs

    def physical_id(self, logical_id: str) -> str:
        """What Ref gives for a resource of the expanded template."""
        try:
            return self._stack.physical_ids[logical_id]
        except KeyError:
            known = ", ".join(sorted(self._stack.physical_ids))
            raise LocalCloudError(f"the stack has no resource {logical_id}; it has {known}") from None

    @cached_property
    def schedules(self) -> tuple[Schedule, ...]:
        """The deployed schedules that start a workflow, by their names in the template."""
        return deployed_schedules(
            self._clients, {physical: name for name, physical in self._stack.physical_ids.items()}
        )

    def schedules_due(self, at: datetime | None = None) -> tuple[Schedule, ...]:
        """The enabled schedules that fire in the minute of `at` (zone-aware), by default the clock's."""
        moment = at or self._clock()
        return tuple(each for each in self.schedules if each.is_due(moment) and self.is_enabled(each))

    def is_enabled(self, schedule: Schedule) -> bool:
        """Whether it fires now: somebody may have switched it since it was deployed."""
        found = self.client("scheduler").get_schedule(Name=schedule.name, GroupName=schedule.group)
        return bool(found["State"] == "ENABLED")

    def fire(self, schedule: Schedule, at: datetime | None = None) -> str:
        """Start the schedule's target as if it fired at `at`; gives the execution's ARN."""
        return fire(schedule, at or self._clock(), self._clients)

    def has_fired(self, schedule: Schedule, at: datetime) -> bool:
        """Whether an execution was started with the input that the firing at `at` gives, also before a restart."""
        return was_started(schedule.state_machine_arn, schedule.filled(schedule.input_text, at))

    def logs(self, function: str) -> tuple[str, ...]:
        """What the function (name in the template) has printed, oldest first."""
        return self._shipper.lines(function)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the functions have measured, oldest first."""
        return self._shipper.metrics

    @property
    def invocations(self) -> tuple[Invocation, ...]:
        """Every invocation that has ended."""
        return self._functions.invocations
