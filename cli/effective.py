"""The configuration that a run is made with: the file's, with the chosen strategies enabled."""

import sys
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import yaml

from openbell.config import PlatformConfig, load_config, parse_config
from openbell.strategies import build_strategies


def effective_config(path: Path, strategies: tuple[str, ...]) -> PlatformConfig:
    """The configuration in `path` with just `strategies` enabled, or as it is if none are named.

    Raises ConfigError for whatever would stop the run: unknown strategies, wrong parameters, allocations above 1.
    """
    config = load_config(path)
    if strategies:
        config = parse_config(config.only(strategies).model_dump(mode="json"), str(path))  # validated once more
    build_strategies(config)
    return config


def on_local_market(config: PlatformConfig) -> PlatformConfig:
    """The same configuration on a market that is not the index: every strategy looks at all that is traded there."""
    entries = {
        name: entry.model_copy(update={"universe": entry.universe.model_copy(update={"members": "tradable"})})
        for name, entry in config.strategies.items()
    }
    return config.model_copy(update={"strategies": entries})


def write_config(config: PlatformConfig, path: Path) -> None:
    """Write `config` as YAML that reads back as the same configuration."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False))


def layer_files(config: PlatformConfig, work: Path) -> dict[str, Path]:
    """What the functions' layer is given, by path in it: `config`, written to `work`, and the code of its strategies.

    The files need not lie where a deployment would find them; in the layer each has a folder of its own.
    """
    files = {entry.file for entry in config.enabled.values() if entry.file}
    places = {file: Path("own") / sha256(str(file).encode()).hexdigest()[:8] / file.name for file in files}
    entries = {
        name: entry.with_file(places[entry.file]) if entry.file in places else entry
        for name, entry in config.strategies.items()
    }
    written = work / "strategies.yaml"
    write_config(config.model_copy(update={"strategies": entries}), written)
    given = {f"config/{place}": file for file, place in places.items()} | {"config/strategies.yaml": written}
    for top in {entry.module.split(".")[0] for entry in config.enabled.values() if entry.module}:
        given |= _python_files(top)
    return given


def _python_files(top: str) -> dict[str, Path]:
    """The code of the package or module `top`, by its path; none if the functions have it anyway."""
    spec = find_spec(top)
    if spec is None or top == "openbell":
        return {}
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    found = {f"{top}/{file.relative_to(folder)}": file for folder in folders for file in folder.rglob("*.py")}
    if not folders and spec.origin:
        found = {f"{top}.py": Path(spec.origin)}
    return {place: file for place, file in found.items() if not file.is_relative_to(sys.prefix)}
