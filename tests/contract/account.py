"""Which account the suite may talk to: a paper account, or a paper exchange on this machine. Never a live one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PAPER_HOST, LIVE_HOST, DATA_HOST = "paper-api.alpaca.markets", "api.alpaca.markets", "data.alpaca.markets"
_LOCAL_HOST = "127.0.0.1"
KEY, SECRET, URL, DATA_URL, SYMBOL = (
    "APCA_API_KEY_ID",
    "APCA_API_SECRET_KEY",
    "CONTRACT_URL",
    "CONTRACT_DATA_URL",
    "CONTRACT_SYMBOL",
)


class Refused(Exception):
    """The suite does not run there; the message says why."""


@dataclass(frozen=True)
class Account:
    """Where the suite runs, and in which symbol."""

    url: str
    data_url: str
    key_id: str
    secret_key: str
    symbol: str = "F"  # cheap, liquid, fractionable


def from_environment(environment: Mapping[str, str]) -> Account | None:
    """The account that the environment names; None without keys. Raises Refused for anything but a paper account."""
    key_id, secret_key = environment.get(KEY, ""), environment.get(SECRET, "")
    if not key_id or not secret_key:
        return None
    url = environment.get(URL) or f"https://{PAPER_HOST}"
    data_url = environment.get(DATA_URL) or f"https://{DATA_HOST}"
    account = Account(url.rstrip("/"), data_url.rstrip("/"), key_id, secret_key, environment.get(SYMBOL) or "F")
    check_place(account)
    return account


def check_place(account: Account) -> None:
    """Raise Refused unless host and key are those of a paper account, or of this machine."""
    parts, data = urlsplit(account.url), urlsplit(account.data_url)
    if parts.hostname == LIVE_HOST:
        raise Refused(f"{account.url} is Alpaca's live host: the suite sends orders, and never there")
    local = parts.hostname == _LOCAL_HOST
    if not local and (parts.scheme, parts.netloc) != ("https", PAPER_HOST):
        raise Refused(f"{account.url}: only https://{PAPER_HOST} and http://{_LOCAL_HOST}:PORT are allowed")
    if not local and not account.key_id.startswith("PK"):
        raise Refused("the keys of a paper account begin with PK; these do not, and are not used")
    here = data.hostname == _LOCAL_HOST if local else (data.scheme, data.netloc) == ("https", DATA_HOST)
    if not here:
        raise Refused(f"{account.data_url}: prices must come from where the account is, or the keys would leave it")


def check_told(account: Account, told: Mapping[str, Any]) -> None:
    """Raise Refused unless the account says of itself that it is a paper account: its number begins with PA."""
    if urlsplit(account.url).hostname == PAPER_HOST and not str(told.get("account_number", "")).startswith("PA"):
        raise Refused("the account's number does not begin with PA: it is no paper account, and nothing was sent to it")
