"""A class or function from a user's Python file, named ``FILE.py:NAME``, such as ``mynet.py:Net``.

What runs is exactly what was read and hashed: the file, and the modules beside it that it imports, are imported from
memory. So a change on disk is seen at the next call, and nothing is left in ``__pycache__``. Whether it may run at
all is asked of `core.user_code.trust` first.
"""

import importlib.abc
import importlib.util
import linecache
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

from pydantic import Field

from core.errors import TorchtuiError, UserCodeError
from core.options import Code, Options, code_fields
from core.user_code import trust
from core.user_code.source import Program, UserSource, read_source

__all__ = [
    "Reference",
    "as_user_error",
    "call",
    "file_of",
    "load_object",
    "parse",
    "program_of",
    "references",
    "source_of",
    "trust_named",
    "version",
]

Reference = Annotated[str, Field(pattern=f"^$|{Code.PATTERN}"), Code()]
"""A field that names a class or a function in a file; empty for none. Describe it as ``...: FILE.py:NAME ...``."""

_versions: dict[tuple[Path, str], "_Version"] = {}
_files: set[str] = set()
"""Files whose lines are the user's, as tracebacks name them."""
_lock = threading.RLock()
"""Held while the user's modules are in `sys.modules` under their own names."""


def parse(reference: str) -> tuple[Path, str]:
    """The file and the name that a reference speaks of.

    Raises:
        UserCodeError: it is not a reference.
    """
    file, _, name = reference.rpartition(":")
    if not file or not name.isidentifier():
        raise UserCodeError(f"got '{reference}'", "It takes FILE.py:NAME, such as mynet.py:Net")
    return Path(file).expanduser(), name


def file_of(text: str) -> Path | None:
    """Return the file that a text names, or None if the text is not a reference."""
    return parse(text)[0].resolve() if re.match(Code.PATTERN, text) else None


def source_of(reference: str) -> UserSource:
    """The file that a reference names, and what it imports beside it, as they are now.

    Raises:
        UserCodeError: it cannot be read.
    """
    return read_source(parse(reference)[0])


def program_of(reference: str) -> Program:
    """Return what a reference names, and what it imports beside it, as they are now.

    Raises:
        UserCodeError: it cannot be read.
    """
    file, name = parse(reference)
    return Program(read_source(file), name)


def trust_named(text: str) -> None:
    """A reference that the user has typed: its file may run. Other texts mean nothing here."""
    file = file_of(text)
    if file is not None:
        trust.trust(file)


def version(options: Options) -> str:
    """Changes whenever a file that some options name changes; empty when they name none that can be read."""
    try:
        return " ".join(
            source_of(getattr(options, field)).digest
            for field in code_fields(type(options))
            if getattr(options, field)
        )
    except UserCodeError:
        return ""


def references(config: Options) -> dict[str, tuple[str, str]]:
    """Return the sections of a configuration that name user code, each with the field and the code it names."""
    sections = ((key, getattr(config, key)) for key in type(config).model_fields)
    return {
        key: (field, getattr(section, field))
        for key, section in sections
        for field in code_fields(type(section))
        if getattr(section, field)
    }


def load_object(reference: str) -> Callable[..., Any]:
    """The class or function that a reference names, from the file as it is now.

    Raises:
        UntrustedCode: the user has neither named this file nor run it before.
        UserCodeError: it cannot be read, fails when it is run, or has nothing callable of that name.
    """
    return _find(reference)[0]


def call(reference: str, **arguments: Any) -> Any:
    """Call the class or function with some arguments.

    Raises:
        UntrustedCode: as for `load_object`.
        UserCodeError: as for `load_object`, or the call itself fails.
    """
    found, version = _find(reference)
    with version.importing():
        return found(**arguments)


def as_user_error(error: BaseException) -> UserCodeError | None:
    """An error raised through the user's lines, reported with them; None if it came from elsewhere."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in _files]
    said = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
    if isinstance(error, SyntaxError) and error.filename in _files:
        place = f"{Path(error.filename).name}, line {error.lineno}"
        said = f"{type(error).__name__}: {error.msg}"
    elif frames:
        place = f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}"
    else:
        return None
    lines = [*traceback.format_list(frames), *traceback.format_exception_only(error)]
    return UserCodeError(f"{place}: {said.rstrip(': ')}", trace="".join(lines))


def _find(reference: str) -> tuple[Callable[..., Any], "_Version"]:
    file, name = parse(reference)
    program = program_of(reference)
    trust.check(program)
    version = _load(program.source)
    found = getattr(version.module, name, None)
    if not callable(found):
        own = [key for key, value in vars(version.module).items() if _defined_in(version.module, value)]
        wrong = f"'{name}' in {file} is of type {type(found).__name__}"
        known = f"Classes and functions in it: {', '.join(own) or 'none'}"
        raise UserCodeError(f"{file} has no '{name}'" if found is None else wrong, known)
    return found, version


def _defined_in(module: ModuleType, value: object) -> bool:
    return callable(value) and getattr(value, "__module__", "") == module.__name__


def _load(source: UserSource) -> "_Version":
    """A version of a file, run when it is new."""
    key = (source.folder / source.name, source.digest)
    with _lock:
        if key not in _versions:
            version = _Version(source)
            with version.importing():
                sys.modules[version.name] = version.module  # dataclasses look up the module they are in
                version.exec_module(version.module)
            _versions[key] = version
        return _versions[key]


class _Version(importlib.abc.MetaPathFinder, importlib.abc.ExecutionLoader):
    """One version of a file as a module, and the importer of what stands beside it.

    Attributes:
        name: of the module, one for each version: objects of an older one keep working.
    """

    def __init__(self, source: UserSource) -> None:
        self.source = source
        self.name = f"user_{source.path.stem}_{source.digest[:12]}"
        self._places = {**source.beside, self.name: source.name}
        self._imported: dict[str, ModuleType] = {}
        for file, content in source.files.items():
            place = str(source.folder / file)
            _files.add(place)
            lines = content.decode(errors="replace").splitlines(keepends=True)
            linecache.cache[place] = (len(content), None, lines, place)  # what ran, not what is there by now
        spec = self.find_spec(self.name, None)
        assert spec is not None
        self.module = importlib.util.module_from_spec(spec)

    @contextmanager
    def importing(self) -> Iterator[None]:
        """Context manager in which imports find modules beside the file, and errors become `UserCodeError`."""
        with _lock:
            names = self.source.beside
            hidden = {name: sys.modules.pop(name) for name in names if name in sys.modules}
            sys.modules.update(self._imported)
            sys.meta_path.insert(0, self)
            try:
                yield
            except TorchtuiError:
                raise
            except (Exception, SystemExit) as error:
                said = f"{self.source.name}: {type(error).__name__}: {error}"
                raise as_user_error(error) or UserCodeError(said) from None
            finally:
                sys.meta_path.remove(self)
                self._imported = {name: sys.modules.pop(name) for name in names if name in sys.modules}
                sys.modules.update(hidden)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return importlib.util.spec_from_loader(fullname, self) if fullname in self._places else None

    def get_filename(self, fullname: str) -> str:
        return str(self.source.folder / self._places[fullname])

    def get_source(self, fullname: str) -> str:
        return importlib.util.decode_source(self.source.files[self._places[fullname]])

    def is_package(self, fullname: str) -> bool:
        return Path(self._places[fullname]).name == "__init__.py" and fullname != self.name
