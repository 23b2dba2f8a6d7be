"""Facts of one sample: in a caption, in a row, in full."""

import numpy as np
from textual.content import Content

from core.inference.samples import Samples
from tui.charts.plot_chart import RGB
from tui.screens.evaluate.bars import bars
from tui.screens.evaluate.labels import facts as label_facts
from tui.screens.evaluate.labels.facts import label
from tui.screens.evaluate.tab import Subject
from tui.terminal.curves import curve, sparkline
from tui.terminal.text import UNKNOWN, clean, count, fit, number, wrapped
from tui.terminal.themes import BLUE, MISTAKE
from tui.widgets.table import Cell, Column

__all__ = ["caption", "cells_of", "columns_of", "full_facts", "label", "reading", "row_of", "score_bars"]

QUIET = (128, 128, 128)
MAX_SCORES = 10
NAME_WIDTH = 12
TEXT_WIDTH = 48
"""Cells of a text in a row."""
CURVE_LINES = 3


def caption(subject: Subject, position: int, width: int) -> str:
    """One line under a picture: ``4→9 0.97``, or ``4 0.99`` where the model is right."""
    if subject.predictions.has_labels:
        return label_facts.caption(subject, position, width)
    predictions, names = subject.predictions, subject.class_names
    true, predicted = int(predictions.targets[position]), int(predictions.predicted[position])
    score = f" {number(float(predictions.scores[position, predicted]), 2)}"
    room = max(1, width - len(score))
    if true == predicted:
        return fit(label(names[true]), room).rstrip() + score
    half = max(1, (room - 1) // 2)
    return f"{fit(label(names[true]), half).rstrip()}→{fit(label(names[predicted]), half).rstrip()}{score}"


def columns_of(subject: Subject) -> list[Column]:
    """The columns of samples as rows: answers first, then features."""
    features = [
        Column(name, min(max(len(name), 8), NAME_WIDTH)) for name in map(clean, subject.samples.columns)
    ]
    if subject.samples.kind.shown == "text":
        features[0] = Column(clean(subject.samples.columns[0]), TEXT_WIDTH, "<")
    elif subject.samples.kind.shown == "curves":
        features = [Column(clean(name), NAME_WIDTH) for name in subject.samples.columns]
    elif len(features) == 1:  # such as a sequence: it takes the room that there is
        features = [Column(clean(subject.samples.columns[0]), 0, "<")]
    if not subject.class_names:
        return [Column("sample", 7), Column("target"), Column("predicted", 9), Column("error"), *features]
    if subject.predictions.has_labels:
        return [Column("sample", 7), *label_facts.COLUMNS, *features]
    widest = max(len(label(name)) for name in subject.class_names)
    name_width = min(max(widest, 9), 16)
    return [
        Column("sample", 7),
        Column("true", name_width, "<"),
        Column("predicted", name_width + 2, "<"),
        Column("score", 6),
        *features,
    ]


def row_of(subject: Subject, position: int) -> list[Cell]:
    """The cells for `columns_of`."""
    predictions, names = subject.predictions, subject.class_names
    features = cells_of(subject.samples, position)
    sample = str(int(predictions.indices[position]))
    if not names:
        target, predicted = float(predictions.targets[position]), float(predictions.scores[position])
        return [sample, number(target), number(predicted), number(target - predicted), *features]
    if predictions.has_labels:
        return [sample, *label_facts.cells(subject, position), *features]
    true, answer = int(predictions.targets[position]), int(predictions.predicted[position])
    wrong: Cell = (f"✗ {label(names[answer])}", MISTAKE) if true != answer else f"✓ {label(names[answer])}"
    score = number(float(predictions.scores[position, answer]), 2)
    return [sample, label(names[true]), wrong, score, *features]


def cells_of(samples: Samples, position: int) -> list[str]:
    """One row of a table as texts to show."""
    return list(map(_cell, samples.row(position)))


def _cell(value: str | float | np.ndarray) -> str:
    if isinstance(value, np.ndarray):
        return sparkline(value, NAME_WIDTH)
    return number(value) if isinstance(value, float) else clean(value or "") or UNKNOWN


def reading(samples: Samples, position: int, width: int) -> Content:
    """Draw a text whole, or each channel of a signal as a curve under its name."""
    if samples.kind.shown == "text":
        return Content("\n".join(wrapped(samples.text(position), width)) or UNKNOWN)
    drawn: list[Content] = []
    for name, values in zip(samples.columns, samples.row(position), strict=True):
        assert isinstance(values, np.ndarray)
        ends = f"{number(float(values.min()))} … {number(float(values.max()))}"
        drawn.append(Content.assemble((fit(f"{name}  {ends}", width), "$foreground 60%")))
        drawn += [Content.styled(line, "$primary") for line in curve(values, width, CURVE_LINES)]
    return Content("\n").join(drawn)


def full_facts(subject: Subject, position: int) -> Content:
    """Return the target, the prediction and the source of a sample."""
    predictions, names = subject.predictions, subject.class_names
    source = f"sample {count(int(predictions.indices[position]))}"
    if not names:
        target, predicted = float(predictions.targets[position]), float(predictions.scores[position])
        lines = ("target", target), ("predicted", predicted), ("error", target - predicted)
        return Content("\n".join([*(f"{name:9} {number(value)}" for name, value in lines), source]))
    if predictions.has_labels:
        return label_facts.in_full(subject, position, source)
    true, answer = int(predictions.targets[position]), int(predictions.predicted[position])
    sign, color = ("✓", BLUE) if true == answer else ("✗", MISTAKE)
    return Content.assemble(
        f"true      {label(names[true])}\n",
        "predicted ",
        (f"{sign} {label(names[answer])}", "rgb({},{},{})".format(*color)),
        "\n",
        (source, "$foreground 60%"),
    )


def score_bars(subject: Subject, position: int, width: int) -> Content:
    """The highest scores and that of the true class as bars, ``✓`` beside the true and ``✗`` beside a wrong answer."""
    if subject.predictions.has_labels:
        return label_facts.score_bars(subject, position, width)
    predictions, names = subject.predictions, subject.class_names
    scores = predictions.scores[position]
    true, answer = int(predictions.targets[position]), int(predictions.predicted[position])
    top = np.argsort(-scores, kind="stable")[:MAX_SCORES].tolist()
    chosen = top if true in top else [*top[:-1], true]
    low = min(0.0, float(scores.min()))
    span = max(float(scores.max()) - low, 1e-12) if not predictions.probabilities else 1.0
    rows = [(label(names[n]), (float(scores[n]) - low) / span, number(float(scores[n]), 3)) for n in chosen]
    colors: list[RGB] = [BLUE if n == true else MISTAKE if n == answer else QUIET for n in chosen]
    marks = ["✓" if n == true else "✗" if n == answer else " " for n in chosen]
    return bars(rows, width, colors, marks=marks)
