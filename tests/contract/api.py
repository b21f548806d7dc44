"""Alpaca's API as a scenario asks it: raw answers, kept under a label, and the platform's own broker beside them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import uuid4

import requests

from openbell.adapters.alpaca.broker import AlpacaBroker
from openbell.ports import Broker
from tests.contract.account import Account

_TIMEOUT = (5, 20)  # seconds
_STEP = 2.0  # between two looks


class NotNow(Exception):
    """The market is closed, or its price did not move as the scenario needs it: neither kept nor broken."""


class NotOffered(Exception):
    """The other side does not know this endpoint at all."""


@dataclass(frozen=True)
class Answer:
    """Status and JSON body; None for an empty one."""

    status: int
    body: Any


@dataclass
class Api:
    """One scenario's conversation. `wait` lets seconds pass; `later` lets the market move on as far as it may."""

    account: Account
    wait: Callable[[float], None] = time.sleep
    later: Callable[[], None] = lambda: time.sleep(60)
    patience: float = 900.0  # seconds for a price to move
    answers: dict[str, Answer] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)  # ids of the orders that were accepted

    @property
    def symbol(self) -> str:
        """What is traded, in ones and twos."""
        return self.account.symbol

    @property
    def broker(self) -> Broker:
        """The platform's own adapter over the same account."""
        return AlpacaBroker(self.account.url, self.account.data_url, self.account.key_id, self.account.secret_key)

    def get(self, label: str, path: str, **query: Any) -> Answer:
        """A read of the trading API."""
        return self._ask(label, "GET", f"{self.account.url}{path}", query)

    def data(self, label: str, path: str, **query: Any) -> Answer:
        """A read of the data API."""
        return self._ask(label, "GET", f"{self.account.data_url}{path}", query)

    def post(self, label: str, **body: Any) -> Answer:
        """An order."""
        answer = self._ask(label, "POST", f"{self.account.url}/v2/orders", {}, {"symbol": self.symbol, **body})
        if answer.status == 200:
            self.sent.append(answer.body["id"])
        return answer

    def patch(self, label: str, order_id: str, **body: Any) -> Answer:
        """A change of an order, as a person makes it on the web page."""
        return self._ask(label, "PATCH", f"{self.account.url}/v2/orders/{order_id}", {}, body)

    def cancel(self, label: str, order_id: str) -> Answer:
        """The end of an order."""
        return self._ask(label, "DELETE", f"{self.account.url}/v2/orders/{order_id}", {})

    def price(self) -> float:
        """The last trade (USD)."""
        return float(
            self.data("latest trade", f"/v2/stocks/{self.symbol}/trades/latest", feed="iex").body["trade"]["p"]
        )

    def need_open_market(self) -> None:
        """NotNow outside of the session."""
        if not self.get("clock", "/v2/clock").body["is_open"]:
            raise NotNow("the market is closed")

    def order(self, label: str, order_id: str) -> dict[str, Any]:
        """An order with its legs."""
        found: dict[str, Any] = self.get(label, f"/v2/orders/{order_id}", nested="true").body
        return found

    def until(self, label: str, order_id: str, done: Callable[[dict[str, Any]], bool], *, moves: bool = False) -> Any:
        """The order once `done` holds of it; with `moves` the market may have to move first. NotNow if it does not."""
        waited = 0.0
        while not done(found := self.order(label, order_id)):
            if waited > (self.patience if moves else 90):
                raise NotNow(f"order {label!r} stayed {found['status']} for {waited:.0f} s")
            before = time.monotonic()
            self.later() if moves else self.wait(_STEP)
            waited += max(_STEP, time.monotonic() - before)
        return found

    def tidy(self) -> None:
        """Cancel what still rests of a scenario that ended too early, and sell what it has bought."""
        for order_id in self.sent:
            for part in _parts(self.order("tidied", order_id)):
                self.cancel("tidied", part["id"])  # refused for those that have ended
        self.wait(_STEP)
        parts = [part for order_id in self.sent for part in _parts(self.order("tidied", order_id))]
        left = sum((Decimal(p["filled_qty"]) * (1 if p["side"] == "buy" else -1) for p in parts), Decimal(0))
        if left > 0:
            self.post("tidied", side="sell", qty=f"{left:f}", type="market", time_in_force="day")

    def _ask(self, label: str, method: str, url: str, query: dict[str, Any], body: Any = None) -> Answer:
        keys = {"APCA-API-KEY-ID": self.account.key_id, "APCA-API-SECRET-KEY": self.account.secret_key}
        found = requests.request(
            method, url, params=query, json=body, headers=keys, timeout=_TIMEOUT, allow_redirects=False
        )
        answer = Answer(found.status_code, found.json() if found.content else None)
        self.answers[label] = answer
        return answer


def _parts(order: dict[str, Any]) -> list[dict[str, Any]]:
    return [order, *(order.get("legs") or ())]


def new_id() -> str:
    """A client_order_id that no order had before."""
    return f"contract-{uuid4().hex[:16]}"
