"""One local cloud with the fixture template for each module."""

from collections.abc import Iterator

import pytest

from local import Alert, LocalCloud
from tests.integration.local.running import CALLERS_ENVIRONMENT, FIXTURE, RunningFixture


@pytest.fixture(scope="module")
def fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFixture]:
    tone = tmp_path_factory.mktemp("layer_files") / "tone.py"
    tone.write_text('TONE = "the test\'s"\n')
    waits: list[float] = []
    heard: list[Alert] = []
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CALLERS_ENVIRONMENT.items():
            patch.setenv(name, value)
        with LocalCloud(
            template=FIXTURE / "template.yaml",
            wait=waits.append,
            on_alert=heard.append,
            concurrency={"EchoFunction": 3},
            retry_scale=0.1,
            layer_files={"words/tone.py": tone},
        ) as cloud:
            yield RunningFixture(cloud, waits, heard)
