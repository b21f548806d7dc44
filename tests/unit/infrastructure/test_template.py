import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pyawscron import AWSCron

from openbell.adapters.dynamo.items import FORGET
from tests.unit.infrastructure.sources import ROOT, expanded, functions, machine, resolve, resources, template

BROKER = {"OPENBELL_BROKER_URL", "OPENBELL_DATA_URL", "OPENBELL_BROKER_SECRET"}
COMMON = {
    "OPENBELL_MODE",
    "OPENBELL_CONFIG",
    "POWERTOOLS_SERVICE_NAME",
    "POWERTOOLS_METRICS_NAMESPACE",
    "POWERTOOLS_LOG_LEVEL",
}
BOOKS, BUCKET = {"OPENBELL_TABLE"}, {"OPENBELL_BUCKET"}
TABLE = BOOKS | {"OPENBELL_KEEP_DAYS"}  # of what writes to it
TOPIC, BUS = {"OPENBELL_ALERTS_TOPIC"}, {"OPENBELL_EVENT_BUS"}
ENVIRONMENT = {
    "OpenRunFunction": TABLE | BUCKET | TOPIC | BUS | BROKER,
    "SelectUniverseFunction": BUCKET
    | BROKER
    | {"OPENBELL_MARKET_DATA", "OPENBELL_DATA_FEED", "OPENBELL_FORECAST_LAMBDAS"},
    "ForecastFunction": TABLE | BUCKET,
    "AggregateSignalsFunction": TABLE | BUCKET,
    "ExecuteOrderFunction": TABLE | BROKER,
    "SettleOrdersFunction": TABLE | BUCKET | BROKER,
    "CloseRunFunction": TABLE | BUCKET | TOPIC | BUS | BROKER,
    "CheckReleaseFunction": BOOKS | BUCKET,
    "WidgetsFunction": BOOKS | BUCKET,
    "BacktestFoldFunction": BUCKET,
}
FOLDER = dict.fromkeys(ENVIRONMENT, "runs") | {"BacktestFoldFunction": "sweeps"}  # of the bucket, that it may see
PASS_NO_CATCH = ["States.DataLimitExceeded", "States.Runtime"]  # not even States.ALL catches them
MACHINES = {"StateMachine": "trading", "SweepMachine": "sweep"}
# The service that each setting lets a function reach: what it may do follows from what it is told, and the reverse.
SERVICE = {
    "OPENBELL_TABLE": "dynamodb",
    "OPENBELL_BUCKET": "s3",
    "OPENBELL_ALERTS_TOPIC": "sns",
    "OPENBELL_EVENT_BUS": "events",
    "OPENBELL_BROKER_SECRET": "secretsmanager",
}


def _statements(properties: dict[str, Any]) -> list[dict[str, Any]]:
    return [statement for policy in properties["Policies"] for statement in policy["Statement"]]


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_the_sam_transform_accepts_the_template() -> None:
    kinds = [resource["Type"] for resource in expanded()["Resources"].values()]
    assert kinds.count("AWS::Lambda::Function") == 10
    assert kinds.count("AWS::Scheduler::Schedule") == 6
    assert kinds.count("AWS::StepFunctions::StateMachine") == 2
    assert not [kind for kind in kinds if kind.startswith("AWS::Serverless")]


@pytest.mark.parametrize("name", MACHINES)
def test_every_placeholder_of_a_state_machine_is_substituted_and_no_other(name: str) -> None:
    text = (ROOT / "statemachine" / f"{MACHINES[name]}.asl.json").read_text()
    assert set(re.findall(r"\$\{(\w+)\}", text)) == set(_workflow(name)["DefinitionSubstitutions"])


@pytest.mark.parametrize("machine_name", MACHINES)
def test_a_substitution_named_after_a_function_is_one_version_of_it(machine_name: str) -> None:
    for name, value in _workflow(machine_name)["DefinitionSubstitutions"].items():
        if name.endswith("FunctionArn"):
            assert value == {"Ref": f"{name.removesuffix('Arn')}.Version"}


@pytest.mark.parametrize("machine_name", MACHINES)
def test_a_workflow_may_invoke_every_version_of_its_functions_for_runs_go_on_after_a_deployment(
    machine_name: str,
) -> None:
    called = {name.removesuffix("Arn") for name in _workflow(machine_name)["DefinitionSubstitutions"]}
    (statement,) = [s for s in _statements(_workflow(machine_name)) if s["Action"] == "lambda:InvokeFunction"]
    allowed = [resource["Fn::Sub"] for resource in _as_list(statement["Resource"])]
    assert set(allowed) == {f"${{{name}.Arn}}:*" for name in called if name.endswith("Function")}


def test_a_new_release_is_a_new_version_of_every_function_and_old_ones_stay() -> None:
    for name, properties in functions().items():
        assert properties["AutoPublishCodeSha256"] == {"Ref": "Release"}, name
        assert properties["AutoPublishAliasAllProperties"] is True, name
    versions = [r for r in expanded()["Resources"].values() if r["Type"].endswith(("Version", "LayerVersion"))]
    assert len(versions) == len(functions()) + 2  # the layer, and the machine that trades
    assert {version["DeletionPolicy"] for version in versions} == {"Retain"}
    assert resources("AWS::Serverless::LayerVersion")["SharedLayer"]["PublishLambdaVersion"] is True


def test_every_tick_starts_the_release_that_is_live() -> None:
    ticks = resources("AWS::Serverless::StateMachine")["StateMachine"]["Events"]
    assert len(_schedules()) == len(ticks) == 3


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_function_is_told_what_it_needs_and_no_more(name: str) -> None:
    common = template()["Globals"]["Function"]["Environment"]["Variables"]
    assert set(common) == COMMON
    assert set(functions()[name]["Environment"]["Variables"]) == ENVIRONMENT[name]


def test_no_function_is_missing_from_these_tests() -> None:
    assert set(functions()) == set(ENVIRONMENT)


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_function_may_reach_the_services_that_it_is_told_of_and_no_other(name: str) -> None:
    allowed = {
        action.split(":")[0] for statement in _statements(functions()[name]) for action in _as_list(statement["Action"])
    }
    asks_others = {"lambda"} if name == "CheckReleaseFunction" else set()  # whether they start
    assert allowed == {SERVICE[key] for key in ENVIRONMENT[name] if key in SERVICE} | asks_others


def test_only_what_knows_no_resource_is_allowed_on_everything() -> None:
    everything = {
        statement.get("Sid", "?")
        for statement in _all_statements()
        if "*" in _as_list(statement["Resource"]) or "*" in _as_list(statement["Action"])
    }
    assert everything == {"DeliverLogs", "WriteMetrics"}


def test_no_policy_allows_a_whole_service() -> None:
    assert not [a for statement in _all_statements() for a in _as_list(statement["Action"]) if "*" in a]


def test_the_check_of_a_release_writes_nothing_but_what_passed_and_asks_the_functions_of_a_run_only() -> None:
    statements = {statement["Sid"]: statement for statement in _statements(functions()["CheckReleaseFunction"])}
    writing = [sid for sid, s in statements.items() if any("Put" in action for action in _as_list(s["Action"]))]
    assert writing == ["KeepWhatPassed"]
    (of_machine,) = [s for s in _statements(_workflow("StateMachine")) if s["Action"] == "lambda:InvokeFunction"]
    assert statements["AskWhetherTheyStart"]["Resource"] == of_machine["Resource"]


def test_a_release_gets_no_run_before_it_has_passed_the_check() -> None:
    check = resources("Custom::ReleaseCheck")["ReleaseCheck"]
    asked = {version["Ref"] for version in check["Functions"]}
    substitutions = _workflow("StateMachine")["DefinitionSubstitutions"]
    assert asked == {value["Ref"] for name, value in substitutions.items() if name.endswith("FunctionArn")}
    assert substitutions["Release"] == {"Fn::GetAtt": ["ReleaseCheck", "Release"]}  # so CloudFormation waits for it


@pytest.mark.parametrize("name", FOLDER)
def test_a_function_reads_and_writes_its_own_folder_of_the_bucket_only(name: str) -> None:
    for statement in _statements(functions()[name]):
        if {"s3:GetObject", "s3:PutObject"} & set(_as_list(statement["Action"])):
            own = "releases" if statement["Sid"] == "KeepWhatPassed" else FOLDER[name]
            folder = f"arn:${{AWS::Partition}}:s3:::${{ArchiveName.Value}}/{own}/*"
            assert statement["Resource"] == {"Fn::Sub": folder}


def test_a_sweep_may_start_batches_of_itself_and_nothing_else() -> None:
    policy = resources("AWS::IAM::Policy")["SweepMayRunItsBatches"]
    assert policy["Roles"] == [{"Ref": "SweepMachineRole"}]
    start, follow = policy["PolicyDocument"]["Statement"]
    assert (start["Action"], start["Resource"]) == ("states:StartExecution", {"Ref": "SweepMachine"})
    assert follow["Resource"]["Fn::Sub"].endswith(":execution:${SweepMachine.Name}/*")
    allowed = {action for s in _statements(_workflow("SweepMachine")) for action in _as_list(s["Action"])}
    assert {action for action in allowed if not action.startswith("logs:")} == {
        "lambda:InvokeFunction",
        "s3:GetObject",
        "s3:PutObject",
        "s3:ListMultipartUploadParts",
        "s3:AbortMultipartUpload",
        "sns:Publish",
    }


@pytest.mark.parametrize(
    "name",
    ["ForecastFunction", "AggregateSignalsFunction", "CheckReleaseFunction", "WidgetsFunction", "BacktestFoldFunction"],
)
def test_a_function_that_only_computes_or_shows_can_neither_read_the_keys_nor_alert(name: str) -> None:
    assert not ENVIRONMENT[name] & (BROKER | TOPIC)


def test_a_function_gives_up_shortly_before_its_state_does() -> None:
    for substitution, seconds in _task_timeouts():
        own = functions()[substitution.removesuffix("Arn")]["Timeout"]
        assert seconds - 15 <= own < seconds, f"{substitution}: {own} s in template.yaml, {seconds} s in the workflow"


def test_every_function_has_a_handler_and_its_requirements() -> None:
    for name, properties in functions().items():
        folder = ROOT / properties["CodeUri"]
        assert (folder / "app.py").exists(), name
        assert (folder / "requirements.txt").exists(), name


def test_the_live_host_is_reached_by_no_default() -> None:
    assert _broker_url() == "https://paper-api.alpaca.markets"
    assert _broker_url(TradingMode="live") == "https://api.alpaca.markets"
    assert _broker_url(BrokerUrl="http://127.0.0.1:8000") == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("given", "accepted"),
    [
        ({}, True),
        ({"TradingMode": "live"}, False),
        ({"TradingMode": "live", "ConfirmLive": "yes"}, False),
        ({"TradingMode": "live", "ConfirmLive": "trade-real-money"}, True),
        ({"TradingMode": "live", "ConfirmLive": "trade-real-money", "BrokerUrl": "http://127.0.0.1:1"}, False),
    ],
)
def test_live_trading_must_be_confirmed_in_words(given: dict[str, str], accepted: bool) -> None:
    (rule,) = template()["Rules"].values()
    holds = not resolve(rule["RuleCondition"], **given) or all(
        resolve(assertion["Assert"], **given) for assertion in rule["Assertions"]
    )
    assert holds is accepted


@pytest.mark.parametrize(
    ("url", "accepted"),
    [
        ("", True),
        ("http://127.0.0.1:40123", True),
        ("https://paper-api.alpaca.markets", True),
        ("https://api.alpaca.markets", False),
        ("https://api.alpaca.markets:443", False),
        ("https://API.alpaca.markets", False),
        ("https://paper-api.alpaca.markets/v2", False),
    ],
)
def test_an_own_broker_url_is_a_bare_host_and_never_the_live_one(url: str, accepted: bool) -> None:
    assert bool(re.fullmatch(template()["Parameters"]["BrokerUrl"]["AllowedPattern"], url)) is accepted


def test_a_day_has_26_quarter_hours_and_one_daily_tick() -> None:
    ticks = [f"{hour}:{minute:02}" for hour in range(9, 16) for minute in (0, 15, 30, 45)][2:]
    assert len(ticks) == 26
    assert sorted(_ticks("quarter_hour", datetime(2026, 11, 20, tzinfo=UTC))) == sorted(ticks)
    assert list(_ticks("daily", datetime(2026, 11, 20, tzinfo=UTC))) == ["15:00"]


def test_nothing_fires_on_a_saturday() -> None:
    assert not list(_ticks("quarter_hour", datetime(2026, 11, 21, tzinfo=UTC)))


def test_schedules_follow_new_yorks_clock_and_give_up_within_five_minutes() -> None:
    for schedule in _schedules():
        assert schedule["ScheduleExpressionTimezone"] == "America/New_York"
        assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
        assert schedule["Target"]["RetryPolicy"] == {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 300}
        assert schedule["Target"]["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["MissedTicks", "Arn"]}}
        assert "Name" not in schedule


def test_a_run_that_ends_badly_alerts_even_if_it_passed_no_catch() -> None:
    rule = resources("AWS::Events::Rule")["RunEndedBadly"]
    named = machine()["States"]["NobodyTold"]["Parameters"]["Error"]
    assert rule["EventPattern"]["detail"]["$or"] == [
        {"status": ["TIMED_OUT", "ABORTED"]},
        {"status": ["FAILED"], "error": [named, *PASS_NO_CATCH]},
    ]
    assert rule["EventPattern"]["detail"]["stateMachineArn"] == [{"Ref": "StateMachine"}]
    transformer = rule["Targets"][0]["InputTransformer"]
    used = set(re.findall(r"<(\w+)>", transformer["InputTemplate"]))
    assert used == set(transformer["InputPathsMap"])
    assert all(re.fullmatch(r'"[^"]*"', line) for line in transformer["InputTemplate"].strip().splitlines())


def test_a_run_that_died_is_closed() -> None:
    rule = resources("AWS::Events::Rule")["RunDied"]
    assert rule["EventPattern"]["detail"]["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]  # AbortRun may fail as well
    (target,) = rule["Targets"]
    assert target["Arn"] == {"Ref": "DeadRunsCloser"}
    sent = json.loads(re.sub(r"<\w+>", '"x"', target["InputTransformer"]["InputTemplate"]))
    assert sent.keys() == {"execution", "outcome", "afterwards", "trace"}
    assert sent["trace"]["failure"].keys() == {"Error", "Cause"}


def test_a_dead_run_is_closed_by_a_release_that_has_passed_its_check() -> None:
    """The functions' own aliases are moved before; this one waits, as the state machine does."""
    alias = expanded()["Resources"]["DeadRunsCloser"]["Properties"]
    assert "${ReleaseCheck.Release}" in alias["Description"]["Fn::Sub"]
    assert alias["FunctionVersion"]["Fn::GetAtt"][1] == "Version"
    allowed = resources("AWS::Lambda::Permission")["RunDiedMayInvokeCloseRun"]
    assert allowed["FunctionName"] == {"Ref": "DeadRunsCloser"}


def test_what_the_ledger_and_the_archive_hold_survives_the_stack() -> None:
    for name in ("LedgerTable", "ArchiveBucket"):
        resource = template()["Resources"][name]
        policies = resource["DeletionPolicy"], resource["UpdateReplacePolicy"]
        assert policies == ("RetainExceptOnCreate", "Retain")  # a first deployment that fails leaves nothing behind
    assert resources("AWS::DynamoDB::Table")["LedgerTable"]["DeletionProtectionEnabled"] is True


@pytest.mark.parametrize(
    ("name", "of", "parameter", "condition"),
    [
        ("LedgerName", "LedgerTable", "ExistingTable", "NewTable"),
        ("ArchiveName", "ArchiveBucket", "ExistingBucket", "NewBucket"),
    ],
)
def test_one_place_knows_whether_the_stack_made_it_or_found_it(
    name: str, of: str, parameter: str, condition: str
) -> None:
    value = {"Fn::If": [condition, {"Ref": of}, {"Ref": parameter}]}
    assert resources("AWS::SSM::Parameter")[name]["Value"] == value
    assert template()["Resources"][of]["Condition"] == condition
    elsewhere = json.dumps({key: found for key, found in template()["Resources"].items() if key != name})
    for reference in (f'"Ref": "{of}"', f'"Fn::GetAtt": ["{of}"', f"${{{of}.", f"${{{of}}}"):
        assert reference not in elsewhere


def test_the_template_holds_no_keys() -> None:
    (secret,) = resources("AWS::SecretsManager::Secret").values()
    assert secret["SecretString"] == '{"key_id": "", "secret_key": ""}'
    named = {name for name in template()["Parameters"] if "key" in name.lower() or "secret" in name.lower()}
    assert named == {"KmsKeyArn"}  # the name of a key, which is no secret


def test_with_a_key_of_ones_own_every_function_may_use_it_and_everything_stored_is_under_it() -> None:
    may_use = {role["Ref"] for role in resources("AWS::IAM::Policy")["OwnKeyMayBeUsed"]["Roles"]}
    assert may_use == {f"{name}Role" for name in (*functions(), *MACHINES)} | {"TickRole"}  # to the queue MissedTicks
    own_key = {"Fn::If": ["OwnKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]}
    (table,), (topic,) = resources("AWS::DynamoDB::Table").values(), resources("AWS::SNS::Topic").values()
    (secret,) = resources("AWS::SecretsManager::Secret").values()
    found = [table["SSESpecification"]["KMSMasterKeyId"], topic["KmsMasterKeyId"]]
    found += [queue["KmsMasterKeyId"] for queue in resources("AWS::SQS::Queue").values()]
    found += [secret["KmsKeyId"], template()["Globals"]["Function"]["KmsKeyArn"]]
    found += [group["KmsKeyId"] for group in resources("AWS::Logs::LogGroup").values()]
    assert found == [own_key] * len(found)


def test_the_keys_own_policy_lets_every_service_in_that_writes_to_what_it_encrypts() -> None:
    (written,) = re.findall(r"```json\n(.*?)```", (ROOT / "SECURITY.md").read_text(), re.DOTALL)
    policy = json.loads(written)
    kinds = ("AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy")
    statements = [s for kind in kinds for p in resources(kind).values() for s in p["PolicyDocument"]["Statement"]]
    writers = {s["Principal"]["Service"] for s in statements if s["Effect"] == "Allow"}
    logs = {"logs.us-east-1.amazonaws.com", "delivery.logs.amazonaws.com"}  # of functions, and of state machines
    assert set(policy["Principal"]["Service"]) == writers | logs
    assert policy["Condition"]["StringEquals"].keys() == {"aws:SourceAccount"}


def test_only_schedules_of_this_account_get_a_role() -> None:
    roles = {name: r["Properties"] for name, r in expanded()["Resources"].items() if r["Type"] == "AWS::IAM::Role"}
    trusting = {name: s for name, role in roles.items() for s in role["AssumeRolePolicyDocument"]["Statement"]}
    scheduled = {name for name, s in trusting.items() if "scheduler.amazonaws.com" in str(s["Principal"])}
    assert scheduled == {"TickRole", "BeatRole"}
    for name in scheduled:
        assert trusting[name]["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_what_is_kept_or_sent_is_reached_by_tls_only() -> None:
    denied = []
    for kind in ("AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"):
        for policy in resources(kind).values():
            found = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Deny"]
            assert [s["Condition"] for s in found] == [{"Bool": {"aws:SecureTransport": "false"}}]
            denied += [found["Ref"] for found in (*policy.get("Topics", []), *policy.get("Queues", []))]
    (archive,) = resources("AWS::S3::BucketPolicy").values()
    assert archive["Bucket"] == {"Fn::GetAtt": ["ArchiveName", "Value"]}
    assert sorted(denied) == sorted([*resources("AWS::SNS::Topic"), *resources("AWS::SQS::Queue")])


def test_what_a_rule_cannot_deliver_is_kept() -> None:
    for name, rule in resources("AWS::Events::Rule").items():
        for target in rule["Targets"]:
            assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["UndeliveredEvents", "Arn"]}}, name
    allowed = resources("AWS::SQS::QueuePolicy")["UndeliveredEventsPolicy"]["PolicyDocument"]["Statement"][1]
    rules = [{"Fn::GetAtt": [name, "Arn"]} for name in resources("AWS::Events::Rule")]
    assert allowed["Condition"]["ArnEquals"]["aws:SourceArn"] == rules


def test_aws_own_policies_of_the_roles_are_named_in_the_security_notes() -> None:
    roles = [r["Properties"] for r in expanded()["Resources"].values() if r["Type"] == "AWS::IAM::Role"]
    managed = {arn.rpartition("/")[2] for role in roles for arn in role.get("ManagedPolicyArns", [])}
    named = set(re.findall(r"`(AWS\w+)`", (ROOT / "SECURITY.md").read_text()))
    assert managed == named


@pytest.mark.parametrize(("amount", "made"), [("25", True), ("0", False)])
def test_a_budget_is_made_unless_none_is_wanted(amount: str, made: bool) -> None:
    (budget,) = [r for r in template()["Resources"].values() if r["Type"] == "AWS::Budgets::Budget"]
    assert resolve({"Condition": budget["Condition"]}, MonthlyBudget=amount) is made
    notices = budget["Properties"]["NotificationsWithSubscribers"]
    assert [s["Address"] for notice in notices for s in notice["Subscribers"]] == [{"Ref": "AlertsTopic"}] * 2


def test_runs_are_forgotten_after_the_days_that_a_person_chooses_in_the_archive_and_in_the_ledger() -> None:
    (bucket,), (table,) = resources("AWS::S3::Bucket").values(), resources("AWS::DynamoDB::Table").values()
    rules = {rule.get("Prefix"): rule.get("ExpirationInDays") for rule in bucket["LifecycleConfiguration"]["Rules"]}
    assert rules == {None: None, "runs/": {"Ref": "KeepRunsDays"}, "sweeps/": 90}
    assert table["TimeToLiveSpecification"] == {"AttributeName": FORGET, "Enabled": True}
    writers = [name for name in functions() if "OPENBELL_KEEP_DAYS" in ENVIRONMENT[name]]
    for name in writers:
        assert functions()[name]["Environment"]["Variables"]["OPENBELL_KEEP_DAYS"] == {"Ref": "KeepRunsDays"}
    assert template()["Parameters"]["KeepRunsDays"]["MinValue"] > 90  # after which files are moved to cheaper storage


def _workflow(name: str) -> dict[str, Any]:
    return resources("AWS::Serverless::StateMachine")[name]


def _all_statements() -> Iterator[dict[str, Any]]:
    for resource in expanded()["Resources"].values():
        if resource["Type"] == "AWS::IAM::Role":
            for policy in resource["Properties"].get("Policies", []):
                yield from policy["PolicyDocument"]["Statement"]
        if resource["Type"] in {"AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy"}:
            yield from (s for s in resource["Properties"]["PolicyDocument"]["Statement"] if s["Effect"] == "Allow")


def _task_timeouts() -> Iterator[tuple[str, int]]:
    todo = [machine(name)["States"] for name in MACHINES.values()]
    while todo:
        for state in todo.pop().values():
            if "ItemProcessor" in state:
                todo.append(state["ItemProcessor"]["States"])
            if name := state.get("Parameters", {}).get("FunctionName"):
                yield name.strip("${}"), state["TimeoutSeconds"]


def _broker_url(**given: str) -> str:
    urls = {
        str(resolve(properties["Environment"]["Variables"]["OPENBELL_BROKER_URL"], **given))
        for properties in functions().values()
        if "OPENBELL_BROKER_URL" in properties["Environment"]["Variables"]
    }
    (url,) = urls
    return url


def _schedules() -> list[dict[str, Any]]:
    """Those that start a run."""
    found = expanded()["Resources"].values()
    schedules = [resource["Properties"] for resource in found if resource["Type"] == "AWS::Scheduler::Schedule"]
    return [schedule for schedule in schedules if schedule["Target"]["Arn"] == {"Ref": "StateMachineAliaslive"}]


def _ticks(name: str, day: datetime) -> Iterator[str]:
    """New York times at which the schedules of one kind fire on `day` (its date is read as New York's)."""
    for schedule in _schedules():
        if f'"schedule": "{name}"' in schedule["Target"]["Input"]:
            cron = schedule["ScheduleExpression"].removeprefix("cron(").removesuffix(")")
            for at in AWSCron.get_all_schedule_bw_dates(day, day.replace(hour=23, minute=59), cron):
                yield f"{at.hour}:{at.minute:02}"
