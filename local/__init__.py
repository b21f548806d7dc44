"""The platform on a laptop: the same template, workflow and handlers that AWS gets."""

from local.alerts import Alert
from local.cloud import LocalCloud
from local.executions import ExecutionChange
from local.failures import DeployError, InternalError, LocalCloudError
from local.functions import Invocation
from local.log_shipper import Metric
from local.scheduler import Schedule

__all__ = [
    "Alert",
    "DeployError",
    "ExecutionChange",
    "InternalError",
    "Invocation",
    "LocalCloud",
    "LocalCloudError",
    "Metric",
    "Schedule",
]
