"""Commands whose modules are imported when called, so that ``tui --help`` imports none; and their common look."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from core.errors import InputError

__all__ = ["Command", "Group", "LazyGroup"]


class Command(TyperCommand):
    """A command whose help shows flags without a type, since they take no value."""

    def get_params(self, ctx: Any) -> Any:
        return _without_types(super().get_params(ctx))


class Group(TyperGroup):
    """A group whose help shows flags without a type."""

    def get_params(self, ctx: Any) -> Any:
        return _without_types(super().get_params(ctx))


class _LazyCommand(TyperCommand):
    """Placeholder of a command in the list; everything else is delegated to the real one."""

    def __init__(self, name: str, target: str, help_line: str, panel: str) -> None:
        super().__init__(name, help=help_line, rich_help_panel=panel)
        self.target = target

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        command = _load(self.target)
        before = _given_before(command, info_name, parent) if parent is not None else []
        return command.make_context(info_name, before + args, parent, **extra)


class LazyGroup(Group):
    """A group whose commands are in a table.

    Attributes:
        PANELS: title of a help section to its commands.
        COMMANDS: name of a command to where it is (``module:function``, or ``module:app``) and its line of help.
    """

    PANELS: dict[str, dict[str, tuple[str, str]]] = {}
    COMMANDS: dict[str, tuple[str, str]] = {}

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.COMMANDS:
            return None
        panel = next(title for title, commands in self.PANELS.items() if cmd_name in commands)
        return _LazyCommand(cmd_name, *self.COMMANDS[cmd_name], panel)


def _without_types(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = parameter.metavar or ""
    return parameters


def _given_before(command: Any, name: str | None, parent: Any) -> list[str]:
    """Treat options before the command as its own; those after it come later, and win.

    Raises:
        InputError: the command has no such option.
    """
    known = {flag for parameter in command.params for flag in parameter.opts}
    words = []
    for parameter in parent.command.params:
        source, flag = parent.get_parameter_source(parameter.name), parameter.opts[0]
        if source is None or source.name != "COMMANDLINE":
            continue
        if flag in known:
            words.append(f"{flag}={parent.params[parameter.name]}")
        elif not parent.resilient_parsing:
            raise InputError(f"`tui {name}` has no option {flag}", f"Leave {flag} out")
    return words


def _load(target: str) -> Any:
    """The real command of ``module:function`` or ``module:app``."""
    module, _, name = target.partition(":")
    found = getattr(import_module(module), name)
    if not isinstance(found, typer.Typer):
        command, found = found, typer.Typer(add_completion=False)
        found.command(name, cls=Command)(command)
    return typer.main.get_command(found)
