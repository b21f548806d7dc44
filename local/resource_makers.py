"""How each CloudFormation type is made that moto's CloudFormation lacks or makes half (moto 5.2.5)."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from local.account import ACCOUNT_ID
from local.moto_resources import Made, Wanted, lower_first, makes, updates

# ------------------------------------------------------------------------------------------------ Schedules, events


@makes("AWS::Scheduler::Schedule", "Name")
def _schedule(wanted: Wanted) -> Made:
    arn = wanted.call("scheduler", "create_schedule", **wanted.take_all() | {"Name": wanted.name})["ScheduleArn"]
    return Made(wanted.name, {"Arn": arn})


@updates("AWS::Scheduler::Schedule")
def _update_schedule(wanted: Wanted, made: Made) -> Made:
    wanted.call("scheduler", "update_schedule", **wanted.take_all() | {"Name": wanted.name})
    return made


@makes("AWS::Scheduler::ScheduleGroup", "Name")
def _schedule_group(wanted: Wanted) -> Made:
    made = wanted.call("scheduler", "create_schedule_group", **wanted.take_all() | {"Name": wanted.name})
    return Made(wanted.name, {"Arn": made["ScheduleGroupArn"]})


@makes("AWS::Events::EventBus", "Name")
def _event_bus(wanted: Wanted) -> Made:
    arn = wanted.call("events", "create_event_bus", **wanted.take_all())["EventBusArn"]
    return Made(wanted.name, {"Arn": arn, "Name": wanted.name})


# ------------------------------------------------------------------------------------------------ State


@makes("AWS::DynamoDB::Table", "TableName")
def _table(wanted: Wanted) -> Made:
    ttl, pitr = wanted.take("TimeToLiveSpecification"), wanted.take("PointInTimeRecoverySpecification")
    properties = wanted.take_all() | {"TableName": wanted.name}
    if "SSESpecification" in properties:
        encryption = dict(properties["SSESpecification"])
        properties["SSESpecification"] = encryption | {"Enabled": encryption.pop("SSEEnabled")}
        properties["SSESpecification"].pop("SSEEnabled", None)
    if "StreamSpecification" in properties:
        properties["StreamSpecification"] = {"StreamEnabled": True} | properties["StreamSpecification"]
    made = wanted.call("dynamodb", "create_table", **properties)["TableDescription"]
    if ttl:
        wanted.call("dynamodb", "update_time_to_live", TableName=wanted.name, TimeToLiveSpecification=ttl)
    if pitr:
        wanted.call(
            "dynamodb",
            "update_continuous_backups",
            TableName=wanted.name,
            PointInTimeRecoverySpecification=pitr,
        )
    return Made(wanted.name, {"Arn": made["TableArn"], "StreamArn": made.get("LatestStreamArn", "")})


@makes("AWS::S3::Bucket", "BucketName")
def _bucket(wanted: Wanted) -> Made:
    bucket = wanted.name
    wanted.take("BucketName")
    wanted.call("s3", "create_bucket", Bucket=bucket)
    for name, operation, parameter in _BUCKET_SETTINGS:
        setting = wanted.take(name)
        if setting:
            wanted.call("s3", operation, Bucket=bucket, **{parameter: _in_s3_words(name, setting)})
    attributes = {
        "Arn": f"arn:aws:s3:::{bucket}",
        "DomainName": f"{bucket}.s3.amazonaws.com",
        "RegionalDomainName": f"{bucket}.s3.us-east-1.amazonaws.com",
    }
    return Made(bucket, attributes)


_BUCKET_SETTINGS = (
    ("VersioningConfiguration", "put_bucket_versioning", "VersioningConfiguration"),
    ("PublicAccessBlockConfiguration", "put_public_access_block", "PublicAccessBlockConfiguration"),
    ("OwnershipControls", "put_bucket_ownership_controls", "OwnershipControls"),
    ("BucketEncryption", "put_bucket_encryption", "ServerSideEncryptionConfiguration"),
    ("LifecycleConfiguration", "put_bucket_lifecycle_configuration", "LifecycleConfiguration"),
    ("Tags", "put_bucket_tagging", "Tagging"),
)


def _in_s3_words(name: str, setting: Any) -> Any:
    translate = _BUCKET_WORDS.get(name)
    return translate(setting) if translate else setting


def _encryption(setting: Mapping[str, Any]) -> dict[str, Any]:
    """CloudFormation's names of the rules differ from the API's."""
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
            **{name: value for name, value in rule.items() if name == "BucketKeyEnabled"},
        }
        for rule in setting["ServerSideEncryptionConfiguration"]
    ]
    return {"Rules": rules}


def _lifecycle(setting: Mapping[str, Any]) -> dict[str, Any]:
    return {"Rules": [_lifecycle_rule(rule) for rule in setting["Rules"]]}


def _lifecycle_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    left = dict(rule)
    made: dict[str, Any] = {"Filter": {"Prefix": left.pop("Prefix", "")}}
    if "ID" not in left and "Id" in left:
        made["ID"] = left.pop("Id")
    for days in ("ExpirationInDays",):
        if days in left:
            made["Expiration"] = {"Days": int(left.pop(days))}  # a parameter comes as text
    for name in ("Transitions", "NoncurrentVersionTransitions"):
        if name in left:
            made[name] = [_transition(transition) for transition in left.pop(name)]
    return made | left


def _transition(transition: Mapping[str, Any]) -> dict[str, Any]:
    names = {"TransitionInDays": "Days", "TransitionDate": "Date"}
    return {names.get(name, name): value for name, value in transition.items()}


_BUCKET_WORDS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "BucketEncryption": _encryption,
    "LifecycleConfiguration": _lifecycle,
    "Tags": lambda tags: {"TagSet": tags},
}


@makes("AWS::S3::BucketPolicy", again=True)
def _bucket_policy(wanted: Wanted) -> Made:
    bucket, policy = wanted.take("Bucket"), dict(wanted.take("PolicyDocument"))
    # moto enforces bucket policies but ignores conditions: a denial without TLS would deny everything here.
    policy["Statement"] = [
        statement for statement in policy["Statement"] if statement["Effect"] != "Deny" or "Condition" not in statement
    ]
    if policy["Statement"]:
        wanted.call("s3", "put_bucket_policy", Bucket=bucket, Policy=json.dumps(policy))
    return Made(f"{bucket}-policy")


@makes("AWS::SecretsManager::Secret", "Name")
def _secret(wanted: Wanted) -> Made:
    generate = wanted.take("GenerateSecretString")
    properties = wanted.take_all() | {"Name": wanted.name}
    if generate is not None:
        properties["SecretString"] = _generated_secret(wanted, dict(generate))
    arn = wanted.call("secretsmanager", "create_secret", **properties)["ARN"]
    return Made(arn, {"Id": arn})


def _generated_secret(wanted: Wanted, how: dict[str, Any]) -> str:
    template, key = how.pop("SecretStringTemplate", None), how.pop("GenerateStringKey", None)
    password: str = wanted.call("secretsmanager", "get_random_password", **how)["RandomPassword"]
    return password if template is None else json.dumps(json.loads(template) | {key: password})


@makes("AWS::SSM::Parameter", "Name")
def _parameter(wanted: Wanted) -> Made:
    tags = [{"Key": key, "Value": value} for key, value in wanted.take("Tags", {}).items()]
    properties = wanted.take_all() | {"Name": wanted.name}
    wanted.call("ssm", "put_parameter", **properties, Tags=tags)
    return Made(wanted.name, {"Type": properties["Type"], "Value": str(properties["Value"])})


# ------------------------------------------------------------------------------------------------ Alerts


@makes("AWS::SNS::Topic", "TopicName")
def _topic(wanted: Wanted) -> Made:
    wanted.take("TopicName")
    subscriptions, tags = wanted.take("Subscription", []), wanted.take("Tags", [])
    given = {name: wanted.take(name) for name in _TOPIC_ATTRIBUTES}
    attributes = {name: value for name, value in given.items() if value is not None}
    arn = wanted.call("sns", "create_topic", Name=wanted.name, Attributes=attributes, Tags=tags)["TopicArn"]
    for subscription in subscriptions:
        wanted.call("sns", "subscribe", TopicArn=arn, **subscription)
    return Made(arn, {"TopicArn": arn, "TopicName": wanted.name})


# Named, because moto takes an attribute of any name.
_TOPIC_ATTRIBUTES = ("DisplayName", "KmsMasterKeyId", "FifoTopic", "ContentBasedDeduplication", "SignatureVersion")


@makes("AWS::SNS::Subscription")
def _subscription(wanted: Wanted) -> Made:
    target = {name: wanted.take(name) for name in ("TopicArn", "Protocol", "Endpoint")}
    wanted.take("Region")
    attributes = {
        name: value if isinstance(value, str | bool) else json.dumps(value) for name, value in wanted.take_all().items()
    }
    made = wanted.call("sns", "subscribe", **target, Attributes=attributes, ReturnSubscriptionArn=True)
    return Made(made["SubscriptionArn"], {"Arn": made["SubscriptionArn"]})


@makes("AWS::SNS::TopicPolicy", again=True)
def _topic_policy(wanted: Wanted) -> Made:
    policy = json.dumps(wanted.take("PolicyDocument"))
    for arn in wanted.take("Topics"):
        wanted.call("sns", "set_topic_attributes", TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
    return Made(wanted.logical_id)


@makes("AWS::SQS::QueuePolicy", again=True)
def _queue_policy(wanted: Wanted) -> Made:
    policy = json.dumps(wanted.take("PolicyDocument"))
    for url in wanted.take("Queues"):
        wanted.call("sqs", "set_queue_attributes", QueueUrl=url, Attributes={"Policy": policy})
    return Made(wanted.logical_id)


# ------------------------------------------------------------------------------------------------ Money


@makes("AWS::Budgets::Budget")
def _budget(wanted: Wanted) -> Made:
    budget = dict(wanted.take("Budget"))
    limit = budget["BudgetLimit"]
    budget["BudgetLimit"] = limit | {"Amount": str(limit["Amount"])}  # which CloudFormation has as a number
    told = wanted.take("NotificationsWithSubscribers", [])
    wanted.call("budgets", "create_budget", AccountId=ACCOUNT_ID, Budget=budget, NotificationsWithSubscribers=told)
    return Made(str(budget["BudgetName"]))


# ------------------------------------------------------------------------------------------------ Observability


@makes("AWS::CloudWatch::Alarm", "AlarmName", again=True)
def _alarm(wanted: Wanted) -> Made:
    wanted.call("cloudwatch", "put_metric_alarm", **wanted.take_all() | {"AlarmName": wanted.name})
    (alarm,) = wanted.call("cloudwatch", "describe_alarms", AlarmNames=[wanted.name])["MetricAlarms"]
    return Made(wanted.name, {"Arn": alarm["AlarmArn"]})


@makes("AWS::Logs::MetricFilter", "FilterName")
def _metric_filter(wanted: Wanted) -> Made:
    wanted.take("FilterName")
    properties = lower_first(wanted.take_all())
    wanted.call("logs", "put_metric_filter", **properties, filterName=wanted.name)
    return Made(wanted.name)
