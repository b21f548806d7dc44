"""The paper exchange as the broker of a local cloud."""

import json

from local import LocalCloud
from paper import Credentials


def parameters_for(url: str) -> dict[str, str]:
    """The template's parameters with which a stack trades on schedule at the exchange that serves at `url`."""
    chosen = {"MarketData": "alpaca", "TradingMode": "paper", "ScheduleState": "ENABLED"}
    return {"BrokerUrl": url, "DataUrl": url} | chosen


def hand_over(keys: Credentials, cloud: LocalCloud) -> None:
    """Fill in the stack's secret, as a person does on AWS."""
    cloud.client("secretsmanager").put_secret_value(
        SecretId=cloud.outputs["BrokerSecretArn"],
        SecretString=json.dumps({"key_id": keys.key_id, "secret_key": keys.secret_key}),
    )
