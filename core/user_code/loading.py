"""A class or function from a user's Python file, named ``FILE.py:NAME``, such as ``mynet.py:Net``.

What runs is exactly what was read and hashed: the file, and the modules of its project that it imports, are imported
from memory. So a change on disk is seen at the next call, and nothing is left in ``__pycache__``. Whether it may run
at all is asked of `core.user_code.trust` first.
"""

import re
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from core.errors import TorchtuiError, UserCodeError
from core.options import Code, Options, code_fields
from core.user_code import trust
from core.user_code.modules import Modules, is_users, without_prefix
from core.user_code.process_state import as_a_script, restored
from core.user_code.source import Program, UserSource, read_source

if TYPE_CHECKING:
    import torch

__all__ = [
    "Reference",
    "UsedCode",
    "as_user_error",
    "call",
    "dtype_set_by",
    "files_named",
    "load_object",
    "module_of",
    "parse",
    "program_of",
    "references",
    "source_of",
    "trust_named",
    "version",
]

Reference = Annotated[str, Field(pattern=f"^$|{Code.PATTERN}"), Code()]
"""A field that names a class or a function in a file; empty for none. Describe it as ``...: FILE.py:NAME ...``."""

_versions: dict[tuple[Path, str], ModuleType] = {}
"""The module of each version of a file, by the file's place and the digest of all that it imports."""
_dtypes: dict[tuple[Path, str], "torch.dtype"] = {}
"""The default dtype that a version of a file set when it was run, of those that set one."""
ENDS = "Put what only a script does, such as reading arguments, below if __name__ == '__main__'"
_lock = threading.RLock()
"""Held while a file is run for the first time."""


def parse(reference: str) -> tuple[Path, str]:
    """The file and the name that a reference speaks of.

    Raises:
        UserCodeError: it is not a reference.
    """
    file, _, name = reference.rpartition(":")
    if not file or not name.isidentifier():
        raise UserCodeError(f"got '{reference}'", "It takes FILE.py:NAME, such as mynet.py:Net")
    return Path(file).expanduser(), name


def files_named(text: str, *, many: bool = False) -> set[Path]:
    """Return the file that a text names, if it is a reference.

    Args:
        many: true if it may be several, comma-separated, possibly in brackets and quoted.
    """
    parts = [part.strip(" '\"") for part in text.strip(" []").split(",")] if many else [text]
    return {parse(part)[0].resolve() for part in parts if re.match(Code.PATTERN, part)}


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


def trust_named(text: str, *, many: bool = False) -> None:
    """A reference that the user has typed: its file may run. Other texts mean nothing here. See `files_named`."""
    for file in files_named(text, many=many):
        trust.trust(file)


def version(options: Options) -> str:
    """Changes whenever a file that some options name changes; empty when they name none that can be read."""
    try:
        return " ".join(source_of(reference).digest for _, reference in _named(options))
    except UserCodeError:
        return ""


@dataclass(frozen=True)
class UsedCode:
    """User code that a configuration names.

    Attributes:
        section, field: where it names it. The field holds the reference, or several values of which it is one.
        folder: of its copy, in the folder of all code of a run.
    """

    section: str
    field: str
    reference: str
    folder: str


def references(config: Options) -> list[UsedCode]:
    """Return the user code that a configuration names."""
    found = []
    for section in type(config).model_fields:
        options = getattr(config, section)
        for field, reference in _named(options):
            is_only = isinstance(getattr(options, field), str)
            folder = section if is_only else f"{field}/{parse(reference)[1]}"
            found.append(UsedCode(section, field, reference, folder))
    return found


def _named(options: Options) -> list[tuple[str, str]]:
    """The references in some options, each with its field; other names in a field of several values are left out."""
    values = ((field, getattr(options, field)) for field in code_fields(type(options)))
    listed = ((field, [value] if isinstance(value, str) else value) for field, value in values)
    return [(field, text) for field, texts in listed for text in texts if re.match(Code.PATTERN, text)]


def load_object(reference: str) -> Callable[..., Any]:
    """The class or function that a reference names, from the file as it is now.

    Raises:
        UntrustedCode: the user has neither named this file nor run it before.
        UserCodeError: it cannot be read, fails when it is run, or has nothing callable of that name.
    """
    file, name = parse(reference)
    module = module_of(reference)
    found = getattr(module, name, None)
    if not callable(found):
        own = [key for key, value in vars(module).items() if _defined_in(module, value)]
        wrong = f"'{name}' in {file} is of type {type(found).__name__}"
        known = f"Classes and functions in it: {', '.join(own) or 'none'}"
        raise UserCodeError(f"{file} has no '{name}'" if found is None else wrong, known)
    return found  # type: ignore[no-any-return]  # whatever can be called


def module_of(reference: str) -> ModuleType:
    """The module of the file that a reference names, as it is now.

    Raises:
        UntrustedCode: as for `load_object`.
        UserCodeError: it cannot be read, or fails when it is run.
    """
    program = program_of(reference)
    trust.check(program)
    return _load(program.source)


def dtype_set_by(reference: str) -> "torch.dtype | None":
    """Return the default dtype that a loaded file set when it was run; it was put back. None if it set none."""
    source = source_of(reference)
    return _dtypes.get((source.folder / source.main, source.digest))


def call(reference: str, **arguments: Any) -> Any:
    """Call the class or function with some arguments.

    Raises:
        UntrustedCode: as for `load_object`.
        UserCodeError: as for `load_object`, or the call itself fails.
    """
    found, file = load_object(reference), parse(reference)[0]
    with _user_errors(file), as_a_script(file):
        return found(**arguments)


def as_user_error(error: BaseException) -> UserCodeError | None:
    """An error raised through the user's lines, reported with them; None if it came from elsewhere."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if is_users(frame.filename)]
    said = f"{type(error).__name__}: {without_prefix(str(error)).partition(chr(10))[0]}"
    if isinstance(error, SyntaxError) and is_users(error.filename or ""):
        place = f"{Path(str(error.filename)).name}, line {error.lineno}"
        said = f"{type(error).__name__}: {error.msg}"
    elif frames:
        place = f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}"
    else:
        return None
    lines = [*traceback.format_list(frames), *traceback.format_exception_only(error)]
    return UserCodeError(f"{place}: {said.rstrip(': ')}", trace=without_prefix("".join(lines)))


def _defined_in(module: ModuleType, value: object) -> bool:
    return callable(value) and getattr(value, "__module__", "") == module.__name__


def _load(source: UserSource) -> ModuleType:
    """The module of a version of a file, run when it is new: as a script of its own, without effects on the process."""
    key = (source.folder / source.main, source.digest)
    with _lock:
        if key not in _versions:
            try:
                with _user_errors(source.path), as_a_script(source.path), restored() as dtypes:
                    _versions[key] = Modules(source).main()
                _dtypes.update((key, dtype) for dtype in dtypes)
            except UserCodeError as error:
                if "SystemExit" in error.message:
                    raise UserCodeError(error.message, ENDS, error.trace) from None
                raise
        return _versions[key]


@contextmanager
def _user_errors(file: Path) -> Iterator[None]:
    """Context manager in which errors become `UserCodeError`."""
    try:
        yield
    except TorchtuiError:
        raise
    except (Exception, SystemExit) as error:
        said = f"{file.name}: {type(error).__name__}: {without_prefix(str(error))}"
        raise as_user_error(error) or UserCodeError(said) from None
