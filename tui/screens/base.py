"""Base of the six screens: the line of modes on top, the footer, and the help."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.events import Click, Resize, ScreenResume, ScreenSuspend
from textual.geometry import Size
from textual.message_pump import MessagePump
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from tui.terminal.textual_private import restyle_before_layout, use_frugal_compositor
from tui.widgets.key_line import NARROW, KeyLine

if TYPE_CHECKING:
    from tui.app.app import TuiApp  # the layer above, imported for types only
    from tui.forms.guide.explain import Explanation

__all__ = ["MODES", "NARROW", "WIDE", "ModeScreen", "tui_of"]

WIDE = 170
MODES = ("runs", "configure", "live", "evaluate", "tune", "compare")


def tui_of(node: MessagePump) -> "TuiApp":
    """Return the app of a screen or widget, typed."""
    return cast("TuiApp", node.app)


def classes_at(cells: int, breakpoints: Sequence[tuple[int, str]]) -> dict[str, bool]:
    """Return which class of some breakpoints a screen of so many cells has."""
    chosen = max(each for each in breakpoints if each[0] <= cells)
    return {name: (least, name) == chosen for least, name in breakpoints}


class ModeTab(Static):
    """Name and key of a mode; a click switches to it."""

    def __init__(self, mode: str, key: int, *, current: bool) -> None:
        name = mode.capitalize()
        super().__init__(Content.assemble((f"{key} ", "$accent" if current else "$text-muted"), name))
        self.mode = mode
        self.set_class(current, "-current")

    @on(Click)
    async def _go(self) -> None:
        await self.app.run_action(f"go('{self.mode}')")


class TopBar(Horizontal):
    """Product name, the six modes, and the device on the right."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode = mode

    def compose(self) -> ComposeResult:
        yield Static("torchtui", id="product")
        for key, mode in enumerate(MODES, start=1):
            yield ModeTab(mode, key, current=mode == self.mode)
        yield Static("", id="device", markup=False)

    def on_mount(self) -> None:
        self.watch(self.app, "device_label", self._show_device)

    def _show_device(self, label: str) -> None:
        self.query_one("#device", Static).update(label)


class ModeScreen(Screen[None]):
    """Base of the six screens. Subclasses set `MODE` and `HELP` and yield their content from `compose_body`.

    Attributes:
        MODE: name of the mode.
        HELP: what the screen is for and how it is used, plain text; its keys are listed from its bindings.
    """

    MODE: ClassVar[str] = ""
    HELP: ClassVar[str] = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW, "-normal"), (WIDE, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "question_mark",
            "app.help",
            "help",
            key_display="?",
            show=False,
            tooltip="Explain the field or metric under the cursor; elsewhere, show these keys",
        ),
        Binding("f1", "app.keys", "help", show=False, tooltip="Show these keys"),
    ]

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """The widget with the focus. It and the one before draw a change of it, not the whole screen."""

    def __init__(self) -> None:
        super().__init__()
        use_frugal_compositor(self)
        self._styled_with_focus: bool | None = (
            None  # whether the terminal had the focus; None before the first paint
        )
        self._size_laid_out = Size(0, 0)

    @property
    def tui(self) -> "TuiApp":
        """The app, typed."""
        return tui_of(self)

    def compose(self) -> ComposeResult:
        yield TopBar(self.MODE)
        yield from self.compose_body()
        yield KeyLine()

    def compose_body(self) -> ComposeResult:
        """Yield the screen's own content, between top line and footer."""
        raise NotImplementedError

    def explanation(self) -> "Explanation | None":
        """Return what there is to say about what has the cursor; None if nothing has it that needs a word."""
        return None

    def action_leave_field(self) -> None:
        """Move the focus out of a field, so that the keys of the screen work."""
        self.set_focus(None)

    @on(Resize)
    def _take_size(self, event: Resize) -> None:
        """Lay out and draw a new size of the window once, in the styles for it.

        Textual does so in the styles of the size before, again in those for it, and once more when it tells the screen
        of its own new size.
        """
        if event.size == self._size_laid_out or event.size != self.app.size:  # or a newer one is on its way
            event.prevent_default()
            return
        self._size_laid_out, before = event.size, self.classes
        self.update_classes(
            classes_at(event.size.width, self.HORIZONTAL_BREAKPOINTS)
            | classes_at(event.size.height, self.VERTICAL_BREAKPOINTS),
            update=False,
        )
        if self.classes != before:
            restyle_before_layout(self)
            self.refresh_bindings()  # some keys are offered in small windows alone

    @on(ScreenSuspend)
    def _left(self) -> None:
        self._styled_with_focus = self.app.app_focus

    @on(ScreenResume)
    def _shown(self, event: ScreenResume) -> None:
        """Show what is new; styles are kept: a class, or a theme, is applied to a hidden screen, too."""
        event.refresh_styles = self._styled_with_focus != self.app.app_focus
        self.call_after_refresh(self.refresh_content)

    def more_commands(self) -> Iterable[tuple[str, str, Callable[[], object]]]:
        """Return commands of the palette that have no key of their own: title, explanation, what is called."""
        return ()

    def queue_changed(self) -> None:
        """Called when another number of runs waits for their turn."""

    def refresh_content(self) -> Awaitable[None] | None:
        """Called whenever the screen comes to the front."""
