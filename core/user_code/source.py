"""A snapshot of a user's Python file, with the modules beside it that it imports. Runs nothing."""

import ast
import importlib.util
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from core.errors import UserCodeError
from core.files.atomic import creating, write_atomically
from core.files.reading import read_bytes

__all__ = ["Program", "UserSource", "copy_source", "read_source"]

ORIGIN = "sources.json"
"""Beside a copy: the folder that the files come from, and their hashes."""
NOT_BESIDE = {*sys.stdlib_module_names, "core", "tui", "torch", "numpy"}
"""Modules that are never looked for beside a file: they are imported already."""


@dataclass(frozen=True)
class UserSource:
    """A file and the modules beside it that it imports.

    Attributes:
        path: where it was read.
        folder: where it comes from: that of `path`, or for a copy, that of the original.
        files: the file itself first, then each module's file, by path below `folder`.
        beside: module name -> path below `folder` of what is imported.
    """

    path: Path
    folder: Path
    files: Mapping[str, bytes]
    beside: Mapping[str, str]

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    @cached_property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of each file, in hexadecimal."""
        return {file: sha256(content).hexdigest() for file, content in self.files.items()}

    @property
    def digest(self) -> str:
        """One hash for all: of an only file its SHA-256, as ``sha256sum`` prints it."""
        hashes = list(self.hashes.values())
        return hashes[0] if len(hashes) == 1 else sha256(" ".join(hashes).encode()).hexdigest()


@dataclass(frozen=True)
class Program:
    """Target of a reference to user code: a class or a function, and the source that holds it."""

    source: UserSource
    name: str

    def __str__(self) -> str:
        return str(self.source.path)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the name, and of every file with its place beside the others, in hexadecimal.

        Known files in other places, or another name in a known file, are another program.
        """
        return sha256(json.dumps([self.name, sorted(self.source.hashes.items())]).encode()).hexdigest()


def read_source(path: Path) -> UserSource:
    """Read a file and, from its import statements, the modules beside it; of a package all: it may find them itself.

    Raises:
        UserCodeError: it cannot be read.
    """
    path = path.resolve()
    try:
        files, beside = {path.name: read_bytes(path)}, dict[str, str]()
        names = [*_imported(files[path.name], package="")]
        while names:
            name = names.pop()
            found = _beside(path.parent, name) if name not in beside else None
            if found is not None:
                beside[name] = str(found.relative_to(path.parent))
                files[beside[name]] = read_bytes(found, follow_links=True) if found.is_file() else b""
                package = name if found.name == "__init__.py" else name.rpartition(".")[0]
                names += _imported(files[beside[name]], package)
                names += _modules_in(found.parent, name) if found.name == "__init__.py" else []
    except OSError as error:
        hint = "Give the path of a Python file, such as mynet.py:Net"
        raise UserCodeError(f"cannot read {error.filename}: {error.strerror}", hint) from None
    return UserSource(path, _origin(path), files, beside)


def copy_source(source: UserSource, folder: Path) -> None:
    """Write the files into a new folder, with where they come from and their hashes.

    Raises:
        RunError: it cannot be written.
    """
    facts = json.dumps({"folder": str(source.folder), "sha256": source.hashes}, indent=2)
    for file, content in {**source.files, ORIGIN: facts.encode()}.items():
        _write(folder / file, content)


def _write(path: Path, content: bytes) -> None:
    with creating(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda opened: opened.write(content))


def _origin(path: Path) -> Path:
    """The folder that a copy comes from, if it is still there; that of the file itself otherwise."""
    try:
        folder = Path(json.loads(read_bytes(path.parent / ORIGIN))["folder"])
    except (OSError, ValueError, TypeError, KeyError):  # it is no copy
        return path.parent
    return folder if folder.is_dir() else path.parent


def _beside(folder: Path, name: str) -> Path | None:
    """The file of a module in a folder; the ``__init__.py`` of a package need not exist if it has modules."""
    if name.partition(".")[0] in NOT_BESIDE:
        return None
    place = folder / name.replace(".", "/")
    package = place / "__init__.py"
    if package.is_file():
        return package
    if place.with_suffix(".py").is_file():
        return place.with_suffix(".py")
    return package if place.is_dir() and any(place.glob("*.py")) else None


def _modules_in(package: Path, name: str) -> list[str]:
    """The modules and packages right below a package."""
    below = [entry.stem for entry in package.iterdir() if entry.suffix == ".py" or entry.is_dir()]
    return [f"{name}.{module}" for module in sorted(below) if module.isidentifier() and module != "__init__"]


def _imported(source: bytes, package: str) -> Iterator[str]:
    """The modules, each after the packages around it, that a source may import; none when it is not Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # told with its line when it is run
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (part for alias in node.names for part in _with_packages(alias.name))
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                try:
                    base = importlib.util.resolve_name("." * node.level + base, package)
                except ImportError:  # told when it is run
                    continue
            yield from (part for alias in node.names for part in _with_packages(f"{base}.{alias.name}"))


def _with_packages(name: str) -> list[str]:
    """``a.b.c`` as ``a``, ``a.b``, ``a.b.c``."""
    parts = name.split(".")
    return [".".join(parts[: count + 1]) for count in range(len(parts)) if parts[count].isidentifier()]
