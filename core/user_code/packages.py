"""Modules of a user's project by name: beside a file, in the package around it, or in the project around that.

Searched as Python would search them if the project were installed, or its script were started where it stands.
"""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["module_in", "modules_below", "package_of", "package_root", "place_of"]

NOT_OWN = {*sys.stdlib_module_names, "torch", "numpy"}
"""Modules that are never looked for in a project: they are imported already."""
OURS = ("core", "tui", "torchtui")
"""Names of this product, which projects use for packages of their own, too."""
OUR_ROOT = Path(__file__).resolve().parents[2]
MARKERS = ("pyproject.toml", "setup.py", "setup.cfg", ".git")
"""What stands in the root of a project."""
INSTALLED = ("site-packages", "dist-packages")


def package_root(path: Path, levels: int) -> Path:
    """Return the folder that the outermost package around a file stands in; its own folder where there is none.

    Args:
        levels: dots of its relative imports, at most: so many folders around it are packages.
    """
    folder = path.parent
    while (folder / "__init__.py").is_file() and "." not in folder.name and folder != folder.parent:
        folder = folder.parent
    needed = path.parents[min(levels, len(path.parents)) - 1] if levels else folder
    return needed if folder.is_relative_to(needed) else folder


def place_of(top: str, path: Path, package: Path) -> Path | None:
    """Return the folder with the user's own module or package of a name, as a file sees it; None if it is not his own.

    Args:
        top: name without dots.
        package: what `package_root` says.
    """
    if top in NOT_OWN:
        return None
    for place in _places(top, path, package):
        found = module_in(place, top)
        if found is None or (place == OUR_ROOT and top in OURS):
            continue
        if found.is_file() or not _is_installed(top):  # as Python: a folder without __init__.py comes last
            return place
    return None


def module_in(place: Path, name: str) -> Path | None:
    """Return the file of a module; the ``__init__.py`` of a package need not exist if there are modules beside it."""
    file = place / name.replace(".", "/")
    package = file / "__init__.py"
    if package.is_file():
        return package
    if file.with_suffix(".py").is_file():
        return file.with_suffix(".py")
    return package if file.is_dir() and any(file.glob("*.py")) else None


def package_of(name: str, file: Path) -> str:
    """Return the package that a module of this name and in this file is in; a package is in itself."""
    return name if file.name == "__init__.py" else name.rpartition(".")[0]


def modules_below(file: Path) -> list[str]:
    """Return the names of the modules and packages right in a package; none if the file is not that of a package."""
    if file.name != "__init__.py":
        return []
    below = [entry.stem for entry in file.parent.iterdir() if entry.suffix == ".py" or entry.is_dir()]
    return [name for name in sorted(below) if name.isidentifier() and name not in ("__init__", "__pycache__")]


def _places(top: str, path: Path, package: Path) -> Iterator[Path]:
    """Folders that may hold a top-level name, nearest first."""
    yield path.parent
    if package.name not in INSTALLED:
        yield package
    yield from (folder.parent for folder in path.parents if folder.name == top)
    project = next((up for up in path.parents if any((up / name).exists() for name in MARKERS)), None)
    if project is not None:
        yield from (project / "src", project)


def _is_installed(top: str) -> bool:
    if top in OURS:
        return False
    try:
        return importlib.util.find_spec(top) is not None
    except ValueError:  # a module that was made at run time
        return True
