"""make package: every bundle in .aws-sam/build, as sam build lays it out, each proved whole and measured."""

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import yaml
from samtranslator.yaml_helper import yaml_parse

from scripts.bundle import build_function, build_layer, build_runtime
from scripts.lock import ROOT
from scripts.prove import CAN_PROVE, Proof, prove, prove_stan

_BUILD = ROOT / ".aws-sam" / "build"
_RUNTIME = ROOT / ".aws-sam" / "runtime"
_LIMIT_MB = 250  # unzipped, function and layers together
_LAYER = "SharedLayer"
_CODE = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}
_MB = 1024 * 1024
_NOT_PROVED = "not imported: that takes Linux on x86_64"


def main() -> None:
    """Build one folder for sam build, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", metavar="ID", help="logical id of one function or layer in template.yaml")
    parser.add_argument("--into", metavar="FOLDER", type=Path, help="where --only builds to")
    arguments = parser.parse_args()
    template = yaml_parse((ROOT / "template.yaml").read_text())
    if arguments.only:
        _build(arguments.only, template["Resources"][arguments.only], arguments.into)
    else:
        package(template)


def package(template: dict[str, Any]) -> None:
    """Build, prove and measure everything; the last line is JSON with size and import time by function."""
    shutil.rmtree(_BUILD, ignore_errors=True)
    made = {name: found for name, found in template["Resources"].items() if found["Type"] in _CODE}
    for name, resource in made.items():
        print(f"building {name}", file=sys.stderr)
        _build(name, resource, _BUILD / name)
    _write_template(template, made)
    build_runtime(_RUNTIME)
    print(json.dumps({name: _measure(name, made[name]) for name in made if name != _LAYER}))


def _build(name: str, resource: dict[str, Any], target: Path) -> None:
    if name == _LAYER:
        build_layer(target)
    else:
        own = resource["Metadata"].get("OwnPackages", [])
        build_function(ROOT / resource["Properties"]["CodeUri"], target, [ROOT / package for package in own])


def _write_template(template: dict[str, Any], made: dict[str, Any]) -> None:
    for name, resource in made.items():
        resource["Properties"][_CODE[resource["Type"]]] = name
    for resource in template["Resources"].values():
        if "DefinitionUri" in resource["Properties"]:
            resource["Properties"]["DefinitionUri"] = f"../../{resource['Properties']['DefinitionUri']}"
    (_BUILD / "template.yaml").write_text(yaml.safe_dump(template, sort_keys=False, width=120))


def _measure(name: str, resource: dict[str, Any]) -> dict[str, float]:
    bundle, layer = _BUILD / name, _BUILD / _LAYER
    size = _size(bundle) / _MB
    if size + _size(layer) / _MB > _LIMIT_MB:
        raise RuntimeError(f"{name} has {size:.0f} MB unzipped; Lambda takes {_LIMIT_MB} MB with the layer")
    if not CAN_PROVE:
        _print_row(name, size, None, bundle)
        return {"unzipped_mb": round(size, 1)}
    proof = prove(bundle, layer, _RUNTIME, resource["Properties"]["Environment"]["Variables"])
    if (bundle / "prophet").exists():
        prove_stan(bundle, layer, _RUNTIME)
    _print_row(name, size, proof, bundle)
    return {"unzipped_mb": round(size, 1), "import_seconds": round(proof.warm_seconds, 3)}


def _print_row(name: str, size: float, proof: Proof | None, bundle: Path) -> None:
    largest = sorted(((_size(entry) / _MB, entry.name) for entry in bundle.iterdir()), reverse=True)[:4]
    parts = ", ".join(f"{part} {mb:.0f}" for mb, part in largest)
    seconds = f"import {proof.cold_seconds:.2f} s cold {proof.warm_seconds:.2f} s warm" if proof else _NOT_PROVED
    print(f"{name:<25} {size:6.1f} MB  {seconds}  ({parts})")


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


if __name__ == "__main__":
    main()
