"""A snapshot of a user's Python file, with the modules of the user's project that it imports. Runs nothing."""

import ast
import importlib.util
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from core.errors import UserCodeError
from core.files.atomic import creating, write_atomically
from core.files.reading import read_bytes
from core.user_code.packages import module_in, modules_below, package_of, package_root, place_of

__all__ = ["Program", "UserSource", "copied", "copy_source", "read_source"]

ORIGIN = "sources.json"
"""Beside a copy: the folder that the files come from, their hashes, and where each name was found."""
MAX_FILES = 2_000
MAX_BYTES = 32 * 2**20
"""Of all files together: what is more is not a program to be copied with every run."""
ROOT = "_"
"""Stands for the folder around all packages of a program, where relative imports are resolved."""


@dataclass(frozen=True)
class UserSource:
    """A file and the modules of the same project that it imports.

    Attributes:
        path: where it was read.
        folder: where everything comes from: the innermost folder around all files, or for a copy, that of the
            originals.
        main: path of the file itself below `folder`.
        module: its name as a module, with the packages around it if it needs them.
        files: content of the file itself first, then of each module, by path below `folder`.
        modules: module name -> path below `folder` of what is imported.
        places: top-level name -> path below `folder` of the folder that holds it.
    """

    path: Path
    folder: Path
    main: str
    module: str
    files: Mapping[str, bytes]
    modules: Mapping[str, str]
    places: Mapping[str, str]

    @cached_property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of each file, in hexadecimal."""
        return {file: sha256(content).hexdigest() for file, content in self.files.items()}

    @property
    def digest(self) -> str:
        """One hash for all: of an only file its SHA-256, as ``sha256sum`` prints it."""
        hashes = list(self.hashes.values())
        return hashes[0] if len(hashes) == 1 else sha256(" ".join(hashes).encode()).hexdigest()

    @property
    def has_packages(self) -> bool:
        """Return whether names are found elsewhere than beside the file."""
        main = Path(self.main)
        return self.module != main.stem or main != Path(main.name) or {*self.places.values()} - {"."} != set()


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
        known: list[object] = [self.name, sorted(self.source.hashes.items())]
        if self.source.has_packages:
            known += [self.source.main, self.source.module, sorted(self.source.places.items())]
        return sha256(json.dumps(known).encode()).hexdigest()


@dataclass(frozen=True)
class _Copy:
    """Where a copy of a program stands, and where its original does or did."""

    root: Path
    folder: Path
    module: str
    places: Mapping[str, str]


def read_source(path: Path) -> UserSource:
    """Read a file and, from its import statements, the project's modules; of a package all: it may find them itself.

    Raises:
        UserCodeError: it cannot be read, or is too large.
    """
    path = path.resolve()
    try:
        content = {path: read_bytes(path)}
        copy = _copy_of(path)
        levels = max((dots for dots, _ in _imports(content[path])), default=0)
        package = path.parent if copy else package_root(path, levels)
        module = copy.module if copy else _name_below(package, path)
        modules, places = _modules(path, package, module, content, copy)
    except OSError as error:
        hint = "Give the path of a Python file, such as mynet.py:Net"
        raise UserCodeError(f"cannot read {error.filename}: {error.strerror}", hint) from None
    if (
        not levels and module.partition(".")[0] not in places
    ):  # a script: it does not need the packages around it
        module = path.stem
    root = copy.root if copy else Path(os.path.commonpath([path.parent, *places.values()]))
    return UserSource(
        path,
        copy.folder if copy else root,
        path.relative_to(root).as_posix(),
        module,
        {file.relative_to(root).as_posix(): text for file, text in content.items()},
        {name: file.relative_to(root).as_posix() for name, file in modules.items()},
        {name: place.relative_to(root).as_posix() for name, place in places.items()},
    )


def copy_source(source: UserSource, folder: Path) -> None:
    """Write the files into a new folder, with where they come from and their hashes.

    Raises:
        RunError: it cannot be written.
    """
    facts = {
        "folder": str(source.folder),
        "main": source.main,
        "module": source.module,
        "places": source.places,
        "sha256": source.hashes,
    }
    for file, content in {**source.files, ORIGIN: json.dumps(facts, indent=2).encode()}.items():
        _write(folder / file, content)


def copied(folder: Path, name: str) -> Path | None:
    """Return the copy of a file of some name in a folder that `copy_source` wrote; None where there is none."""
    copy = folder / _facts(folder).get("main", name)
    return copy if copy.name == name and copy.is_file() else None


def _modules(
    path: Path, package: Path, module: str, content: dict[Path, bytes], copy: _Copy | None
) -> tuple[dict[str, Path], dict[str, Path]]:
    """The files of all modules that a file imports, and the places of their top-level names; reads their contents."""
    known: dict[str, Path | None] = {}
    if copy:
        known = {top: copy.root / place for top, place in copy.places.items()}
    elif package != path.parent:
        known = {module.partition(".")[0]: package}
    modules: dict[str, Path] = {}
    names = _imported(content[path], package_of(module, path))
    while names:
        name = names.pop()
        top = name.partition(".")[0]
        if top not in known:
            known[top] = None if copy else place_of(top, path, package)
        place = known[top]
        found = module_in(place, name) if place and name not in modules else None
        if found is None:
            continue
        modules[name] = found
        if found not in content:
            content[found] = read_bytes(found, follow_links=True) if found.is_file() else b""
            _check_size(content, path, top)
        names += _imported(content[found], package_of(name, found))
        names += [f"{name}.{below}" for below in modules_below(found)]
    tops = {name.partition(".")[0] for name in modules}
    return modules, {top: place for top, place in known.items() if place and top in tops}


def _check_size(content: Mapping[Path, bytes], path: Path, top: str) -> None:
    if len(content) > MAX_FILES or sum(map(len, content.values())) > MAX_BYTES:
        raise UserCodeError(
            f"{path.name} imports more than {MAX_FILES:,} files or {MAX_BYTES >> 20} MiB of the project around it; "
            f"the package '{top}' exceeds the limit",
            f"Keep a copy of them with every run small: import less, or install '{top}' elsewhere as a package",
        )


def _write(path: Path, content: bytes) -> None:
    with creating(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda opened: opened.write(content))


def _copy_of(path: Path) -> _Copy | None:
    """The facts of the copy that a file belongs to; None for a file that is not a copy."""
    found = ((root, _facts(root)) for root in path.parents)
    root, facts = next(((root, facts) for root, facts in found if facts), (path.parent, {}))
    if not facts or facts.get("main", path.name) != path.relative_to(root).as_posix():
        return None
    folder = Path(facts["folder"])
    places = facts.get("places", dict.fromkeys(modules_below(root / "__init__.py"), "."))
    return _Copy(root, folder if folder.is_dir() else root, facts.get("module", path.stem), places)


def _facts(folder: Path) -> dict[str, Any]:
    """The facts written beside a copy; empty where that is missing, damaged, or names what is not below the folder."""
    try:
        facts: dict[str, Any] = json.loads(read_bytes(folder / ORIGIN))
        texts = [facts["folder"], facts.get("module", ""), *facts.get("places", {})]
        inside = [facts.get("main", ""), *facts.get("places", {}).values()]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}
    return facts if all(isinstance(text, str) for text in texts) and all(map(_is_below, inside)) else {}


def _is_below(place: object) -> bool:
    """Return whether a path stays in the folder that it starts from."""
    return isinstance(place, str) and not os.path.isabs(place) and ".." not in PurePosixPath(place).parts


def _name_below(package: Path, path: Path) -> str:
    """The name of a file as a module, seen from a folder around it."""
    parts = path.relative_to(package).with_suffix("").parts
    return ".".join(parts[:-1] if path.name == "__init__.py" and len(parts) > 1 else parts)


def _imported(source: bytes, package: str) -> list[str]:
    """The modules, each after the packages around it, that a module in a package may import."""
    around = f"{ROOT}.{package}" if package else ROOT
    found: list[str] = []
    for dots, name in _imports(source):
        if dots:
            try:
                name = importlib.util.resolve_name("." * dots + name, around).partition(".")[2]
            except ImportError:  # reported when it is run
                continue
        found += _with_packages(name)
    return found


@lru_cache(maxsize=4 * MAX_FILES)
def _imports(source: bytes) -> tuple[tuple[int, str], ...]:
    """The dots and the names of all imports in a source; none when it is not Python."""
    try:
        return tuple(_walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError):  # reported with its line when it is run
        return ()


def _walk(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = f"{node.module}." if node.module else ""
            yield from ((node.level, base + alias.name) for alias in node.names)


def _with_packages(name: str) -> list[str]:
    """``a.b.c`` as ``a``, ``a.b``, ``a.b.c``."""
    parts = name.split(".")
    return [".".join(parts[: count + 1]) for count in range(len(parts)) if parts[count] not in ("", "*")]
