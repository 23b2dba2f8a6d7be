"""The command palette: what the screen in front can do now, then where one can go, then what the app can do."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import SystemCommand
from textual.await_complete import AwaitComplete
from textual.command import CommandPalette, DiscoveryHit, Hits
from textual.screen import Screen
from textual.system_commands import SystemCommandsProvider

from tui.screens.base import MODES, ModeScreen

if TYPE_CHECKING:
    from tui.app.app import TuiApp

__all__ = ["InOrder", "Palette", "commands"]

MOVES = frozenset(
    {
        *(
            "move",
            "page",
            "jump",
            "shift",
            "scroll",
            "line",
            "step",
            "above",
            "below",
            "next",
            "choose",
            "select",
        ),
        *("open", "page_up", "page_down", "leave_field", "leave", "close", "focus_first", "copy_text"),
    }
)
"""Actions that only make sense as keys: moving, and what Enter and Escape do."""
OPENS = frozenset({"open"})
"""Of those, the ones that are commands of a screen where they are its own."""


class Palette(CommandPalette):
    """The palette of commands, which closes once: each click of a double click beside it asks it to."""

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Close the palette, if it is still open."""
        return super().dismiss(result) if self.is_active else AwaitComplete()


class InOrder(SystemCommandsProvider):
    """Offers the commands in their own order, not by the alphabet."""

    async def discover(self) -> Hits:
        for title, help_text, act, _ in self.app.get_system_commands(self.screen):
            yield DiscoveryHit(title, act, help=help_text)


def commands(app: "TuiApp", screen: Screen[Any]) -> Iterator[SystemCommand]:
    """Yield each command once: those of the screen, the modes, those of the app."""
    named = set[str]()
    for command in (*_of_screen(app, screen), *_of_modes(app), *_of_app(app)):
        if command.title not in named:
            named.add(command.title)
            yield command


def _of_screen(app: "TuiApp", screen: Screen[Any]) -> Iterator[SystemCommand]:
    """Yield what has a key here and can be done now, then the jobs of the run."""
    for active in screen.active_bindings.values():
        binding = active.binding
        action = binding.action.partition("(")[0]
        moves = (action in MOVES or action.startswith("scroll")) and not (
            active.node is screen and action in OPENS
        )
        if not binding.description or not active.enabled or active.node is app or moves or "." in action:
            continue
        title = binding.description[:1].upper() + binding.description[1:]
        help_text = f"{binding.tooltip or title}  ({app.get_key_display(binding)})"
        yield SystemCommand(title, help_text, partial(_run, app, binding.action, active.node))
    if isinstance(screen, ModeScreen):
        for title, text, act in screen.more_commands():
            yield SystemCommand(title, text, act)


def _run(app: "TuiApp", action: str, node: Any) -> None:
    app.run_worker(app.run_action(action, default_namespace=node))


def _of_modes(app: "TuiApp") -> Iterator[SystemCommand]:
    for key, mode in enumerate(MODES, start=1):
        yield SystemCommand(f"Go to {mode.capitalize()}", f"Key {key}", partial(app.action_go, mode))


def _of_app(app: "TuiApp") -> Iterator[SystemCommand]:
    yield SystemCommand("Queue", "The runs that wait, and their order  (Q)", app.action_queue)
    yield SystemCommand("Agents", "What agents do here, and the way to stop them  (A)", app.action_agents)
    yield SystemCommand("Table", "Save or copy the table on this screen  (^s)", app.action_table)
    yield SystemCommand("Help", "What this screen is for, and its keys  (?)", app.action_help)
    yield SystemCommand("Theme", "Change the colours", app.action_change_theme)
    yield SystemCommand(
        "Screenshot",
        "Save a picture of the screen as SVG",
        lambda: app.set_timer(0.1, app.deliver_screenshot),
    )
    yield SystemCommand("Quit", "Leave; asks first while a run trains here  (q)", app.action_quit)
