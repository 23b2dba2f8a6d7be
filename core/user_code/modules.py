"""The modules of one version of a user's program: a table of its own, whatever they are called.

Each version is a package with a name of its own, and its modules are in it: ``core.layers`` of the user's project is
``user_net_1f0c....core.layers`` in `sys.modules`. Import statements in these modules find it by the name that is
written there, at any time and in any thread; nothing else in the process does, and two projects with modules of the
same name do not mix.
"""

import builtins
import importlib
import importlib.abc
import importlib.util
import linecache
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from core.user_code.source import UserSource

__all__ = ["Modules", "is_users", "without_prefix"]

_tables: dict[str, "Modules"] = {}
_files: set[str] = set()
"""Files whose lines are the user's, as tracebacks name them."""


def is_users(file: str) -> bool:
    """Return whether a file, as tracebacks name it, is the user's."""
    return file in _files


def without_prefix(text: str) -> str:
    """Return a text with the names of modules as the user wrote them."""
    for prefix in _tables:
        text = text.replace(f"{prefix}.", "")
    return text


class Modules(importlib.abc.ExecutionLoader):
    """One version of a program: the names of its modules, and their loader.

    Attributes:
        prefix: name of the package around them, one for each version: objects of an older one keep working.
    """

    def __init__(self, source: UserSource) -> None:
        self.source = source
        place = f"{source.folder / source.main} {source.digest}"
        self.prefix = f"user_{source.path.stem}_{sha256(place.encode()).hexdigest()[:12]}"
        self._files = {**source.modules, source.module: source.main}
        self._tops = {name.partition(".")[0] for name in source.modules}
        for file, content in source.files.items():
            written = str(source.folder / file)
            _files.add(written)
            lines = content.decode(errors="replace").splitlines(keepends=True)
            linecache.cache[written] = (
                len(content),
                None,
                lines,
                written,
            )  # what ran, not what is there by now
        _tables[self.prefix] = self

    def main(self) -> ModuleType:
        """Run the file itself, which imports the others, and return its module."""
        try:
            return importlib.import_module(f"{self.prefix}.{self.source.module}")
        except BaseException:
            for name in [name for name in sys.modules if f"{name}.".startswith(f"{self.prefix}.")]:
                del sys.modules[name]
            raise

    @cached_property
    def builtins(self) -> dict[str, Any]:
        """Built-in names of these modules: all, with an import of its own."""
        return {**vars(builtins), "__import__": self._import}

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """Import as a statement does, the program's own modules first."""
        top = name.partition(".")[0]
        if level == 0 and top in self._tops:
            found = builtins.__import__(f"{self.prefix}.{name}", globals, locals, fromlist or (), 0)
            return found if fromlist else sys.modules[f"{self.prefix}.{top}"]
        found = builtins.__import__(name, globals, locals, fromlist or (), level)
        return self._importlib(found) if found is importlib else found

    def _importlib(self, original: ModuleType) -> ModuleType:
        """``importlib`` whose `import_module` finds the program's own modules first, too."""
        own = ModuleType(original.__name__, original.__doc__)
        vars(own).update(vars(original), import_module=self._import_module)
        return own

    def _import_module(self, name: str, package: str | None = None) -> ModuleType:
        """`importlib.import_module` for this program."""
        own = name.partition(".")[0] in self._tops
        return importlib.import_module(f"{self.prefix}.{name}" if own else name, package)

    def _file(self, fullname: str) -> str | None:
        """The file of a module below the source's folder; an empty text for the package around all."""
        name = fullname.partition(".")[2]
        return self._files.get(name) if name else ""

    def spec(self, fullname: str) -> ModuleSpec | None:
        """The specification of a module by its full name; None if it is not in this program."""
        known = self._file(fullname) is not None or self._is_around_main(fullname)
        return importlib.util.spec_from_loader(fullname, self) if known else None

    def _is_around_main(self, fullname: str) -> bool:
        """Return whether this is a folder around the file that holds no module which is imported."""
        return f"{self.prefix}.{self.source.module}".startswith(f"{fullname}.")

    def get_filename(self, fullname: str) -> str:
        return str(self.source.folder / (self._file(fullname) or "__init__.py"))

    def get_source(self, fullname: str) -> str:
        return importlib.util.decode_source(self.source.files.get(self._file(fullname) or "", b""))

    def is_package(self, fullname: str) -> bool:
        return Path(self._file(fullname) or "__init__.py").name == "__init__.py"

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__builtins__"] = self.builtins
        super().exec_module(module)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the modules of all programs by their full names."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        table = _tables.get(fullname.partition(".")[0])
        if table is None:
            return None
        found = table.spec(fullname)
        if found is None:  # other finders would run what nobody has read
            raise ModuleNotFoundError(f"No module named '{fullname}'", name=fullname)
        return found


sys.meta_path.insert(0, _Finder())
