"""Who is let in, and who may change anything."""

import socket
from http.cookies import SimpleCookie

import pytest

from cli.person import person
from console.serve import serving
from openbell.errors import InvalidInput
from tests.unit.console.desk import HOME, KEY, PORT, Desk, Visitor, stranger


def test_without_the_key_no_page_is_shown(empty_desk: Desk) -> None:
    browser = stranger(empty_desk)
    for path in ("/", "/runs", "/positions", "/halt", "/dashboard", "/none"):
        answer = browser.get(path, base_url=HOME)
        assert answer.status_code == 403
        assert "Open the address that `openbell console` printed" in answer.text


def test_the_key_lets_in_and_leaves_the_address(empty_desk: Desk) -> None:
    browser = stranger(empty_desk)
    answer = browser.get(f"/?key={KEY}", base_url=HOME)
    assert (answer.status_code, answer.location) == (303, "/")
    assert browser.get("/", base_url=HOME).status_code == 200


def test_a_wrong_key_does_not_let_in(empty_desk: Desk) -> None:
    browser = stranger(empty_desk)
    assert browser.get("/?key=another", base_url=HOME).status_code == 403
    assert browser.get("/", base_url=HOME).status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1:9999", f"127.0.0.1.evil.example:{PORT}", "127.0.0.1"]
)
def test_another_host_header_is_refused_even_with_the_key(empty_desk: Desk, host: str) -> None:
    answer = stranger(empty_desk).get(f"/?key={KEY}", headers={"Host": host})
    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers


def test_localhost_is_this_machine_too(empty_desk: Desk) -> None:
    assert stranger(empty_desk).get(f"/?key={KEY}", base_url=f"http://localhost:{PORT}").status_code == 303


def test_the_cookie_is_for_this_site_and_no_script(empty_desk: Desk) -> None:
    cookie = SimpleCookie(stranger(empty_desk).get(f"/?key={KEY}", base_url=HOME).headers["Set-Cookie"])
    (session,) = cookie.values()
    assert (session["samesite"], session["httponly"]) == ("Strict", True)
    assert session.key == f"openbell-console-{PORT}"


def test_no_answer_may_run_scripts_be_framed_or_be_kept(visitor: Visitor) -> None:
    for path in ("/", "/runs/none", "/halt"):
        headers = visitor.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "script-src" not in headers["Content-Security-Policy"]  # so the default holds
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "http://127.0.0.1:9999", f"https://127.0.0.1:{PORT}"]
)
def test_a_form_from_elsewhere_changes_nothing(desk: Desk, visitor: Visitor, origin: str | None) -> None:
    answer = visitor.post("/halt", origin=origin, reason="not mine")
    assert answer.status_code == 403
    assert "did not come from a page of this console" in answer.text
    assert desk.ledger.halt() is None


@pytest.mark.parametrize("token", ["", "guessed", "ü"])
def test_a_form_without_the_sessions_token_changes_nothing(desk: Desk, visitor: Visitor, token: str) -> None:
    visitor.get("/halt")
    answer = visitor.post("/halt", reason="not mine", form_token=token)
    assert answer.status_code == 403
    assert desk.ledger.halt() is None


def test_the_token_of_another_session_changes_nothing(desk: Desk, visitor: Visitor) -> None:
    theirs = Visitor(desk).form_token("/halt")
    assert visitor.post("/halt", reason="not mine", form_token=theirs).status_code == 403
    assert desk.ledger.halt() is None


def test_a_change_needs_a_form_and_not_a_link(desk: Desk, visitor: Visitor) -> None:
    assert visitor.get("/halt?reason=by+link").status_code == 200  # asks
    assert desk.ledger.halt() is None


def test_our_own_form_does_change(desk: Desk, visitor: Visitor) -> None:
    assert visitor.post("/halt", reason="mine").status_code == 303
    halt = desk.ledger.halt()
    assert halt
    assert (halt.reason, halt.by) == ("mine", f"{person()}, in the console")


class TestServing:
    def test_it_listens_on_this_machine_alone(self, empty_desk: Desk) -> None:
        with serving(empty_desk) as address:
            host, port = address.removeprefix("http://").partition("/")[0].split(":")
            assert host == "127.0.0.1"
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.2", int(port)), timeout=2)

    def test_a_port_that_is_taken_is_told(self, empty_desk: Desk) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            with pytest.raises(InvalidInput, match=f"--port {port}: Address already in use"), serving(empty_desk, port):
                pytest.fail("it must not be open")

    def test_nothing_listens_afterwards(self, empty_desk: Desk) -> None:
        with serving(empty_desk) as address:
            port = int(address.split(":")[2].partition("/")[0])
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=2)
