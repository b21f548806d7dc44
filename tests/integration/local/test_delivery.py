"""What leaves the workflow: alerts to people, and events to whatever a rule names."""

import json
from typing import Any

from tests.integration.local.running import RunningFixture, eventually


def messages_about(fixture: RunningFixture, execution: str) -> list[str]:
    """What was published that names this execution."""
    return [alert.message for alert in fixture.heard if execution in alert.message]


def take_messages(fixture: RunningFixture) -> list[Any]:
    """The bodies of the messages that are in the queue."""
    sqs, url = fixture.cloud.client("sqs"), fixture.cloud.outputs["QueueUrl"]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in found:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in found]


def put_event(fixture: RunningFixture, **detail: Any) -> None:
    entry = {"Source": "fixture", "DetailType": "Told", "EventBusName": "fixture-bus", "Detail": json.dumps(detail)}
    assert fixture.cloud.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def test_a_publication_reaches_the_hook_with_topic_subject_and_message(fixture: RunningFixture) -> None:
    fixture.cloud.client("sns").publish(TopicArn=fixture.cloud.outputs["TopicArn"], Subject="Hear", Message="news-1")
    (alert,) = [alert for alert in fixture.heard if alert.message == "news-1"]
    assert (alert.topic, alert.subject) == (fixture.cloud.outputs["TopicArn"], "Hear")
    assert alert in fixture.cloud.alerts


def test_a_publication_reaches_the_topics_subscribers_too(fixture: RunningFixture) -> None:
    take_messages(fixture)
    fixture.cloud.client("sns").publish(TopicArn=fixture.cloud.outputs["TopicArn"], Message="news-2")
    assert [message["Message"] for message in take_messages(fixture)] == ["news-2"]


def test_a_failed_execution_alerts_by_its_own_state_and_by_the_rule(fixture: RunningFixture) -> None:
    ended = fixture.run(path="caught", trouble="raise")
    found = eventually(lambda: messages_about(fixture, ended.name), lambda messages: len(messages) == 2)
    assert found == [f"{ended.name}: OddTrouble", f'"{ended.name} ended as FAILED."']


def test_a_stopped_execution_alerts_by_the_rule(fixture: RunningFixture) -> None:
    arn = fixture.start("Brief", seconds=0.5)
    fixture.cloud.client("stepfunctions").stop_execution(executionArn=arn)
    ended = fixture.ended(arn)
    found = eventually(lambda: messages_about(fixture, ended.name))
    assert found == [f'"{ended.name} ended as ABORTED."']


def test_an_execution_that_times_out_alerts_by_the_rule(fixture: RunningFixture) -> None:
    ended = fixture.run("Brief", seconds=4)
    found = eventually(lambda: messages_about(fixture, ended.name))
    assert found == [f'"{ended.name} ended as TIMED_OUT."']


def test_an_execution_that_succeeds_alerts_nobody(fixture: RunningFixture) -> None:
    quiet = fixture.run(path="wait", seconds=1)
    loud = fixture.run(path="nowhere")  # its alert comes later than one of the quiet execution would
    eventually(lambda: messages_about(fixture, loud.name))
    assert messages_about(fixture, quiet.name) == []


def test_a_rule_delivers_to_functions_queues_and_workflows(fixture: RunningFixture) -> None:
    take_messages(fixture)
    put_event(fixture, key="to everyone")
    assert eventually(lambda: take_messages(fixture)) == [{"key": "to everyone"}]  # InputPath: $.detail
    eventually(lambda: [call for call in fixture.cloud.invocations if call.function == "EchoFunction"])
    executions = fixture.cloud.client("stepfunctions").list_executions(
        stateMachineArn=fixture.cloud.physical_id("Workflow")
    )["executions"]
    inputs = [
        json.loads(fixture.cloud.client("stepfunctions").describe_execution(executionArn=run["executionArn"])["input"])
        for run in executions
    ]
    assert {"path": "plain"} in inputs  # the target's constant Input


def test_an_event_goes_only_to_rules_of_its_own_bus_and_pattern(fixture: RunningFixture) -> None:
    take_messages(fixture)
    before = len(fixture.heard)
    put_event(fixture, key="first")
    entry = {"Source": "somebody else", "DetailType": "Told", "EventBusName": "fixture-bus", "Detail": "{}"}
    fixture.cloud.client("events").put_events(Entries=[entry, entry | {"EventBusName": "default"}])
    assert eventually(lambda: take_messages(fixture)) == [{"key": "first"}]
    assert fixture.heard[before:] == []  # the rule Hourly has no pattern, and its target is the topic
