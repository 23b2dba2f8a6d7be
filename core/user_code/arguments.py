"""The arguments of a user's class or function as option fields: shown in forms, and checked by type before the call."""

import ast
import inspect
import warnings
from collections.abc import Callable, Collection, Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import Field, ValidationError, create_model

from core.errors import ConfigError, UserCodeError
from core.field_errors import problems
from core.options import Options, code_fields
from core.remedies import worded
from core.user_code.loading import parse
from core.user_code.source import read_source

__all__ = [
    "ARGUMENTS",
    "Filled",
    "as_typed",
    "check_arguments",
    "filled_in",
    "known_arguments",
    "signature_of",
    "wrong_arguments",
]

Filled = Mapping[str, bool]
"""Names of arguments that are filled from elsewhere -> whether also where they have a default."""
ARGUMENTS = "arguments"
"""The field beside a field of `Code` that holds what the class or function is given."""

PLAIN: Mapping[str, type] = {kind.__name__: kind for kind in (int, float, bool, str)}
LATER = object()
"""A default that only running the file would reveal."""


class Arguments(Options):
    """Base of the fields made from a signature."""


def known_arguments(option: type[Options], values: Mapping[str, Any]) -> type[Options] | None:
    """The arguments that the code named in some values takes, as fields, read from its source without running it.

    Args:
        option: has a field of `Code`, a field `ARGUMENTS`, and may list in `FILLED` what is filled from elsewhere, in
            `FILLED_OF_FUNCTIONS` that of functions alone, and count in `GIVEN` the first arguments of a function.

    Returns:
        None where there is no such field, or the file does not show it: it cannot be read, or the constructor is not
        written in it.
    """
    code = code_fields(option)
    if ARGUMENTS not in option.model_fields or not code or not values.get(code[0]):
        return None
    try:
        file, name = parse(str(values[code[0]]))
        source = read_source(file)
        tree = ast.parse(source.files[source.main])
    except (UserCodeError, SyntaxError, ValueError):  # told when it is to be run
        return None
    signature = _signature(tree, name)
    if signature is None:
        return None
    called = _is_function(tree, name)
    given = getattr(option, "GIVEN", 0) if called else 0
    filled = filled_in(signature, getattr(option, "FILLED", {}))
    if called:
        filled += filled_in(signature, getattr(option, "FILLED_OF_FUNCTIONS", {}))
    return _fields(name, signature, [*filled, *[*signature.parameters][:given]])


def wrong_arguments(option: type[Options], values: Mapping[str, Any]) -> dict[str, str]:
    """Return the problems of some arguments by name, as far as the source shows without running it."""
    fields = known_arguments(option, values)
    return {} if fields is None else _wrong(fields, values.get(ARGUMENTS, {}), getattr(option, "FILLED", {}))


def as_typed(option: type[Options], values: Mapping[str, Any], argument: str) -> Any:
    """Return one of the arguments in some values; a whole number as a float where the source says that it is one."""
    given = values[ARGUMENTS][argument]
    fields = known_arguments(option, values)
    field = fields.model_fields.get(argument) if fields else None
    kind = None if field is None else field.annotation
    kinds = get_args(kind) or (kind,)
    is_whole = isinstance(given, int) and not isinstance(given, bool)
    return float(given) if is_whole and float in kinds and int not in kinds else given


def check_arguments(
    found: Callable[..., Any],
    given: Mapping[str, Any],
    facts: Mapping[str, Any],
    path: str,
    filled: Filled | None = None,
) -> dict[str, Any]:
    """The arguments of a call: those given, by their types, and those that are filled.

    Args:
        facts: values of the names in `filled`; by default all of them are filled wherever they are taken.
        path: dotted path of the field that gave them, such as ``model.arguments``.

    Raises:
        ConfigError: one is unknown, missing, or of the wrong type.
    """
    signature = signature_of(found)
    if signature is None:
        return dict(given)
    filled = dict.fromkeys(facts, True) if filled is None else filled
    used = {name: facts[name] for name in filled_in(signature, filled) if name not in given}
    name = getattr(found, "__name__", "")
    for argument, message in _wrong(_fields(name, signature, used), given, filled).items():
        raise ConfigError(f"{path}.{argument}: {message}", field=f"{path}.{argument}")
    fields = _fields(name, signature, used).model_validate(given)
    return {**used, **{key: getattr(fields, key) for key in given}}


def filled_in(signature: inspect.Signature | None, filled: Filled) -> list[str]:
    """Return the names of `filled` that are filled in a call of what has this signature."""
    parameters = signature.parameters if signature else {}
    return [
        name
        for name, always in filled.items()
        if name in parameters and (always or parameters[name].default is inspect.Parameter.empty)
    ]


def signature_of(found: Callable[..., Any]) -> inspect.Signature | None:
    """Return the signature of a class or a function; None if it is written in C."""
    try:
        return inspect.signature(found, eval_str=True)
    except (NameError, TypeError, ValueError, SyntaxError):  # annotations of names that are not there
        try:
            return inspect.signature(found)
        except (TypeError, ValueError):
            return None


def _wrong(fields: type[Options], given: Mapping[str, Any], filled: Filled) -> dict[str, str]:
    missing = [key for key, field in fields.model_fields.items() if field.is_required() and key not in given]
    clear = ", ".join(name for name, always in filled.items() if always)
    names = f"; the data fills {clear}" if clear else ""
    wrong = dict.fromkeys(missing, f"{fields.__name__} needs it, and it has no default{names}")
    try:
        fields.model_validate(given)
    except ValidationError as error:
        found = {path.partition(".")[0]: (message, hint) for path, message, hint in problems(error, fields)}
        wrong = {
            key: f"{text}. {worded(hint)}" if hint else text for key, (text, hint) in found.items()
        } | wrong
    return wrong


def _fields(name: str, signature: inspect.Signature, without: Collection[str]) -> type[Options]:
    """A signature as an options class named after what it is of. Arguments of unknown types take anything."""
    kinds = {parameter.kind for parameter in signature.parameters.values()}
    fields: dict[str, Any] = {}
    for key, parameter in signature.parameters.items():
        by_name = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        if by_name and key not in without and not key.startswith("_"):
            default = parameter.default
            default = ... if default is parameter.empty else None if default is LATER else default
            fields[key] = (_type(parameter), Field(default, description=f"Argument of {name}."))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that pydantic has methods of: only values are read
        made: type[Options] = create_model(name, __base__=Arguments, **fields)
        if inspect.Parameter.VAR_KEYWORD in kinds:
            made.model_config["extra"] = "allow"
            made.model_rebuild(force=True)
    return made


def _type(parameter: inspect.Parameter) -> Any:
    """The annotation if forms know it, else the type of the default, else anything."""
    annotation, default = parameter.annotation, parameter.default
    if default is LATER:
        return Any
    if annotation is not parameter.empty:
        return annotation if _is_known(annotation) else Any
    if isinstance(default, tuple):
        kinds = {type(item) for item in default}
        # A type made at run time, which no checker can know.
        return tuple[kinds.pop(), ...] if len(kinds) == 1 and kinds <= {*PLAIN.values()} else Any  # type: ignore[misc]
    return type(default) if type(default) in PLAIN.values() else Any


def _is_known(annotation: Any) -> bool:
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation in (*PLAIN.values(), NoneType, Ellipsis) or origin is Literal:
        return True
    return origin in (tuple, Union, UnionType) and all(map(_is_known, inner))


def _signature(tree: ast.Module, name: str) -> inspect.Signature | None:
    """The signature of a function or a constructor that is written in a module; None if it is not."""
    named = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    seen: set[str] = set()
    found: ast.stmt | None = named.get(name)
    while isinstance(found, ast.ClassDef) and found.name not in seen:
        seen.add(found.name)
        own = [node for node in found.body if isinstance(node, ast.FunctionDef) and node.name == "__init__"]
        bases = [named.get(base.id) for base in found.bases if isinstance(base, ast.Name)]
        found = own[0] if own else next(filter(None, bases), None)
    if not isinstance(found, ast.FunctionDef):
        return None
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    parameters = _parameters(found.args, constants)
    return inspect.Signature(parameters[1:] if seen else parameters)


def _is_function(tree: ast.Module, name: str) -> bool:
    return any(isinstance(node, ast.FunctionDef) and node.name == name for node in tree.body)


def _parameters(written: ast.arguments, constants: Mapping[str, ast.expr]) -> list[inspect.Parameter]:
    positional = [*written.posonlyargs, *written.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(written.defaults)) + written.defaults
    kinds: list[Any] = [inspect.Parameter.POSITIONAL_ONLY] * len(written.posonlyargs)
    kinds += [inspect.Parameter.POSITIONAL_OR_KEYWORD] * len(written.args)
    kinds += [inspect.Parameter.KEYWORD_ONLY] * len(written.kwonlyargs)
    everything = zip(
        [*positional, *written.kwonlyargs], [*defaults, *written.kw_defaults], kinds, strict=True
    )
    parameters = [
        inspect.Parameter(node.arg, kind, default=_default(default, constants), annotation=_annotation(node))
        for node, default, kind in everything
    ]
    if written.kwarg:
        parameters.append(inspect.Parameter(written.kwarg.arg, inspect.Parameter.VAR_KEYWORD))
    return parameters


def _default(written: ast.expr | None, constants: Mapping[str, ast.expr]) -> Any:
    if written is None:
        return inspect.Parameter.empty
    if isinstance(written, ast.Name):
        written = constants.get(written.id, written)
    try:
        return ast.literal_eval(written)
    except ValueError:
        return LATER


def _annotation(node: ast.arg) -> Any:
    if node.annotation is None:
        return inspect.Parameter.empty
    try:
        return _meaning(node.annotation)
    except (LookupError, SyntaxError, TypeError, ValueError):
        return Any


def _meaning(node: ast.expr) -> Any:
    """The type that an expression stands for; raises LookupError for what is not known here."""
    if isinstance(node, ast.Constant):
        values: dict[Any, Any] = {None: NoneType, ...: ...}
        text = node.value
        return _meaning(ast.parse(text, mode="eval").body) if isinstance(text, str) else values[text]
    if isinstance(node, ast.Name):
        return PLAIN[node.id]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _meaning(node.left) | _meaning(node.right)
    if isinstance(node, ast.Subscript):
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        name = ast.unparse(node.value).rpartition(".")[2]
        if name == "Literal":
            return Literal[tuple(ast.literal_eval(item) for item in inner)]
        types = tuple(_meaning(item) for item in inner)
        # Types made at run time, which no checker can know.
        return {"tuple": tuple[types], "Tuple": tuple[types], "Optional": Union[(*types, None)]}[name]  # type: ignore[valid-type]
    raise LookupError(ast.dump(node))
