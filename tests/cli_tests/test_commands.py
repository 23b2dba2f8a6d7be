"""The table of commands and the commands themselves."""

import pytest

from tui.cli import Commands
from tui.cli.lazy import _load


@pytest.mark.parametrize("name", Commands.COMMANDS)
def test_each_line_of_help_is_that_of_its_command(name):
    target, line = Commands.COMMANDS[name]
    assert _load(target).help.startswith(line.rstrip("."))


@pytest.mark.parametrize("name", Commands.COMMANDS)
def test_every_command_shows_an_example(name):
    command = _load(Commands.COMMANDS[name][0])
    for each in (command, *getattr(command, "commands", {}).values()):
        assert "Example" in each.help, each.name
        assert "\n" not in each.help.replace("\n\n", ""), (
            f"{each.name}: a paragraph of its help is cut in two"
        )
