"""Proof that a bundle is whole: its handler is imported by a clean Python that has nothing else."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# A bundle that lacks an adapter's library would fail at its first call only, so what the settings ask for is tried.
_ADAPTERS = {
    "OPENBELL_TABLE": ["openbell.adapters.dynamo.ledger"],
    "OPENBELL_BUCKET": ["openbell.adapters.s3_archive"],
    "OPENBELL_ALERTS_TOPIC": ["openbell.adapters.sns_alerts"],
    "OPENBELL_BROKER_SECRET": ["openbell.adapters.alpaca.broker"],
    "OPENBELL_MARKET_DATA": ["openbell.adapters.alpaca.data", "openbell.adapters.yahoo.data"],
}
_IMPORT = """
import importlib, json, sys, time
paths, modules = json.loads(sys.argv[1])
sys.path[:0] = paths
start = time.perf_counter()
for module in modules:
    importlib.import_module(module)
print(json.dumps(time.perf_counter() - start))
"""
# Only Stan solves multiplicative seasonality: this runs the compiled model that trimming must have left whole.
_FORECAST = """
import json, sys
paths, _ = json.loads(sys.argv[1])
sys.path[:0] = paths
import numpy as np, pandas as pd
from openbell.forecasting.batch import forecast_many
from openbell.forecasting.options import ForecastOptions
days = pd.bdate_range("2020-01-01", periods=120)
closes = pd.DataFrame({"AB": 100 + np.arange(120) / 10 + np.sin(np.arange(120))}, index=days)
options = ForecastOptions.preset("raw", horizon=5, seasonality_mode="multiplicative")
batch = forecast_many(closes, options)
assert set(batch.made) == {"AB"}, batch.failed
"""
_WARM_TRIES = 3


def can_prove(system: str, machine: str) -> bool:
    """Whether this machine can run what Lambda runs: its compiled packages are for Linux on x86_64."""
    return (system, machine) == ("Linux", "x86_64")


CAN_PROVE = can_prove(platform.system(), platform.machine())


@dataclass(frozen=True)
class Proof:
    """Seconds that an import takes: with no file in memory yet, and afterwards at best."""

    cold_seconds: float
    warm_seconds: float


def prove(bundle: Path, layer: Path, runtime: Path, environment: Mapping[str, object]) -> Proof:
    """Import the handler in `bundle` and every adapter that `environment` asks for; RuntimeError if one fails."""
    paths = [str(bundle), str(layer / "python"), str(runtime)]
    modules = ["app"] + [module for key, needed in _ADAPTERS.items() if key in environment for module in needed]
    files = [file for folder in (bundle, layer) for file in folder.rglob("*") if file.is_file()]
    return time_import(paths, modules, files)


def time_import(paths: Sequence[str], modules: Sequence[str], files: Sequence[Path]) -> Proof:
    """Import `modules` in clean processes that see `paths` alone; `files` are what is forgotten before the first."""
    _forget(files)
    cold = float(_run(_IMPORT, paths, modules))
    return Proof(cold, min(float(_run(_IMPORT, paths, modules)) for _ in range(_WARM_TRIES)))


def prove_stan(bundle: Path, layer: Path, runtime: Path) -> None:
    """One forecast that needs Stan, made from the bundle; RuntimeError if it fails."""
    _run(_FORECAST, [str(bundle), str(layer / "python"), str(runtime)], [])


def _run(code: str, paths: Sequence[str], modules: Sequence[str]) -> str:
    # -I and -S: no variables, no site-packages, no folder but those of `paths`.
    command = [sys.executable, "-I", "-S", "-c", code, json.dumps([paths, modules])]
    environment = {
        "AWS_DEFAULT_REGION": "us-east-1",
        "LAMBDA_TASK_ROOT": paths[0],
        "POWERTOOLS_METRICS_NAMESPACE": "Openbell",
        "PATH": os.environ["PATH"],
    }
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd="/", check=False)
    if done.returncode:
        raise RuntimeError(f"{paths[0]} cannot do without what it lacks:\n{done.stderr}")
    return done.stdout


def _forget(files: Sequence[Path]) -> None:
    """Drop `files` from the page cache, where the system can, so that the next import reads the disk."""
    if not hasattr(os, "posix_fadvise"):
        return
    os.sync()
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)
