"""A new strategy: a file with a class that works, and a test that passes, both made to be changed."""

import re
from dataclasses import dataclass
from keyword import iskeyword
from os.path import relpath
from pathlib import Path
from string import Template

from cli.places import ROOT, STRATEGIES
from openbell.errors import InvalidInput
from openbell.strategies import SHIPPED

_TEXTS = Path(__file__).parent
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TESTS = ROOT / "tests" / "unit" / "strategies"


@dataclass(frozen=True)
class Skeleton:
    """A new strategy's files, absolute."""

    name: str
    file: Path
    test: Path

    @property
    def class_name(self) -> str:
        """`my_strategy` is `MyStrategy`."""
        return "".join(word.capitalize() for word in self.name.split("_"))

    @property
    def ships(self) -> bool:
        """Whether a deployment takes the file along."""
        return self.file.is_relative_to(STRATEGIES.parent)

    @property
    def uses(self) -> str:
        """What the project's configuration has to say to use it."""
        file = self.file.relative_to(STRATEGIES.parent) if self.ships else self.file
        return f"{file}:{self.class_name}"


def write_skeleton(name: str, folder: Path) -> Skeleton:
    """Write `folder`/`name`.py and its test: among the project's tests if the folder is the project's, else beside it.

    Raises InvalidInput for a name that cannot be one, and rather than write over anything.
    """
    _check(name)
    folder = folder.resolve()
    tests = _TESTS if folder.is_relative_to(ROOT) else folder
    made = Skeleton(name, folder / f"{name}.py", tests / f"test_{name}.py")
    for path in (made.file, made.test):
        if path.exists():
            raise InvalidInput(f"{path} exists already and is left as it is; choose another name")
    _write(made.file, "strategy.txt", made)
    _write(made.test, "test.txt", made)
    return made


def _check(name: str) -> None:
    if not _NAME.fullmatch(name) or iskeyword(name):
        raise InvalidInput(
            f"{name!r} cannot be a strategy's name: expected an identifier of lower-case letters, digits and _, "
            "40 at most, such as my_strategy"
        )
    if name in SHIPPED:
        raise InvalidInput(f"{name} is a strategy that ships; choose another name")
    if Skeleton(name, Path(), Path()).class_name in _names_imported():
        raise InvalidInput(f"{name!r} would give its class the name of something that it imports; choose another name")


def _names_imported() -> set[str]:
    lines = re.findall(r"^from \S+ import (.+)$", (_TEXTS / "strategy.txt").read_text(), re.MULTILINE)
    return {name for line in lines for name in line.split(", ")}


def _write(path: Path, text: str, made: Skeleton) -> None:
    facts = {"name": made.name, "class_name": made.class_name, "file": relpath(made.file, path.parent)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(Template((_TEXTS / text).read_text()).substitute(facts))
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}") from error
