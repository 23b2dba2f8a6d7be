"""Code of the user's that a function may run, told from the names that it mentions; nothing is run."""

import sys
from collections.abc import Iterator
from functools import cached_property, partial
from itertools import islice
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from core.user_code.modules import is_users

__all__ = ["reached"]

MANY = 1000
"""Values of a list or dict that are looked at: a table of functions has fewer."""


def reached(found: Any, module: ModuleType) -> Iterator[CodeType]:
    """Yield the code of what a module of the user's calls `found`, and all that it may lead to in the same program.

    A name that is not of its own module may be an attribute, or imported inside the function: it stands for all that
    has it in any module of the program. So rather too much is found; missed is what no name leads to, as with eval.
    """
    program = module.__name__.partition(".")[0] + "."
    spaces = [vars(each) for name, each in [*sys.modules.items()] if f"{name}.".startswith(program)]
    todo, seen = [found], {id(None)}
    while todo:
        each = todo.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, CodeType) and is_users(each.co_filename):
            yield each
            todo += [*each.co_consts, *_named(each, spaces)]
        else:
            todo += _inside(each)


def _named(code: CodeType, spaces: list[dict[str, Any]]) -> Iterator[Any]:
    """Yield what the names in some code may stand for."""
    own = [space for space in spaces if space.get("__file__") == code.co_filename]
    for name in code.co_names:
        places = [space for space in own if name in space] or spaces
        yield from (space[name] for space in places if name in space)


def _inside(value: Any) -> list[Any]:
    """Return what a value may lead to."""
    match value:
        case FunctionType():
            cells = [_content(cell) for cell in value.__closure__ or ()]
            return [value.__code__, value.__dict__.get("__wrapped__"), *(value.__defaults__ or ()), *cells]
        case MethodType() | classmethod() | staticmethod():
            return [value.__func__]
        case property():
            return [value.fget]
        case cached_property() | partial():
            return [value.func]
        case dict():
            return [*islice(value.values(), MANY)]
        case list() | tuple():
            return [*islice(value, MANY)]
        case type():
            return [*vars(value).values(), *value.__mro__[1:]] if _is_users_class(value) else []
        case _ if _is_users_class(type(value)):
            return [type(value), *getattr(value, "__dict__", {}).values()]
        case _:
            return [vars(value).get("__wrapped__")] if callable(value) and hasattr(value, "__dict__") else []


def _content(cell: CellType) -> Any:
    """Return what a variable around a function holds; None before it has a value."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _is_users_class(kind: type) -> bool:
    return is_users(str(getattr(sys.modules.get(kind.__module__), "__file__", "")))
