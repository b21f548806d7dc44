"""The Lambda service's own half: which worker runs an invocation, how many at once, and what each one cost."""

import os
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from local.log_shipper import LogShipper
from local.meter import Meter
from local.workers import Outcome, Runtime, Worker

_MOST_WORKERS = max(2, os.cpu_count() or 2)  # processes of one function; AWS would start more, a laptop has no room


@dataclass(frozen=True)
class FunctionSpec:
    """A function as it is deployed now."""

    logical_id: str  # its name in the template
    name: str
    arn: str
    version: str
    handler: str
    code: Path  # the task's folder
    layers: tuple[Path, ...]  # folders that are /opt on AWS
    environment: tuple[tuple[str, str], ...]
    timeout_s: float
    memory_mb: int
    log_group: str
    reserved_concurrency: int | None


@dataclass(frozen=True)
class Invocation:
    """One invocation as the bill and the tables see it."""

    function: str  # the function's name in the template
    started_at: datetime  # real time, UTC
    duration_ms: float  # of the handler, without the start of the process
    init_ms: float | None  # start of the process up to the handler's readiness; None on a warm start
    memory_mb: int  # configured, and billed
    peak_memory_mb: int | None  # that the process has ever used; None where the system does not tell
    error_type: str | None

    @property
    def cold_start(self) -> bool:
        """Whether a process was started for it."""
        return self.init_ms is not None

    @property
    def billed_gb_s(self) -> float:
        """Handler time times configured memory: 1,000 ms at 1,024 MB are 1 GB-s."""
        return self.duration_ms / 1000 * self.memory_mb / 1024


class TooManyRequests(Exception):
    """The function's reserved concurrency is used up."""


class Closed(Exception):
    """The local cloud is shutting down."""


class Functions:
    """Runs invocations in worker processes, which are started when needed and kept warm."""

    def __init__(
        self,
        runtime: Runtime,
        shipper: LogShipper,
        meter: Meter,
        workers: Mapping[str, int],
        hurry: threading.Event,
    ) -> None:
        self._runtime = runtime
        self._shipper = shipper
        self._meter = meter
        self._most = workers
        self._closing = hurry
        self._lock = threading.Lock()
        self._pools: dict[tuple[str, str], _Pool] = {}
        self._invocations: list[Invocation] = []
        # A worker dies with the thread that started it, so one thread starts them all and lives as long as they may.
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="worker-starter")

    @property
    def invocations(self) -> tuple[Invocation, ...]:
        """Every invocation that has ended, in the order of their ends."""
        with self._lock:
            return tuple(self._invocations)

    def invoke(self, spec: FunctionSpec, event: bytes) -> Outcome:
        """Run the handler on `event` and wait for its answer; raises TooManyRequests or Closed."""
        started = datetime.now(UTC)
        outcome = self._pool(spec).run(event, str(uuid.uuid4()))
        invocation = Invocation(
            function=spec.logical_id,
            started_at=started,
            duration_ms=outcome.duration_ms,
            init_ms=outcome.init_ms,
            memory_mb=spec.memory_mb,
            peak_memory_mb=outcome.peak_memory_mb,
            error_type=outcome.error_type,
        )
        self._meter.invocation(spec.name, outcome.duration_ms, failed=outcome.error_type is not None)
        with self._lock:
            self._invocations.append(invocation)
        return outcome

    def _pool(self, spec: FunctionSpec) -> "_Pool":
        with self._lock:
            if self._closing.is_set():
                raise Closed(f"{spec.logical_id} cannot be invoked: the local cloud is shutting down")
            pool = self._pools.get((spec.name, spec.version))
            if pool is None or pool.spec != spec:
                if pool:
                    pool.retire()
                    pool.bury()
                pool = _Pool(spec, self._most.get(spec.logical_id, _MOST_WORKERS), self._start)
                self._pools[spec.name, spec.version] = pool
            return pool

    def _start(self, spec: FunctionSpec) -> Worker:
        return self._starter.submit(Worker, spec, self._runtime, self._shipper).result()

    def close(self) -> None:
        """Kill every worker; invocations that wait for one get an error."""
        self._closing.set()
        with self._lock:
            pools = tuple(self._pools.values())
            self._pools.clear()
        for pool in pools:
            pool.retire()
        self._starter.shutdown(wait=True)
        for pool in pools:
            pool.bury()


class _Pool:
    """The workers of one version of one function."""

    def __init__(self, spec: FunctionSpec, most: int, start: Callable[[FunctionSpec], Worker]) -> None:
        self.spec = spec
        self._most = most
        self._start = start
        self._changed = threading.Condition()
        self._idle: list[Worker] = []
        self._all: list[Worker] = []
        self._working = 0
        self._asked = 0
        self._retired = False

    def run(self, event: bytes, request_id: str) -> Outcome:
        self._admit()
        try:
            worker = self._hire()
            try:
                return worker.invoke(event, request_id)
            finally:
                self._release(worker)
        finally:
            with self._changed:
                self._asked -= 1

    def _admit(self) -> None:
        with self._changed:
            reserved = self.spec.reserved_concurrency
            if reserved is not None and self._asked >= reserved:
                raise TooManyRequests(f"{self.spec.logical_id}: Rate Exceeded (reserved concurrency {reserved})")
            self._asked += 1

    def _hire(self) -> Worker:
        """An idle worker, else a new one, else wait for one."""
        with self._changed:
            self._changed.wait_for(lambda: self._retired or self._idle or self._working < self._most)
            if self._retired:
                raise Closed(f"{self.spec.logical_id}: its workers were retired before this invocation had one")
            self._working += 1
            if self._idle:
                return self._idle.pop()
        try:
            worker = self._start(self.spec)
        except BaseException:
            self._leave()
            raise
        with self._changed:
            self._all.append(worker)
            if self._retired:
                worker.kill()
        return worker

    def _release(self, worker: Worker) -> None:
        if not worker.alive:
            worker.bury()
        with self._changed:
            if worker.alive and not self._retired:
                self._idle.append(worker)
            else:
                worker.kill()
        self._leave()

    def _leave(self) -> None:
        with self._changed:
            self._working -= 1
            self._changed.notify_all()

    def retire(self) -> None:
        """Kill the workers; invocations under way get an error."""
        with self._changed:
            self._retired = True
            for worker in self._all:
                worker.kill()
            self._changed.notify_all()

    def bury(self) -> None:
        """Wait until the workers' processes and threads are gone."""
        for worker in self._all:
            worker.bury()
