"""What the platform relies on, one promise a function. Each trades a share or two, and leaves nothing behind."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from openbell.model import LegKind, OrderStatus
from tests.contract.api import Answer, Api, NotOffered, new_id

type Scenario = Callable[[Api], None]

_NOT_FOUND, _UNPROCESSABLE = 404, 422
_REFUSALS = {400, 403, 422}


def account_and_clock(api: Api) -> None:
    """Money is text, flags are booleans, instants have a zone."""
    account = api.get("account", "/v2/account").body
    for name in ("equity", "last_equity", "cash", "buying_power"):
        assert isinstance(account[name], str), name
        assert Decimal(account[name]).is_finite(), name
    for name in ("account_blocked", "trading_blocked", "trade_suspended_by_user"):
        assert account[name] is False, name
    assert account["status"] == "ACTIVE"
    clock = api.get("clock", "/v2/clock").body
    assert clock["is_open"] in {True, False}
    assert api.broker.clock().next_close > api.broker.clock().now
    assert api.broker.account().blocked == ""


def asset(api: Api) -> None:
    """What may be traded, and in fractions."""
    found = api.get("asset", f"/v2/assets/{api.symbol}").body
    assert (found["tradable"], found["status"], found["class"]) == (True, "active", "us_equity")
    assert found["fractionable"] in {True, False}
    assert api.symbol in api.broker.tradable_symbols()
    assert api.get("no asset", "/v2/assets/NOSUCHTICKERX").status == _NOT_FOUND


def bracket_filled(api: Api) -> None:
    """An entry fills; its legs are there from the start, rest good till cancelled, and hold the shares."""
    api.need_open_market()
    order = _bracket(api, stop=0.5, profit=1.5)
    assert sorted(leg["type"] for leg in order["legs"]) == ["limit", "stop_limit"]
    filled = api.until("filled entry", order["id"], lambda found: found["status"] == "filled")
    assert filled["filled_qty"] == "1"
    assert Decimal(filled["filled_avg_price"]) > 0
    for leg in filled["legs"]:
        assert leg["side"] == "sell"
        assert leg["time_in_force"] == "gtc"
        assert leg["status"] in {"new", "held", "accepted"}, leg["status"]
    seen = api.broker.find_order(order["client_order_id"])
    assert seen is not None
    assert seen.status is OrderStatus.FILLED
    assert {leg.kind for leg in seen.legs} == {LegKind.STOP, LegKind.TAKE_PROFIT}
    assert all(leg.status is OrderStatus.WORKING for leg in seen.legs)
    held = api.post("sale of held shares", side="sell", qty="1", type="market", time_in_force="day")
    assert held.status in _REFUSALS, "shares that rest in legs can be sold twice"
    _end_bracket(api, filled)


def bracket_stopped_out(api: Api) -> None:
    """The stop fires: its leg is filled, the profit target is cancelled by itself, the position is gone."""
    api.need_open_market()
    order = _bracket(api, stop=0.998, profit=1.5)
    api.until("filled entry", order["id"], lambda found: found["status"] == "filled")
    out = api.until("stopped out", order["id"], _one_leg_filled, moves=True)
    ends = {leg["type"]: leg["status"] for leg in out["legs"]}
    assert ends == {"stop_limit": "filled", "limit": "canceled"}
    assert api.get("no position", f"/v2/positions/{api.symbol}").status == _NOT_FOUND


def replaced_by_hand(api: Api) -> None:
    """A person changes a price: a new order takes the old one's place, and each knows the other."""
    order = _resting(api, "resting", limit_price=_cents(api.price() * 0.6))
    changed = api.patch("change", order["id"], limit_price=_cents(api.price() * 0.55))
    assert changed.status == 200, changed.body
    assert changed.body["id"] != order["id"]
    assert changed.body["replaces"] == order["id"]
    before = api.until("replaced", order["id"], lambda found: found["status"] == "replaced")
    assert before["replaced_by"] == changed.body["id"]
    _withdraw(api, changed.body["id"])


def expiry(api: Api) -> None:
    """An order for the day says when it expires; cancelling is answered with nothing, cancelling again with 422."""
    order = _resting(api, "for the day", limit_price=_cents(api.price() * 0.6), time_in_force="day")
    assert isinstance(api.order("day order", order["id"])["expires_at"], str)
    lasting = _resting(api, "till cancelled", limit_price=_cents(api.price() * 0.6), time_in_force="gtc")
    assert "expires_at" in api.order("gtc order", lasting["id"])
    for each in (order, lasting):
        _withdraw(api, each["id"])
    assert api.cancel("cancelled twice", order["id"]).status == _UNPROCESSABLE


def far_limits(api: Api) -> None:
    """A bracket half and twice the price away is accepted, and so is a limit far below the market."""
    order = _resting(api, "far limit", limit_price=_cents(api.price() * 0.3), time_in_force="gtc")
    _withdraw(api, order["id"])
    price = api.price()
    far = api.post(
        "far bracket", side="buy", qty="1", type="limit", limit_price=_cents(price * 0.6), time_in_force="gtc",
        order_class="bracket", client_order_id=new_id(), take_profit={"limit_price": _cents(price * 2)},
        stop_loss={"stop_price": _cents(price * 0.3), "limit_price": _cents(price * 0.27)},
    )  # fmt: skip
    assert far.status == 200, far.body
    _withdraw(api, far.body["id"])


def fractional(api: Api) -> None:
    """Fractions of a share are bought at the market for the day, and neither till cancelled nor in a bracket."""
    terms = {"side": "buy", "qty": "0.5", "type": "market", "client_order_id": new_id()}
    assert api.post("fraction till cancelled", **terms, time_in_force="gtc").status in _REFUSALS
    price = api.price()
    protected = {
        "order_class": "bracket",
        "take_profit": {"limit_price": _cents(price * 1.5)},
        "stop_loss": {"stop_price": _cents(price * 0.5), "limit_price": _cents(price * 0.45)},
    }
    assert api.post("fraction in a bracket", **terms, **protected, time_in_force="day").status in _REFUSALS
    api.need_open_market()
    order = api.post("fraction", **terms, time_in_force="day")
    assert order.status == 200, order.body
    filled = api.until("filled fraction", order.body["id"], lambda found: found["status"] == "filled")
    assert Decimal(filled["filled_qty"]) == Decimal("0.5")
    _sell(api, "0.5")


def notional_refused(api: Api) -> None:
    """An order in dollars and shares at once, in a bracket, or below a dollar is refused."""
    terms = {"side": "buy", "type": "market", "time_in_force": "day"}
    assert api.post("both", **terms, qty="1", notional="10").status in _REFUSALS
    assert api.post("too small", **terms, notional="0.5").status in _REFUSALS
    legs = {"take_profit": {"limit_price": "99999"}, "stop_loss": {"stop_price": "0.02", "limit_price": "0.01"}}
    assert api.post("dollars in a bracket", **terms, notional="10", order_class="bracket", **legs).status in _REFUSALS


def same_id_twice(api: Api) -> None:
    """The broker takes a client_order_id once, for ever, and says so in words that the platform knows."""
    name = new_id()
    order = _resting(api, "first", limit_price=_cents(api.price() * 0.6), client_order_id=name)
    again = _rest(api, "again", limit_price=_cents(api.price() * 0.6), client_order_id=name)
    assert again.status in {409, _UNPROCESSABLE}
    words = again.body["message"].lower()
    assert all(word in words for word in ("unique", "client", "order")), words
    _withdraw(api, order["id"])
    assert _rest(api, "after its end", limit_price=_cents(api.price() * 0.6), client_order_id=name).status != 200
    assert api.broker.find_order(name) is not None
    assert api.broker.find_order(new_id()) is None


def list_pages(api: Api) -> None:
    """Lists go on after an order that is named, oldest first, and leave nothing out."""
    sent = [_resting(api, f"order {n}", limit_price=_cents(api.price() * 0.6))["id"] for n in range(3)]
    query = {"status": "open", "direction": "asc", "nested": "true", "limit": 2}
    first = api.get("first page", "/v2/orders", **query, symbols=api.symbol).body
    assert len(first) == 2
    found, last = [order["id"] for order in first], first[-1]["id"]
    while page := api.get("next page", "/v2/orders", **query, after_order_id=last).body:
        found += [order["id"] for order in page]
        last = page[-1]["id"]
    assert [order for order in found if order in sent] == sent
    for each in sent:
        _withdraw(api, each)


def activities(api: Api) -> None:
    """A fill is an activity with its order's id; pages go on after the last one's id."""
    api.need_open_market()
    order = api.post("buy", side="buy", qty="1", type="market", time_in_force="day", client_order_id=new_id())
    api.until("bought", order.body["id"], lambda found: found["status"] == "filled")
    _sell(api, "1")
    page = api.get("activities", "/v2/account/activities/FILL", page_size=1, direction="desc").body
    assert len(page) == 1
    fill = page[0]
    assert (fill["activity_type"], fill["symbol"], fill["side"]) == ("FILL", api.symbol, "sell")
    assert all(isinstance(fill[name], str) for name in ("qty", "price", "cum_qty", "transaction_time"))
    following = api.get("next activities", "/v2/account/activities/FILL", page_size=1, page_token=fill["id"]).body
    assert following[0]["order_id"] == order.body["id"]


def corporate_actions(api: Api) -> None:
    """Splits are told with their dates and both rates."""
    query = {"symbols": "AAPL", "types": "forward_split", "start": "2020-08-01", "end": "2020-09-30"}
    found = api.data("splits", "/v1/corporate-actions", **query)
    if found.status == _NOT_FOUND:
        raise NotOffered("/v1/corporate-actions")
    assert found.status == 200, found.body
    for split in found.body["corporate_actions"].get("forward_splits", []):
        assert Decimal(str(split["new_rate"])) / Decimal(str(split["old_rate"])) == 4
        assert split["ex_date"] == "2020-08-31"


def feeds(api: Api) -> None:
    """Bars up to yesterday and the latest trade; a feed that is not paid for is refused, not answered wrongly."""
    bars = api.data("bars", f"/v2/stocks/{api.symbol}/bars", timeframe="1Day", feed="sip", limit=5, **_last_month(api))
    assert bars.status == 200, bars.body
    assert set(bars.body["bars"][0]) >= {"t", "o", "h", "l", "c", "v"}
    assert api.data("iex trade", f"/v2/stocks/{api.symbol}/trades/latest", feed="iex").body["trade"]["p"] > 0
    assert api.data("sip trade", f"/v2/stocks/{api.symbol}/trades/latest", feed="sip").status in {200, 403}


SCENARIOS: tuple[Scenario, ...] = (
    account_and_clock,
    asset,
    feeds,
    corporate_actions,
    notional_refused,
    same_id_twice,
    expiry,
    far_limits,
    replaced_by_hand,
    list_pages,
    fractional,
    bracket_filled,
    bracket_stopped_out,
    activities,
)


def _bracket(api: Api, *, stop: float, profit: float) -> dict[str, Any]:
    """One share with protection at these multiples of the price."""
    price = api.price()
    answer = api.post(
        "bracket", side="buy", qty="1", type="market", time_in_force="gtc", order_class="bracket",
        client_order_id=new_id(), take_profit={"limit_price": _cents(price * profit)},
        stop_loss={"stop_price": _cents(price * stop), "limit_price": _cents(price * stop * 0.5)},
    )  # fmt: skip
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.body
    return found


def _one_leg_filled(order: dict[str, Any]) -> bool:
    return any(leg["status"] == "filled" for leg in order["legs"])


def _end_bracket(api: Api, order: dict[str, Any]) -> None:
    """Cancel what still rests (one leg takes the other with it), and sell the share."""
    for leg in order["legs"]:
        api.cancel("leg cancelled", leg["id"])
    api.until("legs ended", order["id"], lambda found: not any(_rests(leg) for leg in found["legs"]))
    if api.get("position", f"/v2/positions/{api.symbol}").status == 200:
        _sell(api, "1")


def _rests(leg: dict[str, Any]) -> bool:
    return leg["status"] not in {"canceled", "filled", "expired", "rejected", "replaced"}


def _rest(api: Api, label: str, **terms: Any) -> Answer:
    usual = {"side": "buy", "qty": "1", "type": "limit", "time_in_force": "day", "client_order_id": new_id()}
    return api.post(label, **usual | terms)


def _resting(api: Api, label: str, **terms: Any) -> dict[str, Any]:
    """A buy that is not filled."""
    answer = _rest(api, label, **terms)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.body
    return found


def _withdraw(api: Api, order_id: str) -> None:
    answer = api.cancel("cancelled", order_id)
    assert (answer.status, answer.body) == (204, None)
    api.until("withdrawn", order_id, lambda found: found["status"] == "canceled")


def _sell(api: Api, qty: str) -> None:
    sale = api.post("sale", side="sell", qty=qty, type="market", time_in_force="day", client_order_id=new_id())
    assert sale.status == 200, sale.body
    api.until("sold", sale.body["id"], lambda found: found["status"] == "filled")


def _last_month(api: Api) -> dict[str, str]:
    """From a month ago to yesterday, by the broker's clock."""
    today = api.broker.clock().session
    return {"start": f"{today - timedelta(days=31)}", "end": f"{today - timedelta(days=1)}"}


def _cents(price: float) -> str:
    return f"{price:.2f}"
