"""How long the Forecast function takes to import from its bundle, beside stock Prophet; both with byte code."""

import sysconfig
import tempfile
from importlib.metadata import distribution
from pathlib import Path
from statistics import median
from typing import Any

from bench.forecast_data import table
from scripts.bundle import build_function, build_layer, build_runtime
from scripts.lock import ROOT, closure
from scripts.prove import Proof, time_import

_ROUNDS = 9  # each with one cold import and some warm ones, ours and stock's in turn
_BUILDS = ROOT / ".aws-sam"
_MB = 1024 * 1024


def compare_imports() -> dict[str, Any]:
    """Seconds of both imports, cold and warm, their ratios, and the bundle's size unzipped."""
    _BUILDS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_BUILDS) as folder:
        bundle, layer, runtime = (Path(folder) / name for name in ("bundle", "layer", "runtime"))
        build_function(ROOT / "functions" / "forecast", bundle)
        build_layer(layer)
        build_runtime(runtime)
        ours = [str(bundle), str(layer / "python"), str(runtime)]
        files = [file for part in (bundle, layer, runtime) for file in part.rglob("*") if file.is_file()]
        stock = [sysconfig.get_path("purelib")]
        time_import(stock, ["prophet"], [])  # writes the byte code that is missing
        needed = _files_of_prophet()
        pairs = [(time_import(ours, ["app"], files), time_import(stock, ["prophet"], needed)) for _ in range(_ROUNDS)]
        size = sum(file.stat().st_size for file in bundle.rglob("*") if file.is_file()) / _MB
    return _told([pair[0] for pair in pairs], [pair[1] for pair in pairs], size)


def _files_of_prophet() -> list[Path]:
    """The files of Prophet and of all that it names, as they are installed here."""
    files = (file for name in closure(["prophet"], frozenset()) for file in distribution(name).files or ())
    found = {Path(str(file.locate())) for file in files}
    compiled = {Path(cached) for file in found for cached in file.parent.glob(f"__pycache__/{file.stem}.*.pyc")}
    return [file for file in found | compiled if file.is_file()]


def _told(ours: list[Proof], stock: list[Proof], size: float) -> dict[str, Any]:
    seconds = {
        f"{name}_{state}_seconds": round(median(getattr(proof, f"{state}_seconds") for proof in proofs), 3)
        for name, proofs in (("handler", ours), ("prophet", stock))
        for state in ("warm", "cold")
    }
    ratios = {
        f"{state}_ratio": round(seconds[f"handler_{state}_seconds"] / seconds[f"prophet_{state}_seconds"], 3)
        for state in ("warm", "cold")
    }
    rows = [
        (
            state,
            f"{seconds[f'handler_{state}_seconds']:.2f}",
            f"{seconds[f'prophet_{state}_seconds']:.2f}",
            f"{ratios[f'{state}_ratio']:.0%}",
        )
        for state in ("warm", "cold")
    ]
    title = f"Import of the Forecast handler from its bundle ({size:.0f} MB unzipped), byte code in both"
    table(title, ("files", "handler s", "stock prophet s", "of stock"), rows)
    return {**ratios, **seconds, "bundle_mb": round(size, 1)}
