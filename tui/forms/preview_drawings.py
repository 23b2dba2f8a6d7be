"""The preview in text: each function draws one part, in lines of limited width."""

from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len
from textual.color import Color
from textual.content import Content
from textual.style import Style

from core.data.kinds.registry import kind_of
from core.remedies import worded
from core.session.preflight.finding import Finding
from tui.forms.data_overview import DataFacts
from tui.forms.preview import Memory
from tui.forms.remedies import app_words
from tui.terminal.curves import sparkline
from tui.terminal.text import bytes_, clean, count, fit, number, percent, si, wrapped

if TYPE_CHECKING:
    from core.models.summary import Layer, ModelSummary

__all__ = [
    "balance",
    "cost",
    "facts_lines",
    "findings",
    "layers",
    "rounded",
    "samples",
    "shares",
    "warning_lines",
]

FINDING_SIGNS = {
    "ok": ("✓", "$foreground 60%"),
    "note": ("·", "$foreground"),
    "warning": ("!", "$warning"),
    "error": ("✗", "$error"),
}
"""Sign and colour of a level of findings."""
EIGHTHS = " ▏▎▍▌▋▊▉"
MAX_BARS, MAX_FEATURES, MAX_LAYERS = 24, 14, 40
MAX_CHANNELS, MAX_TEXT_LINES = 3, 3
LABEL_CELLS = 16
"""Longest label of a bar; longer ones are cut."""
PICTURE_PIXELS = 16
"""Largest height of a picture, twice its rows; larger ones are reduced."""
NUMBER_CELLS = 9
LEAST_LABEL_CELLS, SHARE_CELLS = 4, 6
"""A share in per cent, and the space before it."""
LINE = Content("\n")


def facts_lines(facts: DataFacts, width: int) -> Content:
    """Draw the samples of each split, their shape, and the number of classes."""
    parts = [Content.assemble((count(n), "bold"), f" {name}") for name, n in facts.sizes.items()]
    things = "labels" if facts.has_labels else "classes"
    kind = facts.task if facts.has_numbers else f"{facts.outputs} {things}"
    fields = facts.sample.fields
    several = clean(", ".join(field.label for field in fields))
    form = (
        several if fields and kind_of(facts.kind).shown == "row" else kind_of(facts.kind).form(facts.sample)
    )
    return _flow([*parts, Content(form), Content(kind)], "   ", width)


def balance(facts: DataFacts, width: int) -> Content:
    """A bar for each class, or for each span of a regression's target, in two columns where they fit."""
    bars = facts.balance[:MAX_BARS]
    labels = [clean(label) for label, _ in bars]
    label = min(LABEL_CELLS, max(map(cell_len, labels)))
    figures = [count(n) for _, n in bars]
    figure = max(map(len, figures))
    paired = not facts.has_numbers and len(bars) > 4 and width >= 2 * (label + figure + 12)
    columns = 1 + paired
    room = (width - 3 * (columns - 1)) // columns - label - figure - 2
    largest = max(n for _, n in bars) or 1
    cells = [
        Content.assemble(
            fit(name, label, align=">" if kind_of(facts.kind).shown == "picture" else "<", empty="∅"),
            " ",
            (fit(_bar(n / largest, room), room), "$primary"),
            (f" {text:>{figure}}", "$foreground 60%"),
        )
        for name, text, (_, n) in zip(labels, figures, bars, strict=True)
    ]
    lines = [Content("   ").join(cells[at : at + columns]) for at in range(0, len(cells), columns)]
    if len(facts.balance) > len(bars):
        lines.append(_muted(f"… and {count(len(facts.balance) - len(bars))} more classes"))
    return LINE.join(lines)


def shares(facts: DataFacts, width: int) -> Content:
    """A line for each class, or span of a regression's target: how many samples, and what part, each split has."""
    shown = facts.balance[:MAX_BARS]
    figure = max((len(count(n)) for counts in facts.counts.values() for n in counts), default=1)
    roomy = width >= LEAST_LABEL_CELLS + len(facts.sizes) * (figure + SHARE_CELLS + 2)
    cells = figure + SHARE_CELLS * roomy
    spare = width - len(facts.sizes) * (cells + 2)
    label = min(
        max(cell_len(clean(name)) for name, _ in shown), max(LEAST_LABEL_CELLS, min(LABEL_CELLS, spare))
    )
    column = max(cells, (width - label) // len(facts.sizes) - 2)
    widths = {name: max(cells, min(column, len(name))) for name in facts.sizes}
    # A title may take one of the two cells between columns.
    heads = "".join(f" {fit(name, wide + 1, align='>'):{column + 1}}" for name, wide in widths.items())
    lines = [Content.styled(fit(" " * label + heads, width), "$foreground 60%")]
    bar = column - cells - 1
    for at, (name, _) in enumerate(shown):
        parts: list[Content | str | tuple[str, str]] = [fit(name, label, empty="∅")]
        for split, size in facts.sizes.items():
            counts = facts.counts[split]
            share = f" {percent(counts[at] / max(1, size), 0):>3} %" if roomy else ""
            parts += [f"  {count(counts[at]):>{figure}}", (share, "$foreground 60%")]
            parts.append(
                (" " + fit(_bar(counts[at] / max(1, *counts), bar), bar) if bar > 0 else "", "$primary")
            )
        lines.append(Content.assemble(*parts))
    if len(facts.balance) > len(shown):
        lines.append(_muted(f"… and {count(len(facts.balance) - len(shown))} more classes"))
    return LINE.join(lines)


def pictures(facts: DataFacts, width: int) -> Content:
    """Some images side by side in half blocks, each with its class below."""
    shown = [_reduce(picture) for picture in facts.samples]
    columns = shown[0].shape[1]
    a_row = max(1, (width + 2) // (columns + 2))
    gap = Content("  ")
    lines: list[Content] = []
    for at in range(0, len(shown), a_row):
        drawn = map(_half_blocks, shown[at : at + a_row])
        lines += [gap.join(parts) for parts in zip(*drawn, strict=True)]
        names = facts.labels[at : at + a_row]
        lines.append(gap.join(_muted(fit(name, columns, align="^", empty="∅")) for name in names))
    return LINE.join(lines)


def samples(facts: DataFacts, width: int) -> Content:
    """Draw some samples, as those of their kind are shown."""
    return {"picture": pictures, "curves": curves, "text": texts, "row": rows}[kind_of(facts.kind).shown](
        facts, width
    )


def curves(facts: DataFacts, width: int) -> Content:
    """Draw the first channels of some signals, a line each, under the class."""
    shown = facts.feature_names[:MAX_CHANNELS]
    label = min(max((cell_len(clean(name)) for name in shown), default=0), width // 3)
    lines: list[Content] = []
    for name, signal in zip(facts.labels, facts.samples, strict=True):
        lines.append(Content.styled(fit(name, width, empty="∅"), "bold"))
        for channel, values in zip(shown, signal, strict=False):
            drawn = sparkline(values, max(1, width - label - 1))
            lines.append(
                Content.assemble((f"{fit(channel, label)} ", "$foreground 60%"), (drawn, "$primary"))
            )
    if len(facts.feature_names) > len(shown):
        lines.append(_muted(f"… and {count(len(facts.feature_names) - len(shown))} more channels"))
    return LINE.join(lines)


def texts(facts: DataFacts, width: int) -> Content:
    """Draw the beginning of some texts, under the class."""
    lines: list[Content] = []
    for name, row in zip(facts.labels, facts.samples, strict=True):
        lines.append(Content.styled(fit(name, width, empty="∅"), "bold"))
        begun = wrapped(str(row[0])[: MAX_TEXT_LINES * width], width)[:MAX_TEXT_LINES]
        lines += [Content(line) for line in begun or ["–"]]
    return LINE.join(lines)


def rows(facts: DataFacts, width: int) -> Content:
    """Draw some rows of a table, transposed: a line for each feature, a column for each sample."""
    features = facts.feature_names[:MAX_FEATURES]
    corner = "target" if facts.has_numbers else "class"
    label = min(max(cell_len(clean(name)) for name in (corner, *features)), width // 2)
    samples = max(1, (width - label) // (NUMBER_CELLS + 1))
    names = [f" {fit(name, NUMBER_CELLS, align='>', empty='∅')}" for name in facts.labels[:samples]]
    lines = [Content.assemble(fit(corner, label), ("".join(names), "bold"))]
    for at, name in enumerate(features):
        values = "".join(f" {_cell(row[at])}" for row in facts.samples[:samples])
        lines.append(Content.assemble((fit(name, label, empty="∅"), "$foreground 60%"), values))
    if len(facts.feature_names) > len(features):
        lines.append(_muted(f"… and {count(len(facts.feature_names) - len(features))} more features"))
    return LINE.join(lines)


def layers(model: "ModelSummary", width: int) -> Content:
    """The layers of a network; those of a deep one by the module that they are in, the middle left out if need be."""
    from core.models.summary import condensed

    third = min(20, width // 3)
    lines = [Content.styled(f"{'layer':{third}}{'output':{third}}{'parameters':>{third}}", "$foreground 60%")]

    def line(layer: "Layer") -> Content:
        shape = "×".join(map(str, layer.output_shape))
        text = fit(layer.kind, third) + fit(shape, third) + fit(count(layer.parameters), third, align=">")
        return Content.styled(text, "$foreground" if layer.parameters else "$foreground 60%")

    half = MAX_LAYERS // 2
    shown = condensed(model.layers, MAX_LAYERS)
    if len(shown) <= MAX_LAYERS:
        return LINE.join([*lines, *map(line, shown)])
    hidden = _muted(f"… {len(shown) - MAX_LAYERS} more layers")
    return LINE.join([*lines, *map(line, shown[:half]), hidden, *map(line, shown[-half:])])


def findings(found: Sequence[Finding], width: int) -> Content:
    """The findings of pre-flight, a line each with its time; below it what to know or to do."""
    lines: list[Content] = []
    for finding in found:
        sign, style = FINDING_SIGNS[finding.level]
        took = f"{finding.seconds:.2f} s"
        lines.append(
            Content.styled(f"{sign} {fit(finding.name, max(1, width - 3 - len(took)))} {took}", style)
        )
        hint = worded(finding.hint, app_words)
        text = f"{finding.message}. {hint}" if hint else finding.message
        lines += [Content.styled(f"  {line}", style) for line in wrap(clean(text), max(8, width - 2))]
    return LINE.join(lines)


def warning_lines(warnings: Sequence[str]) -> str:
    """Return what looks suspicious about a data set, a line each."""
    return "\n".join(f"{FINDING_SIGNS['warning'][0]} {clean(line)}" for line in warnings)


def cost(model: "ModelSummary", memory: Memory, width: int) -> Content:
    """Draw the cost of a network: operations, and the memory of its training by part."""
    parts = {
        "weights": memory.weights,
        "gradients": memory.gradients,
        "optimizer": memory.optimizer,
        "running mean": memory.mean,
        "data": memory.data,
    }
    total = Content.assemble((bytes_(memory.total), "bold"), " memory")
    held = [_muted(f"{bytes_(size)} {name}") for name, size in parts.items() if size]
    if memory.is_divided:
        held.append(_muted("all but data divided among the processes"))
    computed = Content.assemble((si(model.multiply_adds), "bold"), " multiply-adds a sample")
    if model.trainable < model.parameters:
        frozen = f"   {count(model.trainable)} of {count(model.parameters)} parameters trained"
        computed = Content.assemble(computed, _muted(frozen)) if width > 60 else computed
    return LINE.join([computed, _flow([total, *held], "   ", width)])


def _cell(value: np.generic) -> str:
    """A value of a table, as wide as a column."""
    text = rounded(str(value), NUMBER_CELLS) if isinstance(value, np.str_) else _figure(float(value))
    return fit(text, NUMBER_CELLS, align=">", empty="–")


def rounded(text: str, cells: int) -> str:
    """Return a text as it was written; a number that is wider, rounded: what is cut loses its size or exponent."""
    if len(text) <= cells:
        return text
    try:
        return number(float(text))
    except ValueError:
        return text


def _figure(value: float) -> str:
    """A number of the data as it was written, unless that is long."""
    text = f"{value:g}"
    return text if len(text) <= NUMBER_CELLS else number(value)


def _bar(share: float, cells: int) -> str:
    full, rest = divmod(round(8 * share * cells), 8)
    return "█" * full + (EIGHTHS[rest] if rest else "")


def _reduce(picture: NDArray[np.generic]) -> NDArray[np.float64]:
    """A picture (h, w, 3) of at most so many pixels in height, and not much wider, by means over squares."""
    height, width = picture.shape[:2]
    factor = max(1, -(-height // PICTURE_PIXELS), -(-width // (2 * PICTURE_PIXELS)))
    whole = picture[: height - height % factor, : width - width % factor].astype(np.float64)
    means: NDArray[np.float64] = whole.reshape(height // factor, factor, width // factor, factor, 3).mean(
        axis=(1, 3)
    )
    return means


def _half_blocks(picture: NDArray[np.float64]) -> list[Content]:
    """Two pixels a cell, one above the other, since a cell is about twice as tall as wide."""
    lines = []
    for top in range(0, len(picture), 2):
        pair = picture[top : top + 2].round().astype(int).tolist()
        below = pair[1] if len(pair) > 1 else [None] * len(pair[0])
        lines.append(Content.assemble(*(("▀", _ink(*pixels)) for pixels in zip(pair[0], below, strict=True))))
    return lines


def _ink(above: tuple[int, int, int], below: tuple[int, int, int] | None) -> Style:
    return Style(foreground=Color(*above), background=Color(*below) if below else None)


def _muted(text: str) -> Content:
    return Content.styled(text, "$foreground 60%")


def _flow(parts: Sequence[Content], gap: str, width: int) -> Content:
    """Parts side by side, in as many lines as they need."""
    lines: list[Content] = []
    for part in parts:
        if lines and lines[-1].cell_length + len(gap) + part.cell_length <= width:
            lines[-1] = Content.assemble(lines[-1], gap, part)
        else:
            lines.append(part)
    return LINE.join(lines)
