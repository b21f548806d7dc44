"""CheckRelease: CloudFormation asks it, as a custom resource, whether a release may get runs.

It answers whatever happens, a layer that cannot be imported included, because CloudFormation would wait for it. So
nothing of ours is imported outside of what is answered for.
"""

import json
import logging
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any

_LONGEST_REASON = 1800  # letters; CloudFormation takes an answer of 4 KB
_PROBE = b'{"probe": true}'  # as in openbell.lambdas


def handler(event: dict[str, Any], context: Any) -> None:
    """Answer at the event's ResponseURL: SUCCESS, or FAILED with the reason for which the release is stopped."""
    try:
        refusal = _refusal(event) if event["RequestType"] != "Delete" else ""
    except Exception as error:  # whatever is wrong with the release, CloudFormation must hear of it
        logging.exception("the check itself failed")
        refusal = f"the release cannot be checked: {type(error).__name__}: {error}"
    _answer(event, context, refusal)


def _refusal(event: dict[str, Any]) -> str:
    """Why the release may not get runs; empty if it may."""
    from openbell import bootstrap  # noqa: PLC0415 see above

    wanted = event["ResourceProperties"]
    key = f"releases/passed/{sha256(''.join(sorted(wanted['Functions'])).encode()).hexdigest()[:16]}.json"
    first = event["RequestType"] == "Create"  # there is no run yet, and nothing fires
    if not first and _has_passed(key):
        return ""  # CloudFormation goes back to it after another release was stopped
    if not first and (refusal := _different(wanted) or _not_loaded(wanted["Functions"])):
        return refusal
    bootstrap.archive().put(key, json.dumps(wanted).encode())
    return ""


def _has_passed(key: str) -> bool:
    from openbell import bootstrap  # noqa: PLC0415

    try:
        bootstrap.archive().get(key)
    except KeyError:
        return False
    return True


def _different(wanted: dict[str, Any]) -> str:
    """Which runs it would have decided otherwise, unless that is approved; empty if none."""
    from openbell import bootstrap  # noqa: PLC0415
    from openbell.strategies import build_strategies  # noqa: PLC0415
    from openbell.workflow.check_release import approve, check_runs  # noqa: PLC0415

    build_strategies(bootstrap.config())  # that it will run with; the check below has the runs' own
    folder = bootstrap.settings().config_file.parent
    checked = check_runs(bootstrap.ledger(), bootstrap.archive(), folder)
    different = sorted((each for each in checked if not each.same), key=lambda each: bool(each.digest))  # worst first
    for each in different:
        print(json.dumps({"run": each.run_id, "differences": each.differences}))  # noqa: T201 the log has all of them
    if not different:
        return ""
    name = wanted["Release"].partition("-")[2]
    if name and wanted["ApprovedDifferences"] == name:
        approve(different, bootstrap.archive())
        return ""
    shown = "; ".join(f"run {each.run_id}: {', '.join(each.differences)}" for each in different[:3])
    return (
        f"{len(different)} of the last {len(checked)} runs would have been decided otherwise. "
        f"If that is meant, deploy the same with ApprovedDifferences={name or '(the release has no name)'}. {shown}"
    )


def _not_loaded(functions: list[str]) -> str:
    """Which functions of the release do not start; empty if all do."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        found = list(pool.map(_probe, functions))
    return "; ".join(filter(None, found))


def _probe(function: str) -> str:
    from openbell import bootstrap  # noqa: PLC0415

    answer = bootstrap.lambda_client().invoke(FunctionName=function, Payload=_PROBE)
    told = answer["Payload"].read().decode()
    return f"{function} does not start: {told[:300]}" if answer.get("FunctionError") else ""


def _answer(event: dict[str, Any], context: Any, refusal: str) -> None:
    answer = {
        "Status": "FAILED" if refusal else "SUCCESS",
        "Reason": refusal[:_LONGEST_REASON] or "it decides as the release before",
        "PhysicalResourceId": context.function_name,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": {"Release": event["ResourceProperties"]["Release"]},
    }
    print(f"release check: {answer['Status']}: {answer['Reason']}; request {context.aws_request_id}")  # noqa: T201
    request = urllib.request.Request(  # noqa: S310 the address is CloudFormation's
        event["ResponseURL"], json.dumps(answer).encode(), {"Content-Type": ""}, method="PUT"
    )
    urllib.request.urlopen(request, timeout=30).close()  # noqa: S310
