"""The archive in one S3 bucket."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from openbell.errors import StoreUnavailable

_MISSING = frozenset({"NoSuchKey", "404"})
_TRY_AGAIN = frozenset({"InternalError", "RequestTimeout", "ServiceUnavailable", "SlowDown", "503", "500"})


class S3Archive:
    """`openbell.ports.Archive` over a boto3 S3 client; StoreUnavailable when S3 does not answer for now."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, key: str, content: bytes) -> None:
        """See Archive."""
        self._send("put_object", Key=key, Body=content)

    def get(self, key: str) -> bytes:
        """See Archive."""
        content: bytes = self._send("get_object", Key=key)["Body"].read()
        return content

    def folders(self, under: str) -> list[str]:
        """The names of the folders directly under `under`, which ends with a slash. Needs the right to list."""
        found: list[str] = []
        more: dict[str, str] = {}
        while True:
            page = self._call("list_objects_v2", under, Prefix=under, Delimiter="/", **more)
            found += [entry["Prefix"].removeprefix(under).rstrip("/") for entry in page.get("CommonPrefixes", ())]
            if not page.get("IsTruncated"):
                return found
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def _send(self, operation: str, *, Key: str, **arguments: Any) -> dict[str, Any]:  # noqa: N803 the API's spelling
        return self._call(operation, Key, Key=Key, **arguments)

    def _call(self, operation: str, what: str, **arguments: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(Bucket=self._bucket, **arguments)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _MISSING:
                raise KeyError(what) from error
            if code in _TRY_AGAIN:
                raise StoreUnavailable(f"S3 refused {operation} of {what} for now: {code}") from error
            raise
        except BotoCoreError as error:
            raise StoreUnavailable(f"S3 did not answer {operation} of {what}: {error}") from error
        return answer
