"""What the functions run: copied to a folder as Lambda would unpack it, zipped and uploaded as `sam package` does."""

import hashlib
import io
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.failures import DeployError

_CODE = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}
_LAYER = "AWS::Serverless::LayerVersion"
_IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", "Makefile", "requirements.txt", ".*")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same content gives the same zip, hence the same key


@dataclass(frozen=True)
class Artefact:
    """One folder on its way to Lambda."""

    logical_id: str
    folder: Path
    key: str  # in the artefact bucket
    zipped: bytes


class Artefacts:
    """The folders behind the keys in the artefact bucket."""

    def __init__(self, source: Path, build: Path, bundles: Path | None, layer_files: Mapping[str, Path]) -> None:
        """`source` is the template's folder; `bundles` has ready folders by logical id, which replace what is there.

        `layer_files` are put into the python/ folder of every layer, by their path in it.
        """
        self._source = source
        self._build = build
        self._bundles = bundles
        self._layer_files = layer_files
        self._folders: dict[str, Path] = {}

    def of_another(self, source: Path, build: Path) -> "Artefacts":
        """Those of another template's folder, built elsewhere: what was uploaded before keeps its folder."""
        made = Artefacts(source, build, self._bundles, self._layer_files)
        made._folders = self._folders
        return made

    def folder_of(self, key: str) -> Path:
        """The folder that was uploaded under `key`."""
        return self._folders[key]

    def package(self, template: dict[str, Any], bucket: str) -> Iterator[tuple[str, bytes]]:
        """Point `template`'s local paths at `bucket`; gives the key and content of each object to be put there."""
        for logical_id, resource in template["Resources"].items():
            kind, properties = resource["Type"], resource.get("Properties", {})
            if kind in _CODE:
                artefact = self._make(logical_id, kind, resource)
                properties[_CODE[kind]] = {"Bucket": bucket, "Key": artefact.key}
                yield artefact.key, artefact.zipped
            elif kind == "AWS::Serverless::StateMachine" and isinstance(properties.get("DefinitionUri"), str):
                content = self._read(logical_id, "DefinitionUri", properties["DefinitionUri"])
                key = hashlib.sha256(content).hexdigest()
                properties["DefinitionUri"] = {"Bucket": bucket, "Key": key}
                yield key, content

    def _make(self, logical_id: str, kind: str, resource: Mapping[str, Any]) -> Artefact:
        properties = resource.get("Properties", {})
        if kind == _LAYER:
            folder = self._make_layer(logical_id, properties)
        elif self._bundles:
            folder = self._bundle(logical_id)
        else:
            folder = self._copy(logical_id, "CodeUri", properties, self._build / logical_id)
            for package in resource.get("Metadata", {}).get("OwnPackages", []):  # folders beside the template
                shutil.copytree(self._source / package, folder / package, ignore=_IGNORED)
        # A bundle is large and is run from its folder: what is uploaded then is only its name.
        zipped = _zip_name(folder) if self._bundles and kind != _LAYER else _zip(folder)
        key = f"{logical_id}/{hashlib.sha256(zipped).hexdigest()}"
        self._folders[key] = folder
        return Artefact(logical_id, folder, key, zipped)

    def _make_layer(self, logical_id: str, properties: Mapping[str, Any]) -> Path:
        folder = self._build / logical_id
        if self._bundles:
            shutil.copytree(self._bundle(logical_id), folder, ignore=_IGNORED)
        else:
            self._copy(logical_id, "ContentUri", properties, folder / "python")
        for name, file in self._layer_files.items():
            target = folder / "python" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
        return folder

    def _bundle(self, logical_id: str) -> Path:
        folder = (self._bundles or Path()) / logical_id
        if not folder.is_dir():
            raise DeployError(f"there is no bundle {folder}: build the bundles first")
        return folder

    def _copy(self, logical_id: str, name: str, properties: Mapping[str, Any], target: Path) -> Path:
        source = self._source / str(properties.get(name, ""))
        if not isinstance(properties.get(name), str) or not source.is_dir():
            raise DeployError(f"{logical_id}: {name} must be a folder beside the template, but {source} is none")
        return Path(shutil.copytree(source, target, ignore=_IGNORED))

    def _read(self, logical_id: str, name: str, path: str) -> bytes:
        try:
            return (self._source / path).read_bytes()
        except OSError as error:
            raise DeployError(f"{logical_id}: {name} {self._source / path} cannot be read: {error.strerror}") from error


def _zip(folder: Path) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.writestr(zipfile.ZipInfo(str(file.relative_to(folder)), _EPOCH), file.read_bytes())
    return content.getvalue()


def _zip_name(folder: Path) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(zipfile.ZipInfo("folder.txt", _EPOCH), str(folder))
    return content.getvalue()
