"""The part of the ledger that holds forecasts: all that the Forecast function writes."""

from collections.abc import Mapping, Sequence
from typing import Any

from openbell.adapters.dynamo import items
from openbell.adapters.dynamo.table import Table
from openbell.codec import from_json, to_json
from openbell.forecasts import Forecast


class ForecastTable(Table):
    """`openbell.ports.ForecastStore` over a boto3 DynamoDB client; what is written is forgotten after `keep_days`."""

    def __init__(self, client: Any, table: str, keep_days: int = items.KEEP_DAYS) -> None:
        super().__init__(client, table)
        self._keep_days = keep_days

    def save_forecasts(
        self, run_id: str, spec: str, forecasts: Sequence[Forecast], failures: Mapping[str, str]
    ) -> None:
        """See ForecastStore."""
        for forecast in forecasts:
            # As one text: dozens of numbers as attributes of their own take several times the room and the time.
            key = items.forecast_key(run_id, spec, forecast.symbol)
            item = items.item_with(key, symbol=forecast.symbol, forecast=to_json(forecast).decode())
            self._put(item | items.forgotten(self._keep_days))
        for symbol, failure in failures.items():
            item = items.item_with(items.forecast_key(run_id, spec, symbol), symbol=symbol, failure=failure)
            self._put(item | items.forgotten(self._keep_days))

    def forecasts(self, run_id: str, spec: str) -> dict[str, Forecast]:
        """See ForecastStore."""
        found = [item for item in self._query(*items.forecast_key(run_id, spec, "")) if "failure" not in item]
        return {item["symbol"]["S"]: from_json(Forecast, item["forecast"]["S"].encode()) for item in found}

    def forecast_failures(self, run_id: str, spec: str) -> dict[str, str]:
        """See ForecastStore."""
        found = self._query(*items.forecast_key(run_id, spec, ""))
        return {item["symbol"]["S"]: item["failure"]["S"] for item in found if "failure" in item}
