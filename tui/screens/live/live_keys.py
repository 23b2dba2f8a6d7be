"""Keys of Live, and which of them apply to the followed run: the others are not offered."""

from typing import Final

from textual.binding import Binding, BindingType

from core.status import is_active, is_starting
from tui.charts.explore.plot import CROSS_KEYS, ZOOM_KEYS
from tui.runtime.feed import RunFeed
from tui.screens.base import NARROW
from tui.screens.chart_dialog import CHART_KEYS
from tui.screens.jobs.actions import USE

__all__ = ["LIVE_KEYS", "is_offered"]

LIVE_KEYS: Final[list[BindingType]] = [
    Binding("space", "pause", "pause"),
    Binding("s", "stop", "stop", tooltip="Save and stop the run; asks first"),
    Binding("c", "checkpoint", "save", tooltip="Save a checkpoint now"),
    Binding("d", "detach", "detach", tooltip="Continue in a background process that outlives this app"),
    Binding("e", "evaluate", "eval", tooltip="Open the run in Evaluate"),
    USE,
    Binding("t", "console", "console", tooltip="What user code printed, or the panels again"),
    Binding("p", "panel", "panel", tooltip="The next panel under the charts, on small screens"),
    Binding(
        "comma",
        "epoch(-1)",
        "epoch",
        key_display=",.",
        tooltip="Previous epoch, in table and confusion matrix",
    ),
    Binding(
        "y",
        "layers",
        "layers",
        tooltip="Norms, updates and dead units of each layer, or the charts again",
    ),
    Binding("i", "media", "media", tooltip="Images, texts and histograms by step, or the charts again"),
    Binding("l", "log_scale", "log", tooltip="Logarithmic loss axis"),
    Binding(
        "right_square_bracket",
        "turn_charts(1)",
        "charts",
        key_display="[ ]",
        tooltip="The next page of charts",
    ),
    Binding("left_square_bracket", "turn_charts(-1)", "previous charts", show=False),
    Binding(
        "greater_than_sign", "smooth(1)", "smooth", key_display="<>", show=False, tooltip="More smoothing"
    ),
    Binding("less_than_sign", "smooth(-1)", "less smoothing", show=False),
    Binding("b", "axis", "by", show=False, tooltip="X axis: epochs, steps or time"),
    Binding("L", "log_x", "log x", show=False, tooltip="Logarithmic x axis"),
    *CROSS_KEYS,
    *ZOOM_KEYS,
    *CHART_KEYS,
    Binding("z", "zoom", "zoom", show=False, tooltip="All epochs, or only the last ones"),
    Binding(
        "v",
        "score",
        "metric",
        show=False,
        tooltip="The next metric of validation in the second chart",
    ),
    Binding(
        "full_stop",
        "epoch(1)",
        "next epoch",
        show=False,
        tooltip="Next epoch, in table and confusion matrix",
    ),
    Binding(
        "m",
        "machine",
        "machine",
        show=False,
        tooltip="CPU, memory and GPU load in per cent, over minutes",
    ),
    Binding(
        "M",
        "system",
        "system",
        show=False,
        tooltip="This machine: CPU, memory, disks, GPUs and processes, or the charts again",
    ),
]
OF_A_RUN = {
    *("pause", "stop", "checkpoint", "detach", "evaluate", "layers", "media"),
    *("log_scale", "smooth", "zoom", "epoch", "machine", "system", "panel", "console", "score", "use"),
    *("turn_charts", "axis", "log_x", "explore", "save_chart", "copy_readout"),
}
"""Actions that need a followed run."""


def is_offered(action: str, feed: RunFeed | None, width: int) -> bool:
    """Return whether an action of Live applies now: wide screens show all panels, and ended runs do not train.

    Args:
        feed: the followed run, if any.
        width: of the screen, in cells.
    """
    if feed is None:
        return action not in OF_A_RUN
    obeys = feed.host.obeys and is_active(feed.status)
    started = obeys and not is_starting(feed.status)
    offered = {
        "pause": started,
        "checkpoint": started,
        "stop": obeys,
        "detach": feed.in_app,
        "evaluate": feed.host.run is not None,
        "use": feed.host.run is not None,
        "console": feed.host.obeys,
        "layers": feed.host.obeys,
        "media": bool(feed.history.media.items),
        "panel": width < NARROW,
    }
    return offered.get(action, True)
