"""Alerts through an SNS topic."""

from typing import Any

_LONGEST_SUBJECT = 100  # SNS refuses more


class SnsAlerts:
    """Publishes to one topic; botocore's errors pass through, because an alert that is not sent is a failure."""

    def __init__(self, client: Any, topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def alert(self, subject: str, message: str) -> None:
        """Publish; the subject is cut at 100 characters."""
        self._client.publish(TopicArn=self._topic_arn, Subject=subject[:_LONGEST_SUBJECT], Message=message)
