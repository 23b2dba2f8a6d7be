"""The layers of a network in text: a line each, with its norms, its update and its dead units."""

import math

from textual.content import Content

from core.events import LayersSampled
from tui.terminal.text import clean, fit, number, percent

__all__ = ["EXPECTED", "layer_lines"]

EXPECTED = "updates near 0.001 of the weights are usual"
HEAD = ("weights", "gradient", "update", "dead")
COLUMN, NAME, BAR = 10, 24, 24
DECADES = 8
"""Of the gradient's bar, from the largest down."""
MUCH, DEAD = 0.1, 0.5
"""Thresholds above which an update, and a share of dead units, are highlighted."""


def layer_lines(sample: LayersSampled, width: int) -> Content:
    """A line for each layer, the bar being the gradient on a logarithmic scale beside the largest one."""
    name = max(8, min(NAME, width - len(HEAD) * COLUMN - 1))
    bar = max(0, min(BAR, width - name - len(HEAD) * COLUMN - 2))
    head = fit("layer", name) + "".join(f"{title:>{COLUMN}}" for title in HEAD)
    note = f"  step {sample.step:,}"
    lines = [Content.styled(fit(head + note, width), "$foreground 60%")]
    largest = max((value for value in map(_known, sample.gradients) if math.isfinite(value)), default=0.0)
    for place, title in enumerate(sample.names):
        gradient, update, dead = sample.gradients[place], sample.updates[place], sample.dead[place]
        lines.append(
            Content.assemble(
                fit(f"{title} {sample.kinds[place]}", name),
                f"{number(sample.weights[place]):>{COLUMN}}",
                (f"{number(gradient):>{COLUMN}}", "" if math.isfinite(_known(gradient)) else "$error"),
                (f"{number(update):>{COLUMN}}", "$warning" if _known(update) > MUCH else ""),
                (_dead(dead), "$warning" if (dead or 0) > DEAD else ""),
                "  ",
                ("█" * _cells(_known(gradient), largest, bar), "$primary"),
            )
        )
    return Content("\n").join(lines)


def _known(value: float | None) -> float:
    """Return a value of the log as text; values missing there were not finite."""
    return math.inf if value is None or math.isnan(value) else value


def _dead(share: float | None) -> str:
    text = "" if share is None else f"{percent(share)} %"
    return f"{clean(text):>{COLUMN}}"


def _cells(value: float, largest: float, cells: int) -> int:
    """Length of a bar."""
    if not math.isfinite(value):
        return cells
    if not cells or value <= 0 or largest <= 0:
        return 0
    return max(1, round(cells * (1 + math.log10(value / largest) / DECADES)))
