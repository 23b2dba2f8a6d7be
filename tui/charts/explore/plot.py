"""A chart that one explores: the mouse or keys move a crosshair, zoom and pan."""

from dataclasses import dataclass, replace
from typing import Any

from textual.binding import Binding
from textual.events import Click, Hide, Leave, MouseDown, MouseMove, MouseScrollDown, MouseScrollUp, MouseUp
from textual.message import Message

from tui.charts.explore import window as windows
from tui.charts.explore.window import WHOLE, Axes, Window
from tui.charts.plot import Chart, Plot
from tui.charts.plot_cross import readout_text

__all__ = ["CROSS_KEYS", "ZOOM_KEYS", "ExploringPlot", "together"]

STEP_IN, STEP_OUT = 0.5, 2.0
WHEEL_IN, WHEEL_OUT = 0.8, 1.25
PAN_SHARE = 0.25
"""Share of what is shown that a key moves it by."""
AROUND_BEST = 0.2
"""Share of the x axis that is shown around the best epoch."""
FAR = 10
"""So many widths of the chart lead to its end, wherever the crosshair stands."""

CROSS_KEYS = [
    Binding("left", "explore('left')", "Crosshair left", show=False, tooltip="Read the values before"),
    Binding("right", "explore('right')", "Crosshair right", show=False, tooltip="Read the values after"),
    Binding("home", "explore('first')", "Crosshair to the first value", show=False),
    Binding("end", "explore('last')", "Crosshair to the last value", show=False),
]
"""Keys of a crosshair, where nothing else takes the arrows."""
ZOOM_KEYS = [
    Binding("plus,equals_sign", "explore('in')", "Zoom in", key_display="+/-", show=False),
    Binding("minus", "explore('out')", "Zoom out", show=False),
    Binding("shift+left", "explore('back')", "Pan left", show=False),
    Binding("shift+right", "explore('forth')", "Pan right", show=False),
    Binding(
        "asterisk", "explore('best')", "Best epoch", key_display="*", show=False, tooltip="Zoom to the ★"
    ),
    Binding("0", "explore('all')", "Whole chart", show=False, tooltip="Show all of the charts again"),
]


class ExploringPlot(Plot):
    """A chart of which a part is shown. Without a pointer on it or a key, it looks as any other.

    Args:
        focusable: whether it takes the focus, and keys with it; else its screen passes them on.
        both: whether zooming changes both axes, and not that of x alone.
    """

    BINDINGS = [*CROSS_KEYS, *ZOOM_KEYS]

    @dataclass
    class Explored(Message):
        """Another part is shown, or the crosshair stands elsewhere."""

        plot: "ExploringPlot"

        @property
        def control(self) -> "ExploringPlot":
            return self.plot

    @dataclass
    class Picked(Message):
        """A place was clicked, in the units of the axes."""

        plot: "ExploringPlot"
        x: float
        y: float

    def __init__(self, *, focusable: bool = False, both: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.can_focus = focusable
        self.window = WHOLE
        self._both = both
        self._whole = self.chart
        self._pressed: tuple[int, int, Window, Axes] | None = None
        self._dragged = False

    @property
    def whole(self) -> Chart:
        """The chart with everything on it."""
        return self._whole

    @property
    def title(self) -> str:
        """Name of what the chart shows: the beginning of the title of the panel around it."""
        return str(getattr(self.parent, "border_title", None) or "chart").split("  ")[0]

    @property
    def readout(self) -> str:
        """The values at the crosshair in one line; empty without one."""
        return readout_text(self.chart)

    def show(self, chart: Chart) -> None:
        """Replace the chart; the same part of it is shown."""
        self._whole = chart
        super().show(windows.seen(chart, self.window))

    def explore(self, window: Window) -> None:
        """Show another part."""
        if window != self.window:
            self.window = window
            self.show(self._whole)

    def action_explore(self, what: str) -> None:
        """Move the crosshair, zoom or pan by a key."""
        axes = self._axes()
        if axes is None or self._layout is None:
            return
        window, columns = self.window, self._layout.columns
        steps = {"left": -1, "right": 1, "first": -FAR * columns, "last": FAR * columns}
        if what in steps:
            window = windows.move_cross(window, self._whole, axes.x, steps[what], columns)
        elif what in ("in", "out"):
            at = axes.x.fraction(window.cross)
            at = at if 0 <= at <= 1 else 0.5
            factor = STEP_IN if what == "in" else STEP_OUT
            window = windows.zoom(window, axes, factor, (at, 0.5), up=self._both)
        elif what in ("back", "forth"):
            window = windows.pan(window, axes, PAN_SHARE if what == "forth" else -PAN_SHARE)
        elif what == "best":
            best = next((mark.x for mark in self._whole.marks if mark.symbol == "★"), None)
            window = window if best is None else windows.centre(window, axes, best, AROUND_BEST)
        else:
            window = WHOLE
        self._change(window)

    def on_mouse_move(self, event: MouseMove) -> None:
        if self._pressed is not None and event.button:
            self._drag(event.x, event.y)
            return
        self._pressed = None
        at = self._shares(event.x, event.y)
        if at is None or self._layout is None:
            return
        cross = windows.point_at(self._whole, self._layout.x, at[0])
        if cross is not None:
            self._change(replace(self.window, cross=cross))

    def on_leave(self, event: Leave) -> None:
        if not self.is_mouse_over:
            self._change(replace(self.window, cross=None))

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        self._wheel(event, WHEEL_IN)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        self._wheel(event, WHEEL_OUT)

    def on_mouse_down(self, event: MouseDown) -> None:
        axes = self._axes()
        self._dragged = False
        if event.button == 1 and axes is not None:
            self._pressed = (event.x, event.y, self.window, axes)
            self.capture_mouse()

    def on_mouse_up(self, event: MouseUp) -> None:
        self._release()

    def on_hide(self, event: Hide) -> None:
        self._release()

    def on_click(self, event: Click) -> None:
        if event.chain == 2:
            self._change(WHOLE)
            return
        at, layout = self._shares(event.x, event.y), self._layout
        if at is not None and layout is not None and not self._dragged:
            x, y = layout.x.value(at[0]), layout.y.value(at[1])
            self.post_message(self.Picked(self, x, y))

    def _wheel(self, event: MouseScrollUp | MouseScrollDown, factor: float) -> None:
        axes, at = self._axes(), self._shares(event.x, event.y)
        event.stop()
        if axes is not None and at is not None:
            up = event.ctrl or self._both
            self._change(
                windows.zoom(self.window, axes, factor, at, across=not event.ctrl or self._both, up=up)
            )

    def _drag(self, x: int, y: int) -> None:
        if self._pressed is None or self._layout is None:
            return
        from_x, from_y, window, axes = self._pressed
        self._dragged = self._dragged or (x, y) != (from_x, from_y)
        across = (from_x - x) / max(self._layout.columns, 1)
        up = (y - from_y) / max(self._layout.rows, 1)
        self._change(replace(windows.pan(window, axes, across, up), cross=self.window.cross))

    def _release(self) -> None:
        if self._pressed is not None:
            self._pressed = None
            self.release_mouse()

    def _change(self, window: Window) -> None:
        if window != self.window:
            self.explore(window)
            self.post_message(self.Explored(self))

    def _axes(self) -> Axes | None:
        """Return the axes of what is drawn; None where nothing is."""
        if self._layout is None:
            return None
        return windows.axes_of(self._whole, self._layout.x, self._layout.y)

    def _shares(self, x: int, y: int) -> tuple[float, float] | None:
        """Return where a cell lies on the axes, 0 to 1; None beside them."""
        layout = self._layout
        if layout is None or not layout.columns or not layout.rows:
            return None
        at = (x - layout.indent + 0.5) / layout.columns, 1 - (y - layout.above + 0.5) / layout.rows
        return at if 0 <= at[0] <= 1 and 0 <= at[1] <= 1 else None


def together(window: Window, other: Window) -> Window:
    """Return the window of a chart beside one that was explored: the same x axis and crosshair, its own y axis."""
    return replace(other, x=window.x, follows=window.follows, cross=window.cross)
