"""What outlives the local cloud: every item and object that moto accepted is in a journal before anybody hears of it.

Kept are the items of the stack's DynamoDB tables and the objects of its S3 buckets; of an object that was overwritten
the journal forgets the earlier versions at the next start. Everything else is made from the template again.
"""

import base64
import io
import json
import re
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import batched
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Request, Response

from local.account import REGION, Clients
from local.failures import Failures, LocalCloudError
from local.journal import Entry, Journal

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ITEM_CHANGES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})
_OBJECT_CHANGES = frozenset({"PUT", "POST", "DELETE"})
_TARGET = "DynamoDB_20120810."
_BATCH = 25  # the most items that BatchWriteItem takes
# How a request travelled says nothing about what it means.
_OF_THE_JOURNEY = re.compile(
    r"(authorization|host|connection|user-agent|expect|accept-encoding|content-length|amz-sdk-)"
)


@dataclass(frozen=True)
class KeptRequest:
    """A request that changes something, without its signature."""

    service: str  # dynamodb or s3
    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""  # the body, if it is UTF-8
    base64: str = ""  # any other body

    @classmethod
    def of(cls, request: Request, service: str) -> "KeptRequest":
        """The request as it is kept."""
        headers = {name: value for name, value in request.headers.items() if not _OF_THE_JOURNEY.match(name.lower())}
        path = quote(request.path, safe="/~")
        return cls(service, request.method, path, request.query_string.decode(), headers, **_kept(request.get_data()))

    @property
    def content(self) -> bytes:
        """The body."""
        return base64.b64decode(self.base64) if self.base64 else self.text.encode()


def _kept(content: bytes) -> dict[str, str]:
    try:
        return {"text": content.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


class Keeper:
    """Stands before moto's application: what changes an item or an object is journalled before it is answered.

    With or without a journal, one request to DynamoDB is answered after the other: on AWS a condition and the write
    that it guards are one, in moto another thread may come between them.
    """

    def __init__(self, failures: Failures) -> None:
        self._failures = failures
        self._lock = threading.Lock()
        self._application: WSGIApplication
        self._journal: Journal | None = None
        self._kept: frozenset[str] = frozenset()  # names of tables and buckets
        self._broken = False

    def before(self, application: "WSGIApplication") -> "WSGIApplication":
        """The application with the keeper before it."""
        self._application = application
        return self._serve

    def record(self, journal: Journal, names: Collection[str]) -> None:
        """From now on journal what changes in the tables and buckets with these `names`."""
        self._kept, self._journal = frozenset(names), journal

    def close(self) -> None:
        """Journal nothing any more."""
        with self._lock:
            journal, self._journal = self._journal, None
        if journal:
            journal.close()

    def repeat(self, entries: Iterable[Entry]) -> None:
        """Let moto carry out what was journalled; LocalCloudError if it refuses, as it never does with our own."""
        for entry in entries:
            request = KeptRequest(**entry)
            answer = self._carry_out(request)
            if answer.status_code >= 300:  # noqa: PLR2004 every kind of success is below
                raise LocalCloudError(
                    f"what was kept cannot be made again: {request.method} {request.service} {request.path} "
                    f"{answer.get_data(as_text=True)[:300]}. The journal does not fit the template"
                )

    def present(self, tables: Iterable[str], buckets: Iterable[str], clients: Clients) -> Iterator[Entry]:
        """The shortest journal that gives what is in these tables and buckets now."""
        for table in tables:
            for items in batched(self._items(table), _BATCH, strict=False):
                puts = [{"PutRequest": {"Item": item}} for item in items]
                yield asdict(_dynamodb("BatchWriteItem", {"RequestItems": {table: puts}}))
        for bucket in buckets:
            for request in _objects(bucket, clients.get("s3")):
                yield asdict(request)

    def _items(self, table: str) -> Iterator[dict[str, Any]]:
        asked: dict[str, Any] = {"TableName": table}
        while True:
            page = json.loads(self._carry_out(_dynamodb("Scan", asked)).get_data())
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _carry_out(self, request: KeptRequest) -> Response:
        signed = f"AWS4-HMAC-SHA256 Credential=journal/20000101/{REGION}/{request.service}/aws4_request"
        environ = EnvironBuilder(
            path=request.path,
            query_string=request.query,
            method=request.method,
            headers=Headers({**request.headers, "Authorization": f"{signed}, SignedHeaders=host, Signature=0"}),
            data=request.content,
        ).get_environ()
        return Response(*run_wsgi_app(self._application, environ))

    def _serve(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        service = _service(environ)
        if service != "dynamodb" and (service != "s3" or self._journal is None):
            return self._application(environ, start_response)
        # Reads wait too: nobody shall act on something that a kill could still undo.
        with self._lock:
            if self._journal is None:
                return self._application(environ, start_response)
            return self._answer(Request(environ), service, self._journal)(environ, start_response)

    def _answer(self, request: Request, service: str, journal: Journal) -> Response:
        if self._broken:
            return Response("the journal could not be written: nothing is accepted any more", 500)
        kept = KeptRequest.of(request, service)
        environ = {**request.environ, "wsgi.input": io.BytesIO(request.get_data())}
        answer = Response(*run_wsgi_app(self._application, environ))
        if answer.status_code < 300 and self._is_change(kept):  # noqa: PLR2004
            try:
                journal.append(asdict(kept))
            except OSError as error:
                self._broken = True
                self._failures.add("journal", error)
                return Response(f"the journal could not be written: {error}", 500)
        return answer

    def _is_change(self, request: KeptRequest) -> bool:
        if request.service == "s3":
            bucket, _, key = request.path.strip("/").partition("/")
            of_objects = bool(key) or request.query.startswith("delete")  # many at once, named in the body
            return request.method in _OBJECT_CHANGES and of_objects and bucket in self._kept
        operation = request.headers.get("X-Amz-Target", "").removeprefix(_TARGET)
        return operation in _ITEM_CHANGES and _tables(operation, json.loads(request.content)) <= self._kept


def _service(environ: "WSGIEnvironment") -> str:
    """The service in the signature's scope."""
    found = re.search(r"Credential=[^/]*/\d+/[\w-]+/([\w-]+)/aws4_request", environ.get("HTTP_AUTHORIZATION", ""))
    return found[1].lower() if found else ""


def _tables(operation: str, body: Mapping[str, Any]) -> set[str]:
    match operation:
        case "BatchWriteItem":
            return set(body["RequestItems"])
        case "TransactWriteItems":
            return {action["TableName"] for each in body["TransactItems"] for action in each.values()}
    return {body["TableName"]}


def _dynamodb(operation: str, body: Mapping[str, Any]) -> KeptRequest:
    headers = {"X-Amz-Target": _TARGET + operation, "Content-Type": "application/x-amz-json-1.0"}
    return KeptRequest("dynamodb", "POST", "/", headers=headers, text=json.dumps(body))


def _objects(bucket: str, s3: Any) -> Iterator[KeptRequest]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    for found in (found for page in pages for found in page.get("Contents", [])):
        stored = s3.get_object(Bucket=bucket, Key=found["Key"])
        headers = {"Content-Type": stored["ContentType"]} | {
            f"x-amz-meta-{name}": value for name, value in stored["Metadata"].items()
        }
        path = f"/{bucket}/{quote(found['Key'], safe='/~')}"
        yield KeptRequest("s3", "PUT", path, headers=headers, **_kept(stored["Body"].read()))
