"""The panel of images, texts and histograms: names, steps, and the chosen item as large as there is room."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from core.events import MediaLogged
from core.runs.folder import Run
from core.runs.media.stored import MediaFollower, MediaIndex
from tui.charts.histograms import histogram_lines
from tui.forms.remedies import error_in_app
from tui.screens.background import Background
from tui.screens.media.reading import Histograms, Owner, Shown, read_item
from tui.screens.media.slider import StepSlider
from tui.terminal import graphics as terminal_graphics
from tui.terminal.text import clean, count
from tui.widgets.panel import Panel
from tui.widgets.picture import Picture

__all__ = ["MediaPanel"]

LOOK_SECONDS = 1.0
PIXELS_OF_A_CELL = 12
"""Across, at most, in a terminal with graphics of its own."""
SIGNS = {"image": "▣", "text": "¶", "histogram": "∿"}


class NameList(OptionList, inherit_bindings=False):
    """The names; left and right are those of the panel."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "cursor_down", "Next name", show=False),
        Binding("up", "cursor_up", "Previous name", show=False),
    ]


class HistogramView(Widget):
    """Draws histograms for its size."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.shown: Histograms | None = None

    def render(self) -> Content:
        if self.shown is None or not self.size:
            return Content()
        return histogram_lines(self.shown.over_steps, self.shown.place, *self.size)


class MediaPanel(Background, Panel):
    """Images, texts and histograms of one run; read only while they are displayed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "step", key_display="← →", tooltip="The step before, or after"),
        Binding("right", "step(1)", "next step", show=False),
        Binding("shift+left,pageup", "step(-10)", "Ten steps back", show=False),
        Binding("shift+right,pagedown", "step(10)", "Ten steps on", show=False),
        Binding("home", "step(-1000000000)", "The first step", show=False),
        Binding("end", "step(1000000000)", "The last step, and those that come", show=False),
        Binding("escape", "leave", "close", tooltip="Close images, texts and histograms"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._owner: Owner | None = None
        self._index = MediaIndex()
        self._follower: MediaFollower | None = None
        self._looking: MediaFollower | None = None
        self._names: list[str] = []
        self._places: dict[str, int] = {}  # of names whose last item is not followed
        self._wanted: tuple[object, ...] = ()
        self._is_reading = False

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield NameList(id="media-names", compact=True)
            with Vertical(id="media-item"):
                yield Picture(id="media-picture")
                yield HistogramView(id="media-histogram")
                with VerticalScroll(id="media-scroll", can_focus=False):
                    yield Static("", id="media-text", markup=False)
                yield Static("", id="media-caption", markup=False)
                yield StepSlider(id="media-slider")

    def on_mount(self) -> None:
        self.border_subtitle = "← → step  ↑ ↓ name  esc close"
        self._show_only("media-scroll")
        self.set_interval(LOOK_SECONDS, self.look)

    @property
    def view(self) -> NameList:
        """The list of names, which gets the focus."""
        return self.query_one(NameList)

    @property
    def name_shown(self) -> str:
        """The chosen name; empty without any."""
        at = self.view.highlighted
        return self._names[at] if at is not None and at < len(self._names) else ""

    def follow(self, run: Run | None) -> None:
        """Show what a run has kept, read from its log, and what it keeps from now on."""
        if self._follower is None or self._follower.run != run:
            self._follower = MediaFollower(run) if run is not None else None
            self.show(run, MediaIndex())
            self.look()

    def look(self) -> None:
        """Read what has come since; where `show` is called by others, do nothing."""
        follower = self._follower
        if follower is not None and self.is_on_screen and self._looking is not follower:
            self._looking = follower  # one thread at a time reads it
            self.in_background("index", lambda progress: follower.read(), self._seen)

    def _seen(self, index: MediaIndex) -> None:
        if self._follower is not None:
            self.show(self._follower.run, index)
        self._looking = None

    def show(self, owner: Owner | None, index: MediaIndex) -> None:
        """Show what a run, or the log of another tool, has so far."""
        if owner != self._owner:
            self._places, self._wanted = {}, ()
        self._owner, self._index = owner, index
        self._list_names()
        self.draw()

    def _list_names(self) -> None:
        names = list(self._index.items)
        if names == self._names:
            return
        before = self.name_shown
        self._names = names
        self.view.clear_options()
        self.view.add_options([Option(_label(self._index.items[name][-1])) for name in names])
        if names:
            self.view.highlighted = names.index(before) if before in names else 0

    def draw(self) -> None:
        """Draw the chosen item, unless it is drawn already."""
        name = self.name_shown
        events = self._index.items.get(name, [])
        if self._owner is None or not events:
            self.border_title = "images, texts and histograms"
            self._say(Content.styled("nothing was logged yet", "$text-muted"))
            return
        place = min(self._places.get(name, len(events) - 1), len(events) - 1)
        event = events[place]
        epoch = f"  epoch {count(event.epoch)}" if event.epoch else ""
        self.query_one(StepSlider).show(f"step {count(event.step)}{epoch}", place, len(events))
        caption = self.query_one("#media-caption", Static)
        if caption.content != (text := Content(clean(event.caption))):
            caption.update(text)  # which lays out the screen
        caption.display = bool(event.caption)
        self.border_title = name
        room = self.query_one("#media-item").size
        pixels = PIXELS_OF_A_CELL if terminal_graphics.image_widget is not None else 1
        most = room.width * pixels, 2 * (room.height - 1 - caption.display) * pixels
        over = len(events) if event.kind == "histogram" else 0
        self._want(event, over, most, place)

    def _want(self, event: MediaLogged, over: int, pixels: tuple[int, int], place: int) -> None:
        """Read an item on a thread; of those that are wanted meanwhile the newest comes next."""
        wanted = (event, over, pixels)
        if wanted == self._wanted or not all(size > 0 for size in pixels):
            return
        if self._is_reading:
            return
        self._wanted, self._is_reading = wanted, True
        owner, events = self._owner, list(self._index.items[event.name])
        assert owner is not None
        self.in_background(
            "item", lambda progress: read_item(owner, events, place, pixels), self._take, self._cannot
        )

    def _take(self, shown: Shown) -> None:
        self._is_reading = False
        if isinstance(shown, Content):
            self._say(shown, is_item=True)
        elif isinstance(shown, Histograms):
            self._show_only("media-histogram")
            view = self.query_one(HistogramView)
            view.shown = shown
            view.refresh()
        else:
            self._show_only("media-picture")
            self.query_one(Picture).show(shown)
        self.draw()

    def _cannot(self, error: Exception) -> None:
        self._is_reading = False
        self._say(Content.styled(f"✗ {clean(error_in_app(error))}", "$error"), is_item=True)
        self.draw()

    def _say(self, text: Content, *, is_item: bool = False) -> None:
        self._show_only("media-scroll")
        self.query_one("#media-text", Static).update(text)
        self.query_one(StepSlider).display = is_item
        if not is_item:
            self.query_one("#media-caption").display = False

    def _show_only(self, id: str) -> None:
        for each in ("media-picture", "media-histogram", "media-scroll"):
            self.query_one(f"#{each}").display = each == id
        self.query_one(StepSlider).display = True

    def on_resize(self) -> None:
        self.call_after_refresh(self.draw)

    @on(OptionList.OptionHighlighted)
    def _name_chosen(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self.draw()

    @on(StepSlider.Moved)
    def _moved(self, event: StepSlider.Moved) -> None:
        event.stop()
        self._go_to(event.place)

    def action_step(self, by: int) -> None:
        """Go so many steps on or back."""
        last = len(self._index.items.get(self.name_shown, [])) - 1
        self._go_to(self._places.get(self.name_shown, last) + by)

    def _go_to(self, place: int) -> None:
        """Show an item by its place; at the last one those that come are followed."""
        name = self.name_shown
        last = len(self._index.items.get(name, [])) - 1
        if place >= last:
            self._places.pop(name, None)
        else:
            self._places[name] = max(0, place)
        self.draw()

    def action_leave(self) -> None:
        """Close the panel."""
        self.run_worker(self.run_action("screen.media"))


def _label(event: MediaLogged) -> Content:
    return Content.assemble((f"{SIGNS[event.kind]} ", "$text-muted"), clean(event.name))
