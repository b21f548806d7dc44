"""The kill switch: each way asks first, and says what it means."""

from datetime import datetime

from flask import Flask, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from cli.person import person
from cli.views.switched import Switched, told_change
from console.source import Source
from openbell.model import NEW_YORK, Halt

MOST_REASON = 300  # characters


def add_switch(app: Flask, source: Source) -> None:
    """The pages that ask, and the two changes that they send."""

    @app.get("/halt")
    def ask_halt() -> str:
        return _halt_form(source)

    @app.post("/halt")
    def halt() -> Response | tuple[str, int]:
        reason = " ".join(request.form.get("reason", "").split())
        if not reason or len(reason) > MOST_REASON:
            return _halt_form(source, f"Say why, in at most {MOST_REASON} characters: nothing was changed."), 400
        before = source.ledger.halt()
        wish = Halt(reason, f"{person()}, in the console", datetime.now(NEW_YORK), "flatten" in request.form)
        source.ledger.set_halt(wish)
        return _told(Switched(before, source.ledger.halt()))

    @app.get("/resume")
    def ask_resume() -> str:
        return _resume_form(source)

    @app.post("/resume")
    def resume() -> Response | tuple[str, int]:
        before = source.ledger.halt()
        if before and before.at.isoformat() != request.form.get("halted_at"):
            return _resume_form(source, "Trading was halted anew since you looked: nothing was changed."), 409
        source.ledger.clear_halt()
        return _told(Switched(before, source.ledger.halt()))


def _halt_form(source: Source, problem: str = "") -> str:
    holders = [sleeve for _, sleeve in sorted(source.ledger.sleeves().items()) if sleeve.positions]
    return render_template(
        "halt.html.j2",
        halt=source.ledger.halt(),
        holders=holders,
        problem=problem,
        reason=request.form.get("reason", ""),
        flatten="flatten" in request.form,
        most=MOST_REASON,
    )


def _resume_form(source: Source, problem: str = "") -> str:
    return render_template("resume.html.j2", halt=source.ledger.halt(), problem=problem)


def _told(change: Switched) -> Response:
    flash(told_change(change))
    return redirect(url_for("overview"), 303)
