from datetime import datetime
from pathlib import Path

import pytest

from openbell.config import load_config, parse_config
from openbell.errors import ConfigError
from openbell.model import NEW_YORK
from openbell.strategies import build_strategies

ROOT = Path(__file__).parents[2]
MINIMAL = {"strategies": {"momentum": {"allocation": 0.5}}}


def test_the_shipped_configuration_is_valid_and_builds_its_strategies() -> None:
    config = load_config(ROOT / "config" / "strategies.yaml")
    assert set(build_strategies(config)) == set(config.enabled)


def test_allocations_above_the_whole_account_are_refused_with_the_sum() -> None:
    content = {"strategies": {"momentum": {"allocation": 0.7}, "prophet_trend": {"allocation": 0.5}}}
    with pytest.raises(ConfigError, match=r"sum to 1\.2 \(momentum 0\.7, prophet_trend 0\.5\); they may sum to 1"):
        parse_config(content, "my.yaml")


def test_a_strategy_that_is_not_enabled_does_not_count() -> None:
    content = {"strategies": {"momentum": {"allocation": 0.7}, "other": {"allocation": 0.5, "enabled": False}}}
    assert list(parse_config(content, "my.yaml").enabled) == ["momentum"]


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"risk": {"max_position": -1}}, r"my\.yaml: risk\.max_position: .*greater than or equal to 0, got -1"),
        ({"risks": {}}, r"my\.yaml: risks: Extra inputs are not permitted"),
        (
            {"execution": {"unfilled": "hope"}},
            r"execution\.unfilled: Input should be 'leave', 'cancel' or 'reprice', got 'hope'",
        ),
    ],
)
def test_an_error_names_file_field_and_what_is_allowed(section: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_config(MINIMAL | section, "my.yaml")


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot be read"):
        load_config(Path("nowhere.yaml"))


def test_a_file_that_is_not_yaml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("strategies: [")
    with pytest.raises(ConfigError, match=r"bad\.yaml: is not valid YAML"):
        load_config(path)


def test_choosing_an_unknown_strategy_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="unknown strategy wizard; the configuration has: momentum"):
        parse_config(MINIMAL, "my.yaml").only(("wizard",))


def test_a_strategy_without_code_names_what_there_is() -> None:
    content = {"strategies": {"mine": {"allocation": 0.5, "uses": "astrology"}}}
    with pytest.raises(ConfigError, match=r"no strategy 'astrology'; allowed: buy_and_hold, .*, sma_cross, or code"):
        build_strategies(parse_config(content, "my.yaml"))


def test_a_wrong_parameter_names_strategy_and_field() -> None:
    content = {"strategies": {"prophet_trend": {"allocation": 0.5, "parameters": {"rule": "guess"}}}}
    with pytest.raises(ConfigError, match=r"strategies\.prophet_trend\.parameters: rule: .*'interval_skew' or"):
        build_strategies(parse_config(content, "my.yaml"))


def test_a_stop_limit_above_its_stop_is_refused() -> None:
    content = {"strategies": {"prophet_trend": {"allocation": 0.5, "parameters": {"stop_limit": 0.01}}}}
    with pytest.raises(ConfigError, match=r"stop_limit 0\.01 must be at least stop 0\.02"):
        build_strategies(parse_config(content, "my.yaml"))


def test_strategies_follow_their_schedule() -> None:
    content = {
        "strategies": {
            "momentum": {"allocation": 0.5},
            "fast": {"allocation": 0.1, "uses": "momentum", "schedule": "quarter_hour"},
        }
    }
    config = parse_config(content, "my.yaml")
    close = datetime(2022, 6, 15, 16, tzinfo=NEW_YORK)
    assert config.due(datetime(2022, 6, 15, 14, 45, tzinfo=NEW_YORK), close) == ("fast",)
    assert config.due(datetime(2022, 6, 15, 15, 0, tzinfo=NEW_YORK), close) == ("momentum", "fast")


def test_a_strategy_that_holds_nothing_overnight_is_due_at_the_last_tick() -> None:
    content = {"strategies": {"momentum": {"allocation": 0.5, "overnight": "exit"}}}
    config = parse_config(content, "my.yaml")
    close = datetime(2021, 11, 26, 13, tzinfo=NEW_YORK)  # a half day
    due = [config.due(datetime(2021, 11, 26, 12, minute, tzinfo=NEW_YORK), close) for minute in (30, 45)]
    assert due == [(), ("momentum",)]


def test_an_unknown_schedule_is_refused_with_what_is_allowed() -> None:
    content = {"strategies": {"momentum": {"allocation": 0.5, "schedule": "hourly"}}}
    with pytest.raises(ConfigError, match="there is no schedule 'hourly'; allowed are daily, quarter_hour, "):
        parse_config(content, "my.yaml")
