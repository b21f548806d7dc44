"""Where the local cloud lives: its account, its region, and clients that cannot reach anything else."""

import os
import threading
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

ACCOUNT_ID = "123456789012"
REGION = "us-east-1"

# Neither profiles nor files nor proxies of the caller: only the endpoint that is given.
_HERMETIC = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
_STRICT = Config(
    connect_timeout=5, read_timeout=900, retries={"total_max_attempts": 1}, max_pool_connections=50, proxies={}
)
_LENIENT = _STRICT.merge(Config(parameter_validation=False))


def hermetic_core() -> botocore.session.Session:
    """A botocore session that reads none of the caller's AWS settings."""
    return botocore.session.Session(session_vars=_HERMETIC)


def hermetic_session(access_key: str = "unused") -> boto3.Session:
    """A session that reads none of the caller's AWS settings; `access_key` is a local cloud's token."""
    return boto3.Session(
        aws_access_key_id=access_key,
        aws_secret_access_key=access_key,
        region_name=REGION,
        botocore_session=hermetic_core(),
    )


class Clients:
    """boto3 clients of one endpoint, each made once; safe to use from several threads.

    A lenient one leaves the check of parameters to the service, as Step Functions does.
    """

    def __init__(self, endpoint_url: str, access_key: str, *, lenient: bool = False) -> None:
        self._endpoint_url = endpoint_url
        self._config = _LENIENT if lenient else _STRICT
        self._lock = threading.Lock()
        self._made: dict[str, Any] = {}
        self._session = hermetic_session(access_key)

    def get(self, service: str) -> Any:
        """The client of `service`, by boto3's name of it."""
        with self._lock:
            if service not in self._made:
                self._made[service] = self._session.client(
                    service, endpoint_url=self._endpoint_url, config=self._config
                )
            return self._made[service]

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for client in self._made.values():
                client.close()
            self._made.clear()
