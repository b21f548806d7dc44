"""The workflow's executions in AWS Step Functions."""

import logging
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

_LOG = logging.getLogger(__name__)
_ALIVE = frozenset({"RUNNING", "PENDING_REDRIVE"})


class StepFunctionsExecutions:
    """`openbell.ports.Executions` over a boto3 Step Functions client, for the workflow that `own_arn` is one of."""

    def __init__(self, client: Any, own_arn: str) -> None:
        self._client = client
        self._prefix = own_arn.rpartition(":")[0]  # an execution's ARN ends with its name

    def ended(self, name: str) -> bool:
        """See Executions."""
        arn = f"{self._prefix}:{name}"
        try:
            status = self._client.describe_execution(executionArn=arn)["status"]
        except (BotoCoreError, ClientError) as error:
            _LOG.warning("whether %s has ended is not known: %s", arn, error)
            return False
        return status not in _ALIVE
