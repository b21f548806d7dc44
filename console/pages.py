"""The pages that only show something."""

from collections.abc import Sequence

from flask import Flask, abort, render_template, request

from cli.views.broker_side import look_at_broker
from cli.views.positions import read_positions
from cli.views.runs import MOST_RUNS
from cli.views.status import read_status
from console.reading import Reader
from console.source import Source
from openbell.model import Run, RunStatus

_LOOKED_THROUGH = 500  # runs: most ticks of a quarter of an hour are skipped
_CHARTED = 30  # runs in the equity chart
_NEWEST = 8  # runs on the overview
_LISTED = 200  # runs that the list looks through, unless more are asked for
_WATCH_SECONDS = 3


def add_pages(app: Flask, source: Source, reader: Reader) -> None:
    """Overview, runs, one run, positions."""

    @app.get("/")
    def overview() -> str:
        status = read_status(source.ledger, look_at_broker(lambda: source.broker), source.execution_status)
        runs = _without_skipped(source.ledger.runs(_LOOKED_THROUGH))
        return render_template(
            "overview.html.j2",
            status=status,
            runs=runs[:_NEWEST],
            equity=reader.equity(runs[:_CHARTED]),
            charted=_CHARTED,
            roles=reader.roles(),
        )

    @app.get("/runs")
    def runs() -> str:
        limit = min(max(request.args.get("limit", _LISTED, type=int), 1), MOST_RUNS)
        found, with_skipped = source.ledger.runs(limit), "skipped" in request.args
        shown = found if with_skipped else _without_skipped(found)
        return render_template(
            "runs.html.j2",
            runs=shown,
            looked_through=len(found),
            with_skipped=with_skipped,
            more=min(limit * 4, MOST_RUNS) if len(found) == limit < MOST_RUNS else 0,
            roles=reader.roles(),
        )

    @app.get("/runs/<run_id>")
    def run(run_id: str) -> str:
        found = source.ledger.run(run_id)
        if found is None:
            abort(404, f"There is no run {run_id}. The list of runs has every one that there is.")
        watched = "watch" in request.args and found.status is RunStatus.RUNNING
        return render_template(
            "run.html.j2",
            page=reader.run_page(found),
            reload_seconds=_WATCH_SECONDS if watched else 0,
        )

    @app.get("/positions")
    def positions() -> str:
        side = look_at_broker(lambda: source.broker)
        return render_template(
            "positions.html.j2",
            status=read_status(source.ledger, side, source.execution_status),
            positions=read_positions(source.ledger, side),
            roles=reader.roles(),
        )


def _without_skipped(runs: Sequence[Run]) -> list[Run]:
    return [run for run in runs if run.status is not RunStatus.SKIPPED]
