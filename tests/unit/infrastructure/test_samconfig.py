import re
import subprocess
import tomllib
from typing import Any

from tests.unit.infrastructure.sources import ROOT, template


def _profiles() -> dict[str, Any]:
    profiles = tomllib.loads((ROOT / "samconfig.toml").read_text())
    return {name: tables for name, tables in profiles.items() if isinstance(tables, dict)}


def test_the_default_profile_trades_play_money() -> None:
    assert _profiles()["default"]["deploy"]["parameters"]["parameter_overrides"].startswith("TradingMode=paper ")


def test_a_bare_sam_deploy_forgets_the_release_before_which_would_keep_new_code_from_being_published() -> None:
    for profile in _profiles().values():
        assert 'Release=""' in profile["deploy"]["parameters"]["parameter_overrides"].split()


def test_no_profile_confirms_live_trading_by_itself() -> None:
    assert "trade-real-money" not in (ROOT / "samconfig.toml").read_text()
    assert "trade-real-money" not in (ROOT / "Makefile").read_text()


def test_paper_and_live_are_separate_stacks() -> None:
    stacks = {name: profile["global"]["parameters"]["stack_name"] for name, profile in _profiles().items()}
    assert stacks == {"default": "openbell-paper", "live": "openbell-live"}


def test_profiles_set_only_parameters_that_the_template_has() -> None:
    for profile in _profiles().values():
        pairs = profile["deploy"]["parameters"]["parameter_overrides"].split()
        assert {pair.split("=")[0] for pair in pairs} <= set(template()["Parameters"])


def test_make_deploy_names_each_release_as_the_template_wants_it() -> None:
    told = subprocess.run(["make", "-n", "deploy"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (name,) = re.findall(r"Release=(\S+)", told)
    pattern = template()["Parameters"]["Release"]["AllowedPattern"]
    assert name
    assert re.fullmatch(pattern, name)
    approval = template()["Parameters"]["ApprovedDifferences"]["AllowedPattern"]
    assert re.fullmatch(approval, name.partition("-")[2])


def test_every_deployment_asks_anew_whether_live_trading_is_meant() -> None:
    """What is not given, sam takes from the deployment before."""
    for profile in _profiles().values():
        assert 'ConfirmLive=""' in profile["deploy"]["parameters"]["parameter_overrides"].split()
    live = ["make", "-n", "deploy", "PROFILE=live"]
    for given, told in ([], 'ConfirmLive=""'), (["CONFIRM_LIVE=yes-i-do"], 'ConfirmLive="yes-i-do"'):
        command = subprocess.run([*live, *given], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        assert f"'{told}'" in command
