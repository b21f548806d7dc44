"""What a web page that a person happens to visit can do to the exchange: nothing."""

import socket
from urllib.parse import urlsplit

import pytest
import requests

from paper import PaperExchange
from tests.integration.paper.conftest import Serve

KEYS = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": "secret"}


@pytest.fixture
def url(paper: PaperExchange, url_of: Serve) -> str:
    return url_of(paper)


@pytest.mark.parametrize("path", ["/v2/account", "/control/state", "/v2/stocks/bars"])
def test_a_page_reads_nothing_whatever_it_knows(url: str, path: str) -> None:
    answer = requests.get(f"{url}{path}", headers={**KEYS, "Origin": "https://evil.example"}, timeout=5)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_a_preflight_is_refused(url: str) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = requests.options(f"{url}/control/cash", headers=asked, timeout=5)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost:1", "127.0.0.1.evil.example:{port}"])
def test_a_name_that_was_rebound_to_this_machine_is_refused(url: str, host: str) -> None:
    host = host.format(port=urlsplit(url).port)
    assert requests.get(f"{url}/control/state", headers={**KEYS, "Host": host}, timeout=5).status_code == 403


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_form_changes_nothing(paper: PaperExchange, url: str, kind: str) -> None:
    before = paper.account().cash
    answer = requests.post(
        f"{url}/control/cash", data='{"amount": "500"}', headers={**KEYS, "Content-Type": kind}, timeout=5
    )
    assert (answer.status_code, paper.account().cash) == (415, before)


def test_control_asks_for_keys(paper: PaperExchange, url: str) -> None:
    before = paper.account().cash
    answer = requests.post(f"{url}/control/cash", json={"amount": "500"}, timeout=5)
    assert (answer.status_code, paper.account().cash) == (401, before)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("Content-Length: -1", 400),
        ("Content-Length: ²", 400),
        ("Content-Length: 99999999999", 413),
        ("Transfer-Encoding: chunked\r\nContent-Type: application/json", 411),
    ],
)
def test_a_body_without_a_sane_length_is_refused(url: str, head: str, status: int) -> None:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
        keys = "".join(f"{name}: {value}\r\n" for name, value in KEYS.items())
        text = f"POST /control/cash HTTP/1.1\r\nHost: {parts.netloc}\r\n{keys}{head}\r\n\r\nzz\r\n"
        connection.sendall(text.encode())
        assert connection.recv(1024).split()[1] == str(status).encode()


def test_json_nested_without_end_is_refused(url: str) -> None:
    body = "[" * 100_000 + "]" * 100_000
    headers = {**KEYS, "Content-Type": "application/json"}
    assert requests.post(f"{url}/v2/orders", data=body, headers=headers, timeout=5).status_code == 400


@pytest.mark.parametrize("query", ["limit=²", "limit=-1", "limit=1e3", "limit=99999999999999999999"])
def test_a_number_that_is_none_is_refused(url: str, query: str) -> None:
    assert 400 <= requests.get(f"{url}/v2/orders?{query}", headers=KEYS, timeout=5).status_code < 500
