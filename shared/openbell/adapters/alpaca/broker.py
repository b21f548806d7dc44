"""The brokerage account at Alpaca."""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import batched
from typing import Any, Literal
from urllib.parse import urlsplit

from openbell.adapters.alpaca.activities import is_booked, read_actions, read_activity
from openbell.adapters.alpaca.client import (
    FAILURES,
    AlpacaClient,
    explain_read,
    in_doubt,
    says_not_found,
    status_of,
    words_of,
)
from openbell.errors import (
    BrokerRefused,
    ConfigError,
    KeysRefused,
    OpenbellError,
    OrderNotCancelable,
    OrderRejected,
    OutcomeUnknown,
    RateLimited,
)
from openbell.model import (
    ZERO,
    Account,
    Activity,
    ActivityKind,
    BrokerOrder,
    BrokerPosition,
    CorporateAction,
    LegKind,
    MarketClock,
    OrderRequest,
    OrderStatus,
    Side,
)

_LIVE_HOST = "api.alpaca.markets"
_EQUITY = "us_equity"
_CONTRACT = 100  # shares that an option is for
_PAGE = 500  # the most orders that one answer lists
_ENTRIES = 100  # the most entries of the account's record that one answer lists
_SYMBOLS = 100  # of which corporate actions are asked for at once
_MOST_REPLACEMENTS = 50  # of one order, one after the other, before we stop to follow
_ENDED = {
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "replaced": OrderStatus.CANCELED,
    "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
}
_COMPLEX = frozenset({"bracket", "oco", "oto"})
_BLOCKS = ("account_blocked", "trading_blocked", "trade_suspended_by_user")


class AlpacaBroker:
    """`openbell.ports.Broker` over Alpaca's trading API.

    ConfigError if `mode` is paper and `base_url` is the live host, or the other way round.
    """

    def __init__(
        self, base_url: str, data_url: str, key_id: str, secret_key: str, mode: Literal["paper", "live"] = "paper"
    ) -> None:
        is_live = urlsplit(base_url).hostname == _LIVE_HOST
        if is_live != (mode == "live"):
            raise ConfigError(f"mode is {mode!r} and the broker's URL is {base_url}: these do not belong together")
        self._client = AlpacaClient(base_url, data_url, key_id, secret_key)

    # Reads.

    def clock(self) -> MarketClock:
        """See Broker."""
        body = self._read("the clock", self._client.get_clock)
        return MarketClock(
            now=_instant(body["timestamp"]),
            is_open=body["is_open"],
            next_open=_instant(body["next_open"]),
            next_close=_instant(body["next_close"]),
        )

    def account(self) -> Account:
        """See Broker."""
        body = self._read("the account", self._client.get_account)
        return Account(
            equity=Decimal(body["equity"]),
            last_equity=Decimal(body["last_equity"]),
            cash=Decimal(body["cash"]),
            buying_power=Decimal(body["buying_power"]),
            blocked=_why_blocked(body),
        )

    def positions(self) -> dict[str, BrokerPosition]:
        """See Broker. A short position has a negative quantity."""
        return self._positions(equities=True)

    def other_holdings(self) -> dict[str, BrokerPosition]:
        """See Broker. An option counts as the shares it is for, so that quantity times price is what it is worth."""
        return self._positions(equities=False)

    def _positions(self, *, equities: bool) -> dict[str, BrokerPosition]:
        found = self._read("positions", self._client.list_positions)
        wanted = [body for body in found if (body.get("asset_class", _EQUITY) == _EQUITY) is equities]
        return {str(body["symbol"]): _position(body) for body in wanted}

    def open_orders(self) -> list[BrokerOrder]:
        """See Broker."""
        return self._listed("open orders", {"status": "open"})

    def orders_since(self, since: datetime) -> list[BrokerOrder]:
        """See Broker."""
        return self._listed("orders", {"status": "all", "after": since.astimezone(UTC).isoformat()})

    def _listed(self, what: str, query: Mapping[str, str]) -> list[BrokerOrder]:
        """Every order that the query names, page by page, oldest first; later pages follow the last order."""
        found: list[Mapping[str, Any]] = []
        while True:
            here = {"status": query["status"], "after_order_id": found[-1]["id"]} if found else query
            page = self._read(what, self._page_of_orders, here)
            found += page
            if len(page) < _PAGE:
                return [_order(self._with_newest_legs(self._newest(body))) for body in found]

    def _page_of_orders(self, query: Mapping[str, str]) -> Any:
        return self._client.list_orders(limit=_PAGE, direction="asc", nested=True, params=dict(query))

    def activities(self, since: date) -> list[Activity]:
        """See Broker."""
        after = (since - timedelta(days=1)).isoformat()  # of entries without a time it is not said whether it is in
        found = self._record("the account's record", {"category": "non_trade_activity", "after": after})
        return [entry for entry in found if entry.day >= since and entry.kind is not ActivityKind.FILL]

    def fill_activities(self, since: datetime) -> list[Activity]:
        """See Broker."""
        query = {"activity_types": "FILL", "after": since.astimezone(UTC).isoformat()}
        return self._record("fills", query)

    def _record(self, what: str, query: Mapping[str, Any]) -> list[Activity]:
        """Every entry that the query names, page by page, oldest first; later pages follow the last entry."""
        found: list[Mapping[str, Any]] = []
        while True:
            token = {"page_token": found[-1]["id"]} if found else {}
            here = {**query, "direction": "asc", "page_size": _ENTRIES, **token}
            page = self._read(what, self._client.get, "/account/activities", here)
            found += page
            if len(page) < _ENTRIES:
                return [read_activity(body) for body in found if is_booked(body)]

    def corporate_actions(self, symbols: Collection[str], first: date, last: date) -> list[CorporateAction]:
        """See Broker."""
        found: list[CorporateAction] = []
        for group in batched(sorted(symbols), _SYMBOLS, strict=False):
            query = {"symbols": ",".join(group), "start": first.isoformat(), "end": last.isoformat(), "limit": 1000}
            found += self._announced(query)
        return sorted(found, key=lambda action: (action.ex_date, action.symbol, action.kind))

    def _announced(self, query: dict[str, Any]) -> list[CorporateAction]:
        found: list[CorporateAction] = []
        while True:
            body = self._read("corporate actions", self._client.actions_get, query)
            found += read_actions(body.get("corporate_actions") or {})
            if not body.get("next_page_token"):
                return found
            query = {**query, "page_token": body["next_page_token"]}

    def tradable_symbols(self) -> frozenset[str]:
        """See Broker."""
        found = self._read("assets", self._client.list_assets, "active", "us_equity")
        return frozenset(body["symbol"] for body in found if body["tradable"] and body.get("exchange") != "OTC")

    def find_order(self, client_order_id: str) -> BrokerOrder | None:
        """See Broker."""
        what = f"order {client_order_id}"
        body = self._find(what, self._client.get_order_by_client_order_id, client_order_id)
        if body and body.get("order_class") in _COMPLEX and not body.get("legs"):
            body = self._read(what, self._client.get_order, body["id"], True)
        return _order(self._with_newest_legs(self._newest(body))) if body else None

    def _newest(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """What stands in an order's place after all replacements, under the id that we gave the first one.

        A stop that has filled may be named as what replaced the take-profit beside it: that is no replacement.
        """
        ours, beside = body["client_order_id"], {leg["id"] for leg in body.get("legs") or ()}
        for _ in range(_MOST_REPLACEMENTS):
            newer = body.get("replaced_by") if body["status"] == "replaced" else None
            if not newer or newer in beside:
                break
            found = self._read(f"order {ours}", self._client.get_order, newer, True)
            body = {"legs": body.get("legs")} | {key: value for key, value in found.items() if value is not None}
        return {**body, "client_order_id": ours}

    def _with_newest_legs(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        legs = body.get("legs") or ()
        if all(leg["status"] != "replaced" for leg in legs):
            return body
        newest = {leg["id"]: leg for leg in map(self._newest, legs)}
        return {**body, "legs": list(newest.values())}

    def _find(self, what: str, call: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return call(*arguments)
        except FAILURES as error:
            if says_not_found(error):
                return None
            raise explain_read(error, what) from error

    def _read(self, what: str, call: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return call(*arguments)
        except FAILURES as error:
            raise explain_read(error, what) from error

    # Writes.

    def submit(self, request: OrderRequest) -> BrokerOrder:
        """See Broker."""
        try:
            body = self._client.submit_order(
                symbol=request.symbol,
                qty=f"{request.qty.normalize():f}",
                side=request.side.value,
                type="limit" if request.limit_price or request.is_oco else "market",
                limit_price=str(request.limit_price) if request.limit_price else None,
                client_order_id=request.client_order_id,
                **_terms(request),
            )
        except FAILURES as error:
            raise _explain_submit(error, request) from error
        return _order(body)

    def cancel(self, order_id: str) -> None:
        """See Broker."""
        try:
            self._client.cancel_order(order_id)
        except FAILURES as error:
            if says_not_found(error) or status_of(error) == 422:  # noqa: PLR2004
                raise OrderNotCancelable(f"order {order_id}: {words_of(error)}") from error
            raise explain_read(error, f"the cancellation of order {order_id}") from error


def _terms(request: OrderRequest) -> dict[str, Any]:
    """What protects shares rests until it is filled or cancelled, beyond today; the limit of an OCO is its profit's."""
    if request.bracket is None:
        return {"time_in_force": "day"}
    terms: dict[str, Any] = {"time_in_force": "day" if request.today_only else "gtc"}
    if request.side is Side.SELL and not request.is_oco:
        return terms
    return terms | {
        "order_class": "oco" if request.is_oco else "bracket",
        "take_profit": {"limit_price": str(request.bracket.take_profit_price)},
        "stop_loss": {
            "stop_price": str(request.bracket.stop_price),
            "limit_price": str(request.bracket.stop_limit_price),
        },
    }


def _explain_submit(error: Exception, request: OrderRequest) -> OpenbellError:
    """What a failed submission means, by status and words together: one code covers several causes."""
    status, words = status_of(error), words_of(error)
    what = f"order {request.client_order_id}"
    if in_doubt(error):
        return OutcomeUnknown(f"{what}: no answer of the broker (status {status}): {words}")
    match status:
        case 429:
            return RateLimited(f"Alpaca refuses more requests for now ({what})")
        case 401:
            return KeysRefused(f"Alpaca refuses the keys: {words}")
        case 403 if "code" not in (getattr(error, "_error", None) or {}):
            return BrokerRefused(f"Alpaca refuses the account: {words}")
        case 409 | 422 if _says_duplicate(words):
            return OutcomeUnknown(f"{what} may have been sent before: {words}")
    return OrderRejected(words)


def _says_duplicate(words: str) -> bool:
    return "unique" in words and "client" in words and "order" in words


def _why_blocked(body: Mapping[str, Any]) -> str:
    reasons = [flag.replace("_", " ") for flag in _BLOCKS if body.get(flag)]
    if body.get("status") not in {"ACTIVE", "ACCOUNT_UPDATED"}:
        reasons.append(f"status {body.get('status')}")
    return ", ".join(reasons)


def _position(body: Mapping[str, Any]) -> BrokerPosition:
    sign = -1 if body.get("side") == "short" else 1
    size = _CONTRACT if body.get("asset_class") == "us_option" else 1
    qty = sign * abs(Decimal(body["qty"])) * size
    average = Decimal(body["avg_entry_price"])
    return BrokerPosition(
        symbol=body["symbol"],
        qty=qty,
        qty_available=Decimal(body.get("qty_available") or qty) if size == 1 else qty,
        average_price=average,
        price=Decimal(body["current_price"]) if body.get("current_price") else average,
    )


def _order(body: Mapping[str, Any], *, is_leg: bool = False) -> BrokerOrder:
    filled = body.get("filled_avg_price")
    return BrokerOrder(
        id=body["id"],
        client_order_id=body["client_order_id"],
        symbol=body["symbol"],
        side=Side(body["side"]),
        status=_ENDED.get(body["status"], OrderStatus.WORKING),  # a state that is new to us is not an end
        qty=Decimal(body.get("qty") or 0),
        filled_qty=Decimal(body.get("filled_qty") or 0),
        filled_avg_price=Decimal(filled) if filled else ZERO,
        kind=_leg_kind(body) if is_leg else LegKind.ENTRY,
        legs=tuple(_order(leg, is_leg=True) for leg in body.get("legs") or ()),
        limit_price=_usd(body.get("limit_price")),
        stop_price=_usd(body.get("stop_price")),
        expires_at=_instant(body["expires_at"]) if body.get("expires_at") else None,
        filled_at=_last_fill(body),
    )


def _last_fill(body: Mapping[str, Any]) -> datetime | None:
    """Of an order that is filled in part only the time of its last change is told."""
    at = body.get("filled_at") or (body.get("updated_at") if Decimal(body.get("filled_qty") or 0) else None)
    return _instant(at) if at else None


def _usd(text: str | None) -> Decimal | None:
    return Decimal(text) if text else None


def _leg_kind(body: Mapping[str, Any]) -> LegKind:
    return LegKind.TAKE_PROFIT if body["type"] == "limit" else LegKind.STOP


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
