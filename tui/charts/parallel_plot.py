"""Parallel coordinates in which a range on an axis is selected by mouse or keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from tui.charts.parallel_axes import WHOLE, Band, axis_at
from tui.charts.plot import Chart, Plot

__all__ = ["ParallelPlot"]


class ParallelPlot(Plot, can_focus=True):
    """A chart whose axes stand at 1, 2, ... from 0 to 1. Dragging along one selects a part of it, a click all of it.

    Attributes:
        axis: index of the axis that the keys change.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "axis(-1)", "Previous axis", show=False),
        Binding("right", "axis(1)", "Next axis", show=False),
        Binding("up", "move(1, 1)", "Upper end up", show=False),
        Binding("down", "move(1, -1)", "Upper end down", show=False),
        Binding("shift+up", "move(0, 1)", "Lower end up", show=False),
        Binding("shift+down", "move(0, -1)", "Lower end down", show=False),
        Binding("delete,backspace", "clear", "Select the whole axis", show=False),
    ]

    @dataclass
    class Selected(Message):
        """A part of an axis was selected; all of it when nothing is left out."""

        name: str
        band: Band

    @dataclass
    class AxisChanged(Message):
        """The keys change another axis now, or none."""

    def __init__(self) -> None:
        super().__init__()
        self.axis = 0
        self._axes: Sequence[str] = ()
        self._steps: Sequence[float] = ()
        self._bands: Mapping[str, Band] = {}
        self._pressed: tuple[int, float] | None = None

    def show_axes(
        self, chart: Chart, axes: Sequence[str], steps: Sequence[float], bands: Mapping[str, Band]
    ) -> None:
        """Replace the chart.

        Args:
            axes: their names. steps: by which the ends of each move. bands: what is selected, by name.
        """
        self._axes, self._steps, self._bands = axes, steps, bands
        self.axis = min(self.axis, max(0, len(axes) - 1))
        self.show(chart)

    def action_axis(self, by: int) -> None:
        """Change the next or previous axis."""
        if self._axes:
            self.axis = (self.axis + by) % len(self._axes)
            self.post_message(self.AxisChanged())

    def action_move(self, end: int, by: int) -> None:
        """Move one end of the selected part, not beyond the other one."""
        if not self._axes:
            return
        band = list(self._bands.get(self._axes[self.axis], WHOLE))
        moved = band[end] + by * self._steps[self.axis]
        bounds = (0.0, band[1]) if end == 0 else (band[0], 1.0)
        band[end] = min(max(moved, bounds[0]), bounds[1])
        self._select(self.axis, (band[0], band[1]))

    def action_clear(self) -> None:
        """Select the whole axis."""
        if self._axes:
            self._select(self.axis, WHOLE)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take the nearest axis."""
        place = self._place(event)
        if place is not None:
            self.capture_mouse()
            self.axis = axis_at(self._axes, place[0])
            self._pressed = self.axis, place[1]
            self.post_message(self.AxisChanged())

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Select from where the button was pressed to here."""
        place = self._place(event)
        if self._pressed is not None and place is not None and place[1] != self._pressed[1]:
            axis, start = self._pressed
            self._select(axis, (min(start, place[1]), max(start, place[1])))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """End the selection; a click selects the whole axis."""
        self.release_mouse()
        pressed, self._pressed = self._pressed, None
        place = self._place(event)
        if pressed is not None and place is not None and place[1] == pressed[1]:
            self._select(pressed[0], WHOLE)

    def on_focus(self) -> None:
        """Mark the axis that the keys change."""
        self.post_message(self.AxisChanged())

    def on_blur(self) -> None:
        """Mark none."""
        self.post_message(self.AxisChanged())

    def _select(self, axis: int, band: Band) -> None:
        self.post_message(self.Selected(self._axes[axis], band))

    def _place(self, event: events.MouseEvent) -> tuple[float, float] | None:
        """Return the part of the width, and the part of the height from below, at which the mouse is."""
        layout = self._layout
        if layout is None or not self._axes:
            return None
        across = (event.x - layout.indent) / max(1, layout.columns - 1)
        up = 1 - event.y / max(1, layout.rows - 1)
        return min(max(across, 0.0), 1.0), min(max(up, 0.0), 1.0)
