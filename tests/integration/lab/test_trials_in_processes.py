import subprocess
import sys
from pathlib import Path

from lab.forecasts import ForecastStore
from lab.trials import Combination, ProcessRunner, Terms, Trial
from lab.trials.running import Bench
from tests.unit.lab.trials.searches import HOLDS, SESSIONS, config, market

# What is on a laptop and not in the bundle of BacktestFold.
LACKING = ("cli", "flask", "jinja2", "local", "matplotlib", "moto", "pyarrow", "rich", "skfolio", "typer", "werkzeug")


def test_the_code_of_a_trial_needs_nothing_that_its_bundle_lacks() -> None:
    hidden = "; ".join(f"sys.modules[{name!r}] = None" for name in LACKING)  # importing one of them fails
    code = f"import sys; {hidden}; import lab.trials.batch, paper"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_processes_give_the_same_results_in_the_same_order(tmp_path: Path) -> None:
    bench = Bench(market(), config(tmp_path), Terms(), ForecastStore(None))
    trials = [Trial("holds", Combination({"pick": p}), SESSIONS[60], SESSIONS[80]) for p in ("UP", "BOOM", "DOWN")]
    told: list[tuple[int, int, int]] = []
    with ProcessRunner(bench, processes=1) as alone:
        expected = alone(trials)
    with ProcessRunner(bench, lambda *numbers: told.append(numbers), processes=2, worth_s=0) as apart:
        assert apart(trials) == expected
    assert told == [(1, 0, 3), (2, 1, 3), (3, 1, 3)]  # done, failed, of


def test_a_trial_that_takes_its_process_down_is_lost_alone(tmp_path: Path) -> None:
    one = config(tmp_path, HOLDS.replace('raise RuntimeError("out of ideas")', "__import__('os')._exit(1)"))
    bench = Bench(market(), one, Terms(), ForecastStore(None))
    picks = ("UP", "DOWN", "BOOM", "FLAT", "UP")
    trials = [Trial("holds", Combination({"pick": p}), SESSIONS[60], SESSIONS[62]) for p in picks]
    with ProcessRunner(bench, processes=2, worth_s=0) as run:
        results = run(trials)
    assert [bool(result.error) for result in results] == [False, False, True, False, False]
    assert results[2].error.startswith("its process died: ")
    assert results[4] == results[0]
