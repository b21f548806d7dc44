"""The console's application: pages over one platform, behind the guard."""

from datetime import datetime
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from flask import Flask, render_template, send_file
from jinja2 import ChoiceLoader
from werkzeug.exceptions import HTTPException

import cli.report
from cli.grid import moment
from cli.report.page import TEMPLATES, dress
from console.dashboard import add_dashboard
from console.guard import Guard
from console.pages import add_pages
from console.reading import Reader
from console.source import Source
from console.switch import add_switch
from openbell.errors import OpenbellError, StoreRefused, StoreUnavailable
from openbell.model import NEW_YORK

_REPORT_STYLE = Path(cli.report.__file__).with_name("templates") / "page.css"


def create_app(source: Source, guard: Guard) -> Flask:
    """The application over `source`, for the person whom `guard` lets in."""
    app = Flask("console")
    if app.jinja_loader is None:
        raise RuntimeError("the console's templates are missing beside its code")
    app.jinja_env.loader = ChoiceLoader([app.jinja_loader, TEMPLATES])
    dress(app.jinja_env)
    app.jinja_env.filters |= {"moment": moment, "long_moment": _long_moment}
    app.jinja_env.globals["halt_now"] = source.ledger.halt
    app.context_processor(lambda: {"platform": source.identity, "live": source.mode == "live"})
    guard.watch(app)
    app.add_url_rule("/report.css", "report_style", lambda: send_file(_REPORT_STYLE, max_age=0))
    reader = Reader(source)
    add_pages(app, source, reader)
    add_dashboard(app, source, reader)
    add_switch(app, source)
    _explain_errors(app)
    return app


def _long_moment(at: datetime) -> str:
    """A moment in New York, as a person says it."""
    return f"{at.astimezone(NEW_YORK):%a %-d %B %Y, %H:%M}"


def _explain_errors(app: Flask) -> None:
    app.register_error_handler(HTTPException, _refused)
    for family in (BotoCoreError, ClientError, ResponseParserError, StoreRefused, StoreUnavailable):
        app.register_error_handler(family, _no_answer)
    app.register_error_handler(OpenbellError, _broken)


def _refused(error: HTTPException) -> tuple[str, int]:
    return _error(error.name, error.description or "", error.code or 500)


def _no_answer(error: Exception) -> tuple[str, int]:
    return _error("The platform does not answer", f"{error}. Is it still running? `openbell up` starts it.", 502)


def _broken(error: Exception) -> tuple[str, int]:
    return _error("The platform did not do what was asked", f"{type(error).__name__}: {error}", 502)


def _error(title: str, message: str, status: int) -> tuple[str, int]:
    return render_template("error.html.j2", title=title, message=message), status
