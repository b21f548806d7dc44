"""The file by which a running `openbell up` tells other commands where its local cloud is."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from openbell.errors import InvalidInput

ENDPOINT_FILE = Path(".openbell") / "endpoint.json"  # in the folder that the person is in


class Endpoint(BaseModel):
    """A local cloud that is running."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    endpoint_url: str
    access_key: str  # what requests to it are signed with
    stack_name: str = "openbell"
    exchange_url: str = ""
    exchange_key_id: str = ""
    exchange_secret_key: str = ""
    pid: int = 0  # of the service


def read_endpoint(path: Path = ENDPOINT_FILE) -> Endpoint | None:
    """What the file says, None if there is no file; InvalidInput if it cannot be understood."""
    try:
        return Endpoint.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise InvalidInput(
            f"{path}: does not say where the local cloud is; delete it, and start the cloud again with `openbell up`"
        ) from error
