"""The environment of the functions, read once and checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import openbell
from openbell.errors import ConfigError, explain

LAYER = Path(openbell.__file__).resolve().parents[1]  # the folder that holds the package, and the config beside it
_PREFIX = "OPENBELL_"


class Settings(BaseModel):
    """What template.yaml tells a function. A function gets only what it needs; the rest stays empty."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    table: str = ""
    keep_days: int = Field(default=730, ge=1)  # runs in the table
    bucket: str = ""
    alerts_topic: str = ""  # ARN
    event_bus: str = ""  # name
    mode: Literal["paper", "live"] = "paper"
    broker_url: str = ""
    data_url: str = ""
    broker_secret: str = ""  # ARN of a secret with key_id and secret_key
    market_data: Literal["alpaca", "yahoo"] = "alpaca"  # which is asked first; the other one fills its gaps
    data_feed: Literal["iex", "sip"] = "iex"  # of Alpaca's last prices
    forecast_lambdas: int = Field(default=40, ge=1, le=40)  # at once
    config: str = "config/strategies.yaml"  # relative to the layer

    @property
    def prices_are_of_today(self) -> bool:
        """Whether the data host is Alpaca's: an exchange that replays history has prices of other days than Yahoo."""
        return (urlsplit(self.data_url).hostname or "").endswith(".alpaca.markets")

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """The settings in `env`; ConfigError names the variable and what is allowed."""
        given = {key.removeprefix(_PREFIX).lower(): value for key, value in env.items() if key.startswith(_PREFIX)}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise ConfigError(explain(error, "environment OPENBELL_*")) from error

    def need(self, *names: str) -> None:
        """ConfigError unless each of the named settings is given."""
        missing = [f"{_PREFIX}{name.upper()}" for name in names if not getattr(self, name)]
        if missing:
            raise ConfigError(f"the function's environment lacks {', '.join(missing)}; template.yaml must set it")

    @property
    def config_file(self) -> Path:
        """Where the strategies are configured."""
        return LAYER / self.config
