"""Commands whose module is imported when they are called: ``tui --help`` needs none of them."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

__all__ = ["LazyGroup"]


class _LazyCommand(TyperCommand):
    """Stands for a command in the list; everything else is done by the real one."""

    def __init__(self, name: str, target: str, help_line: str, panel: str) -> None:
        super().__init__(name, help=help_line, rich_help_panel=panel)
        self.target = target

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        return _load(self.target).make_context(info_name, args, parent, **extra)


class LazyGroup(TyperGroup):
    """A group whose commands are in a table.

    Attributes:
        PANELS: title of a part of the help to its commands.
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


def _load(target: str) -> Any:
    """The real command of ``module:function`` or ``module:app``."""
    module, _, name = target.partition(":")
    found = getattr(import_module(module), name)
    if not isinstance(found, typer.Typer):
        command, found = found, typer.Typer(add_completion=False)
        found.command(name)(command)
    return typer.main.get_command(found)
