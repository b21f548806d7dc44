"""Exchange, local cloud and scheduler on one clock, until the history ends or somebody stops it."""

import json
import os
import queue
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from cli.day import Alert
from cli.effective import effective_config, layer_files, on_local_market
from cli.endpoint import Endpoint
from cli.market import open_market
from cli.own_broker import hand_over, parameters_for
from cli.places import STATE_MACHINE, TEMPLATE
from cli.service.announcement import announced, only_one_here
from cli.service.folder import StateFolder, end_of, open_exchange, state_folder
from cli.service.options import UpOptions
from cli.service.voice import Told, Voice, told_failure, told_run
from local import ExecutionChange, LocalCloud
from local.pace import Pace
from local.timeline import Tick, Timeline
from openbell.adapters.dynamo.ledger import DynamoLedger
from openbell.config import PlatformConfig
from paper import Credentials, PaperExchange, new_credentials, serve

_STACK = "openbell"
_PATIENCE_S = 30.0  # for closing a run that was stopped


def run_service(options: UpOptions, voice: Voice) -> None:
    """Play history until its end or `until`.

    Raises InvalidInput or ConfigError before anything is started, and KeyboardInterrupt when it was asked to stop and
    has done so.
    """
    config = effective_config(options.config, ())
    market = open_market(options.bars)
    with only_one_here(), state_folder(options.state) as folder:
        exchange = open_exchange(options, market, folder)
        until = end_of(options, market, exchange.now)
        service = _Service(exchange, Pace(options.speed), voice)
        with service.opened(options, config, folder) as cloud:
            service.play(cloud, until)


class _Service:
    def __init__(self, exchange: PaperExchange, pace: Pace, voice: Voice) -> None:
        self._exchange = exchange
        self._voice = voice
        self._timeline = Timeline(exchange, pace)
        self._ended: queue.SimpleQueue[ExecutionChange] = queue.SimpleQueue()
        self._longest_wait = timedelta(seconds=json.loads(STATE_MACHINE.read_text())["TimeoutSeconds"])

    @contextmanager
    def opened(self, options: UpOptions, config: PlatformConfig, folder: StateFolder | None) -> Iterator[LocalCloud]:
        """The local cloud on the exchange; everything is torn down at the end, whatever happens."""
        self._voice.say(
            f"Starting the exchange at {self._exchange.now:%Y-%m-%d %H:%M} New York and the local cloud ..."
        )
        keys = new_credentials()
        with (
            tempfile.TemporaryDirectory(prefix="openbell-") as work,
            serve(self._exchange, port=options.port + 1 if options.port else 0, credentials=keys) as served,
            self._cloud(served.url, config, Path(work), options.port, folder) as cloud,
        ):
            hand_over(keys, cloud)
            with announced(_endpoint(cloud, served.url, keys)):
                self._voice.say(f"Local cloud: {cloud.address}   exchange: {served.url}   Ctrl-C stops both.")
                yield cloud

    def _cloud(self, url: str, config: PlatformConfig, work: Path, port: int, folder: StateFolder | None) -> LocalCloud:
        return LocalCloud(
            template=TEMPLATE,
            parameters=parameters_for(url),
            work=work,
            wait=self._wait,
            clock=lambda: self._exchange.now,
            on_alert=lambda alert: self._voice.alert(Alert(alert.subject, alert.message)),
            layer_files=layer_files(on_local_market(config), work),
            stack_name=_STACK,
            port=port,
            state=folder.cloud if folder else None,
            on_execution=self._hear,
            on_unattended=lambda name, running: self._timeline.heard(name, running=running),
        )

    def _wait(self, seconds: float) -> None:
        """A Wait state; for a fill it lasts until the next price, if the run may live so long.

        Daily bars print few prices: with no more than its own seconds, no run before the closing window would ever
        see a fill.
        """
        now = self._exchange.now
        until, fill = now + timedelta(seconds=seconds), self._exchange.next_fill()
        self._timeline.wait_until(fill if fill and until < fill <= now + self._longest_wait else until)

    def _hear(self, change: ExecutionChange) -> None:
        if change.ended:
            self._ended.put(change)
        self._timeline.heard(change.arn, running=not change.ended)

    def play(self, cloud: LocalCloud, until: datetime) -> None:
        """Fire every schedule when it is due; KeyboardInterrupt if it was stopped before `until`."""
        ledger = DynamoLedger(cloud.client("dynamodb"), cloud.outputs["TableName"])

        def fire(tick: Tick) -> None:
            fired = cloud.has_fired(tick.schedule, tick.at)  # a restart comes to the same moment once more
            if not fired and cloud.is_enabled(tick.schedule):
                cloud.fire(tick.schedule, tick.at)

        with _signals_to(self._timeline.stop), self._voice.status(lambda: self._exchange.now, self._equity):
            try:
                cloud.tell_aborted()
                for _ in self._timeline.play(cloud.schedules, fire, until):
                    self._tell_ended(ledger)
            finally:
                self._end(cloud)
                self._tell_ended(ledger)
        if self._timeline.stopped:
            raise KeyboardInterrupt

    def _tell_ended(self, ledger: DynamoLedger) -> None:
        while not self._ended.empty():
            self._voice.run(self._told(self._ended.get(), ledger))

    def _told(self, change: ExecutionChange, ledger: DynamoLedger) -> Told:
        run = ledger.run_of(change.name)
        if run:
            return told_run(run, ledger.orders(run.run_id), change.status, self._equity())
        return told_failure(self._exchange.now, change.name, change.status, change.error, change.cause, self._equity())

    def _equity(self) -> Decimal:
        return self._exchange.account().equity

    def _end(self, cloud: LocalCloud) -> None:
        """Stop what is under way; the rules of the template close its runs before the functions are gone."""
        for name in self._timeline.running:
            self._voice.say(
                f"Under way and stopped: {name.rsplit(':', 1)[-1]}. Orders already sent stay at the exchange; the next "
                "run books them."
            )
        cloud.stop_executions()
        self._timeline.close()
        self._timeline.await_end(_PATIENCE_S)


def _endpoint(cloud: LocalCloud, exchange_url: str, keys: Credentials) -> Endpoint:
    return Endpoint(
        endpoint_url=cloud.endpoint_url,
        access_key=cloud.access_key,
        stack_name=_STACK,
        exchange_url=exchange_url,
        exchange_key_id=keys.key_id,
        exchange_secret_key=keys.secret_key,
        pid=os.getpid(),
    )


@contextmanager
def _signals_to(stop: Callable[..., None]) -> Iterator[None]:
    """Ctrl-C and a request to terminate call `stop`: raised anywhere, they would leave things half done."""
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
