"""Keys of Live that apply to the followed run; the others are not offered."""

from core.status import is_active
from tui.runtime.feed import RunFeed
from tui.screens.base import NARROW

__all__ = ["is_offered"]

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
    started = obeys and feed.status != "preparing"
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
