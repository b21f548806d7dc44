"""The console over the whole platform: its pages, in a real browser too, and the command that opens it."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import unquote

import boto3
import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from cli.platform import Place, Platform, find_place, open_platform
from cli.run_report import read_report
from console.app import create_app
from console.guard import Guard
from console.serve import serving
from openbell.model import RunStatus
from openbell.runs import report_key
from scripts.chromium import chromium_options, find_chromium
from tests.e2e.commands import workers_of
from tests.e2e.consoles import children_of, opened
from tests.e2e.readable import troubles
from tests.e2e.stages import playing

HOME, KEY = "http://127.0.0.1:8700", "the-key"
needs_chromium = pytest.mark.skipif(
    not find_chromium(), reason="no Chromium is installed here: install one, or name it in OPENBELL_CHROMIUM"
)


@dataclass(frozen=True)
class Scene:
    """A platform after a run on each of two sessions."""

    platform: Platform
    endpoint: str
    runs: tuple[str, ...]  # newest first

    @property
    def paths(self) -> dict[str, str]:
        """Every page there is."""
        return {
            "overview": "/",
            "runs": "/runs",
            "run": f"/runs/{self.runs[0]}",
            "positions": "/positions",
            "dashboard": "/dashboard",
            "halt": "/halt",
            "resume": "/resume",
            "missing": "/runs/none",
        }


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with playing(tmp_path_factory.mktemp("console")) as played:
        played.run()
        played.stage.exchange.close_session()
        played.stage.exchange.open_next_session(played.stage.exchange.now.time().replace(15, 0, 0))
        played.run()
        endpoint = played.stage.address
        with open_platform(find_place("openbell", endpoint)) as platform:
            runs = tuple(run.run_id for run in platform.ledger.runs() if run.status is RunStatus.COMPLETED)
            assert len(runs) == 2
            yield Scene(platform, endpoint, runs)


@pytest.fixture
def client(scene: Scene) -> FlaskClient:
    client = create_app(scene.platform, Guard(8700, KEY)).test_client()
    client.get("/", query_string={"key": KEY}, base_url=HOME)
    return client


def text(client: FlaskClient, path: str) -> str:
    answer = client.get(path, base_url=HOME)
    assert answer.status_code == 200, answer.text
    return answer.text


class TestPages:
    def test_a_run_shows_each_state_with_its_time_and_each_forecast(self, scene: Scene, client: FlaskClient) -> None:
        page = text(client, f"/runs/{scene.runs[0]}")
        for state in ("OpenRun", "SelectUniverse", "ForecastTickers", "AggregateSignals", "CloseRun", "RunCompleted"):
            assert re.search(rf"<title>{state}: done, [^<]+</title>", page), state
        assert "<title>NotifyFailure: ahead, not visited</title>" in page
        report = read_report(scene.platform.archive.get(report_key(scene.runs[0])), "the report")
        assert [forecast.symbol for forecast in report.forecasts.made if f"<b>{forecast.symbol}</b>" not in page] == []
        assert page.count('<figure class="panel">') == len(report.forecasts.made) >= 4  # the universe, and what is held

    def test_orders_carry_their_protection(self, scene: Scene, client: FlaskClient) -> None:
        bracketed = next(order for order in scene.platform.ledger.orders(scene.runs[1]) if order.legs)
        page = text(client, f"/runs/{scene.runs[1]}").partition("Orders now")[2]
        row = page.partition(bracketed.client_order_id)[2].partition("</tr>")[0]
        assert "take profit" in row
        assert "stop" in row

    def test_equity_of_both_runs_is_drawn(self, client: FlaskClient) -> None:
        assert "Change of equity since the start: Account" in text(client, "/")

    def test_the_dashboard_is_the_stacks_own(self, scene: Scene, client: FlaskClient) -> None:
        page = text(client, "/dashboard")
        assert "Runs by outcome, newest values: completed 1" in page
        account = scene.platform.broker.account()
        assert f"Equity (USD), newest values: account {float(account.equity) / 1000:,.2f}k" in page
        assert "momentum" in page.partition("Equity by strategy (USD)")[2].partition("</section>")[0]  # found by SEARCH
        assert re.search(r"the time shown \(%\), newest values: drawdown [^\"]*\d", page)  # arithmetic
        assert "Trading is on." in page  # the widgets' Lambda
        assert "TradingHalted" in page  # an alarm
        assert page.count("nothing measured in this time") <= 2

    def test_metrics_are_of_the_day_that_the_exchange_plays(self, client: FlaskClient) -> None:
        assert "Metrics from 2022-06-15 " in text(client, "/dashboard")

    def test_a_click_in_a_widget_leads_to_the_run(self, scene: Scene, client: FlaskClient) -> None:
        page = text(client, "/dashboard")
        links = [unquote(link) for link in re.findall(r'href="(/dashboard/widgets/[^"]+)"', page)]
        link = next(link for link in links if scene.runs[1] in link)
        run = text(client, link.replace("&#34;", '"').replace("&quot;", '"'))
        assert f"{scene.runs[1]}: COMPLETED" in run
        assert f'href="/runs/{scene.runs[1]}"' in run

    @pytest.mark.parametrize("path", ["/dashboard/widgets/1", "/dashboard/widgets/999"])
    def test_only_the_dashboards_own_lambdas_are_asked(self, client: FlaskClient, path: str) -> None:
        assert client.get(path, base_url=HOME).status_code == 404

    def test_a_damaged_link_says_so(self, client: FlaskClient) -> None:
        assert client.get("/dashboard/widgets/0?event=[1", base_url=HOME).status_code == 400

    def test_a_widget_that_refuses_its_parameters_is_told(self, client: FlaskClient) -> None:
        page = text(client, '/dashboard/widgets/0?event={"widget":"state","run_id":"../../etc"}')
        assert "the widget&#39;s Lambda failed" in page


def test_a_platform_that_is_gone_is_told(scene: Scene) -> None:
    nobody = Place("openbell", "http://127.0.0.1:9")
    session = boto3.Session("local", "local", region_name="us-east-1")
    outputs = [{"OutputKey": key, "OutputValue": value} for key, value in scene.platform.outputs.items()]
    client = create_app(Platform(nobody, session, {"Outputs": outputs}), Guard(8700, KEY)).test_client()
    client.get("/", query_string={"key": KEY}, base_url=HOME)
    answer = client.get("/runs", base_url=HOME)
    assert answer.status_code == 502
    assert "The platform does not answer" in answer.text


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**chromium_options())
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(scene: Scene) -> Iterator[str]:
    with serving(scene.platform) as address:
        yield address


def visit(browser: Browser, address: str, *, dark: bool = False, width: int = 1280) -> tuple[BrowserContext, Page]:
    """A new browser window, let in; what it complains about fails the test."""
    context = browser.new_context(
        color_scheme="dark" if dark else "light",
        viewport={"width": width, "height": 844},
        base_url=address.partition("?")[0],
    )
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.goto(address)
    return context, page


@needs_chromium
@pytest.mark.parametrize(("dark", "width"), [(False, 1280), (True, 1280), (False, 390), (False, 320)])
def test_every_page_is_readable_in_chromium(
    scene: Scene, browser: Browser, address: str, *, dark: bool, width: int
) -> None:
    context, page = visit(browser, address, dark=dark, width=width)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "404" not in message.text else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for name, path in scene.paths.items():
        page.goto(path)
        assert troubles(page) == [], name
    assert complaints == []  # such as styles that the content security policy refused
    context.close()


@needs_chromium
def test_a_person_finds_the_newest_run_and_its_workflow(scene: Scene, browser: Browser, address: str) -> None:
    context, page = visit(browser, address)
    assert "key=" not in page.url
    page.get_by_role("link", name=scene.runs[0]).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thu 16 June 2022, 15:00")
    picture = page.get_by_role("img", name="The workflow: the execution is SUCCEEDED")
    expect(picture).to_be_visible()
    box = picture.locator("g.node.done", has_text="OpenRun").locator("rect")
    done = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--good')")
    assert box.evaluate("e => getComputedStyle(e).getPropertyValue('--c')") == done
    context.close()


@needs_chromium
def test_a_person_halts_and_resumes_with_the_keyboard_alone(scene: Scene, browser: Browser, address: str) -> None:
    context, page = visit(browser, address, width=390)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.get_by_role("link", name="Halt trading").press("Enter")
    reason = page.get_by_label("Reason")
    expect(reason).to_be_focused()
    reason.press("Enter")  # without a reason the browser itself refuses
    assert scene.platform.ledger.halt() is None
    reason.fill("<i>prices</i> look wrong")
    reason.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Trading is halted")
    halt = scene.platform.ledger.halt()
    assert halt
    assert halt.reason == "<i>prices</i> look wrong"
    page.get_by_role("link", name="Resume").press("Enter")
    page.get_by_role("button", name="Resume trading").press("Enter")
    expect(page.get_by_text("Trading is on again")).to_be_visible()
    assert scene.platform.ledger.halt() is None
    context.close()


@needs_chromium
def test_a_page_on_another_port_of_this_machine_cannot_halt(scene: Scene, browser: Browser, address: str) -> None:
    """The same site for cookies, whatever they say of SameSite: the Origin is what stops it."""
    target = address.partition("?")[0] + "halt"

    class Evil(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = (
                f'<form method="post" action="{target}"><input name="reason" value="evil"><button>win</button></form>'
            )
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Evil)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    context, page = visit(browser, address)
    page.goto(f"http://127.0.0.1:{server.server_port}/")
    page.get_by_role("button", name="win").click()
    expect(page.get_by_text("the request did not come from a page of this console")).to_be_visible()
    assert scene.platform.ledger.halt() is None
    context.close()
    server.shutdown()
    server.server_close()


class TestCommand:
    def test_it_opens_over_the_platform_that_is_named(self, scene: Scene, tmp_path: Path) -> None:
        console = opened(tmp_path, "--local", scene.endpoint)
        assert scene.runs[0] in console.read("runs")
        assert console.end() == 0
        assert "The console is closed." in console.said[-1]

    def test_it_starts_a_platform_that_ends_with_it(self, tmp_path: Path) -> None:
        console = opened(tmp_path, "--state", "kept")
        (platform,) = children_of(console.process.pid)
        assert "Trading is on" in console.read("")
        assert console.end() == 0
        assert not Path(f"/proc/{platform}").exists()
        assert workers_of(platform) == []
        assert (tmp_path / "kept" / "exchange.json").exists()  # what a later console goes on from

    def test_a_platform_that_does_not_start_is_told_in_its_own_words(self, tmp_path: Path) -> None:
        (tmp_path / "kept").write_text("a file where a folder is expected")
        with pytest.raises(AssertionError, match=r"(?s)it ended with 1: .*expected a folder"):
            opened(tmp_path, "--state", "kept")
