"""What an installed package loses before it goes into a bundle: all that no handler reads."""

import compileall
import shutil
from pathlib import Path
from py_compile import PycInvalidationMode

_FOLDERS = {"__pycache__", "tests", "include", "_examples", "bin"}
_SUFFIXES = {".a", ".c", ".cpp", ".h", ".hpp", ".o", ".pxd", ".pyc", ".pyi", ".pyx"}
# Parts of single packages that no handler imports; make package proves that the bundles do without them.
_UNUSED = [
    "aws_lambda_powertools/utilities/data_classes",  # events of services that do not call us
    "aws_lambda_powertools/event_handler",  # HTTP routing with its Swagger page
    "holidays/countries",  # Prophet asks for them by name only; our holidays are dates
    "holidays/financial",
    "holidays/locale",  # holiday names in other languages
    "numpy/_core/_*_tests.*.so",
    "numpy/_core/_simd.*.so",  # only NumPy's own tests load it
    "numpy/f2py",  # a Fortran compiler's front end
    "prophet/stan_model/prophet",  # the same file as prophet_model.bin
    "pydantic/v1",  # the API of Pydantic 1
    "yaml/_yaml*.so",  # libyaml, which only loaders asked for by name use
]
# Emptied, for they are imported: docstrings of compiled functions, set one by one in each cold start.
_FOR_READERS = ["numpy/_core/_add_newdocs.py", "numpy/_core/_add_newdocs_scalars.py"]
# Of what pip writes down only the metadata (versions are looked up at run time) and the licences are of use.
_KEPT_OF_DIST_INFO = {"METADATA", "entry_points.txt", "licenses", "LICENSE", "LICENSE.txt", "LICENSE.md"}


def trim(part: Path) -> None:
    """Take out of one installed package its tests, headers, type stubs and tools, then add byte code."""
    for folder in [path for path in part.rglob("*") if path.is_dir() and _is_ballast(path, part)]:
        shutil.rmtree(folder, ignore_errors=True)  # a folder inside one that went before it is gone already
    for file in [path for path in part.rglob("*") if path.is_file() and path.suffix in _SUFFIXES]:
        file.unlink()
    for entry in [path for pattern in _UNUSED for path in part.glob(pattern)]:
        _remove(entry)
    for module in [part / name for name in _FOR_READERS if (part / name).exists()]:
        module.write_text("")
    for info in part.glob("*.dist-info"):
        for entry in info.iterdir():
            if entry.name not in _KEPT_OF_DIST_INFO:
                _remove(entry)
    _trim_stan(part / "prophet" / "stan_model")
    add_byte_code(part, "/var/task")


def add_byte_code(folder: Path, seen_as: str) -> None:
    """Compile every module of `folder`, which Lambda sees as `seen_as`.

    Unchecked: Lambda's file system is read-only, and a check against the source's date would undo the gain, because
    zip files and deployments change dates.
    """
    mode = PycInvalidationMode.UNCHECKED_HASH
    if not compileall.compile_dir(folder, quiet=1, stripdir=str(folder), prependdir=seen_as, invalidation_mode=mode):
        raise RuntimeError(f"{folder}: a module does not compile; see above")


def _is_ballast(folder: Path, part: Path) -> bool:
    return folder.name in _FOLDERS or (folder.parent == part and folder.name.endswith("-stubs"))


def _trim_stan(model: Path) -> None:
    """Keep the compiled model only: cmdstanpy asks for nothing of CmdStan but a folder with a makefile."""
    for folder in [path for path in model.glob("cmdstan-*/*") if path.is_dir()]:
        shutil.rmtree(folder)


def _remove(entry: Path) -> None:
    if entry.is_dir():
        shutil.rmtree(entry)
    else:
        entry.unlink(missing_ok=True)
