import pytest

from tests.contract.__main__ import main
from tests.contract.account import Account, Refused, check_told, from_environment

KEYS = {"APCA_API_KEY_ID": "PKABCDEFGHIJKLMNOP12", "APCA_API_SECRET_KEY": "secret"}
PAPER = "https://paper-api.alpaca.markets"


def test_with_paper_keys_it_is_alpacas_paper_host() -> None:
    account = from_environment(KEYS)
    assert account
    assert (account.url, account.data_url, account.symbol) == (PAPER, "https://data.alpaca.markets", "F")


def test_a_paper_exchange_of_this_machine_takes_any_keys() -> None:
    here = {"CONTRACT_URL": "http://127.0.0.1:8000/", "CONTRACT_DATA_URL": "http://127.0.0.1:8000"}
    account = from_environment(KEYS | here | {"APCA_API_KEY_ID": "key", "CONTRACT_SYMBOL": "AAPL"})
    assert account == Account("http://127.0.0.1:8000", "http://127.0.0.1:8000", "key", "secret", "AAPL")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"CONTRACT_URL": "https://api.alpaca.markets"}, "live host"),
        ({"CONTRACT_URL": "https://API.alpaca.markets"}, "live host"),
        ({"CONTRACT_URL": "https://api.alpaca.markets:443"}, "live host"),
        ({"CONTRACT_URL": "https://paper-api.alpaca.markets@evil.example"}, "only https://paper-api"),
        ({"CONTRACT_URL": "http://paper-api.alpaca.markets"}, "only https://paper-api"),
        ({"CONTRACT_URL": "https://example.com"}, "only https://paper-api"),
        ({"APCA_API_KEY_ID": "AKABCDEFGHIJKLMNOP12"}, "begin with PK"),
        ({"CONTRACT_DATA_URL": "https://example.com"}, "the keys would leave it"),
        ({"CONTRACT_URL": "http://127.0.0.1:1", "CONTRACT_DATA_URL": ""}, "the keys would leave it"),
    ],
)
def test_anything_but_a_paper_account_is_refused(given: dict[str, str], words: str) -> None:
    with pytest.raises(Refused, match=words):
        from_environment(KEYS | given)


def test_an_account_that_does_not_say_paper_is_refused() -> None:
    account = Account(PAPER, "https://data.alpaca.markets", "PK", "secret")
    check_told(account, {"account_number": "PA3ABCDEFGHI"})
    for told in ({"account_number": "123456789"}, {}):
        with pytest.raises(Refused, match="begin with PA"):
            check_told(account, told)


def test_without_keys_it_says_what_it_would_do_and_asks_nobody(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("requests.request", None)
    assert main([]) == 3
    told = capsys.readouterr().out
    assert "contract: no keys" in told
    assert "bracket_stopped_out" in told


def test_the_live_host_is_asked_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name, value in (KEYS | {"CONTRACT_URL": "https://api.alpaca.markets"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("requests.request", None)
    assert main([]) == 2
    assert "live host" in capsys.readouterr().err
