"""What is recorded says nothing of whose account it was."""

import re
from typing import Any

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_ACCOUNT = re.compile(r"\bPA[0-9A-Z]{6,}\b")
_KEY = re.compile(r"\b[APC]K[0-9A-Z]{14,}\b")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
_PRIVATE = re.compile(
    r"account_number|account_name|admin_configurations|user_configurations|name_of_account|given_name|family_name|email"
    r"|phone|street|city|postal|state_of|tax_id|date_of_birth|secret|key_id|password|token$|ip_address",
)
_MONEY = frozenset(  # how much somebody has is nobody's business; that it is text is what counts
    {
        "accrued_fees", "buying_power", "cash", "cash_transferable", "cash_withdrawable", "daytrading_buying_power",
        "effective_buying_power", "equity", "initial_margin", "last_equity", "last_maintenance_margin",
        "long_market_value", "maintenance_margin", "non_marginable_buying_power", "options_buying_power",
        "portfolio_value", "position_market_value", "regt_buying_power", "short_market_value", "sma", "bod_dtbp",
    }
)  # fmt: skip


class Sanitiser:
    """Replaces what is private; the same id gets the same stand-in, so that answers still refer to each other."""

    def __init__(self, *secrets: str) -> None:
        self._secrets = [secret for secret in secrets if secret]
        self._ids: dict[str, str] = {}

    def clean(self, value: Any, name: str = "") -> Any:
        """`value` of the field `name` without anything private."""
        match value:
            case dict():
                return {key: self.clean(inner, key) for key, inner in value.items()}
            case list():
                return [self.clean(inner, name) for inner in value]
            case str():
                return self._string(value, name)
            case int() | float() if not isinstance(value, bool):
                return 0 if _PRIVATE.search(name) else 1000 if name in _MONEY else value
        return value

    def _string(self, text: str, name: str) -> str:
        if _PRIVATE.search(name):
            return "x"
        return "1000.00" if name in _MONEY else self._text(text)

    def _text(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "x")
        text = _UUID.sub(lambda found: self._stand_in(found.group().lower()), text)
        for private in (_ACCOUNT, _KEY, _MAIL):
            text = private.sub("x", text)
        return text

    def _stand_in(self, uuid: str) -> str:
        number = len(self._ids) + 1
        return self._ids.setdefault(uuid, f"00000000-0000-4000-8000-{number:012d}")
