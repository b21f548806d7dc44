"""The arguments of the forecast commands, checked before any prices are read."""

from datetime import date

from openbell.errors import InvalidInput
from openbell.forecasting.options import ForecastOptions, OptionError


def parse_options(preset: str, horizon: int, history: int, interval: float) -> ForecastOptions:
    """The options of a forecast; InvalidInput names the one that is wrong and what is allowed."""
    try:
        return ForecastOptions.preset(preset, horizon=horizon, history=history, interval_width=interval)
    except OptionError as error:
        raise InvalidInput(str(error).replace("interval_width", "interval")) from error


def parse_tickers(text: str) -> tuple[str, ...]:
    """Tickers in a comma-separated list as the broker spells them (BRK.B), each once; InvalidInput for an empty one."""
    tickers = [name.strip().upper().replace("-", ".") for name in text.split(",")]
    if not all(tickers):
        raise InvalidInput(f"tickers {text!r}: expected names separated by commas, such as AAPL,MSFT")
    return tuple(dict.fromkeys(tickers))


def parse_date(text: str, option: str) -> date | None:
    """A date, None for an empty text; InvalidInput for anything else, and for dates that do not exist."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidInput(f"{option} {text}: {error}; expected a date such as 2022-06-15") from error
