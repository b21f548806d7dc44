import json

from tests.contract.sanitise import Sanitiser

ACCOUNT = {
    "id": "904837e3-3b76-47ec-b432-046db621571b",
    "account_number": "PA3ABCDEFGHI",
    "status": "ACTIVE",
    "cash": "12345.67",
    "daytrade_count": 0,
    "trading_blocked": False,
    "admin_configurations": {"allow_instant_ach": True},
    "email": "jane@example.com",
    "given_name": "Jane",
    "note": "key PKABCDEFGHIJKLMNOP12 of PA3ABCDEFGHI, jane@example.com, s3cr3t",
    "created_at": "2021-03-16T18:38:01Z",
}
PRIVATE = ("904837e3", "PA3ABC", "12345.67", "jane@example.com", "Jane", "PKABC", "s3cr3t")


def test_nothing_private_is_left_and_everything_else_is() -> None:
    cleaned = Sanitiser("PKABCDEFGHIJKLMNOP12", "s3cr3t").clean(ACCOUNT)
    text = json.dumps(cleaned)
    assert [word for word in PRIVATE if word in text] == []
    assert cleaned.keys() == ACCOUNT.keys()
    assert (cleaned["status"], cleaned["created_at"], cleaned["daytrade_count"]) == ("ACTIVE", ACCOUNT["created_at"], 0)
    assert cleaned["trading_blocked"] is False


def test_every_field_keeps_its_type() -> None:
    cleaned = Sanitiser().clean(ACCOUNT)
    assert {name: type(value) for name, value in cleaned.items()} == {n: type(v) for n, v in ACCOUNT.items()}


def test_one_id_has_one_stand_in_in_all_answers() -> None:
    sanitiser = Sanitiser()
    first, second = "904837e3-3b76-47ec-b432-046db621571b", "11111111-2222-3333-4444-555555555555"
    order = sanitiser.clean({"id": first, "replaces": second})
    assert sanitiser.clean([{"order_id": second, "path": f"/v2/orders/{first.upper()}"}]) == [
        {"order_id": order["replaces"], "path": f"/v2/orders/{order['id']}"}
    ]
    assert order["id"] != order["replaces"]


def test_what_is_nested_is_cleaned_too() -> None:
    assert Sanitiser().clean({"legs": [{"account": {"tax_id": "1", "city": ["X", "Y"]}}]}) == {
        "legs": [{"account": {"tax_id": "x", "city": ["x", "x"]}}]
    }
