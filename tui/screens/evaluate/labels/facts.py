"""Facts of one sample with several labels: ``−`` before labels that are missed, ``+`` before those given wrongly."""

import numpy as np
from textual.content import Content

from core.evaluation.multilabel.pairs import LabelAnswers, answers_to
from tui.charts.plot_chart import RGB
from tui.screens.evaluate.bars import bars
from tui.screens.evaluate.tab import Subject
from tui.terminal.text import clean, fit, number
from tui.terminal.themes import BLUE, MISTAKE
from tui.widgets.table import Cell, Column

__all__ = ["COLUMNS", "caption", "cells", "in_full", "label", "score_bars"]

QUIET = (128, 128, 128)
MAX_SCORES = 10
COLUMNS = (
    Column("wrong", 5),
    Column("hit", 20, "<"),
    Column("− missed", 16, "<"),
    Column("+ given wrongly", 16, "<"),
)


def label(name: str) -> str:
    """Return a class name that is safe to display and never empty."""
    return clean(name) if name.strip() else "∅"


def caption(subject: Subject, position: int, width: int) -> str:
    """One line under a picture: ``red −blue +green``, ``✓`` where all labels are right."""
    found = answers_to(subject.predictions, position)
    mark = "✓ " if found.is_right else ""
    return fit(mark + (_with_signs(subject, found) or "no label"), width).rstrip()


def cells(subject: Subject, position: int) -> list[Cell]:
    """The cells for `COLUMNS`."""
    found = answers_to(subject.predictions, position)
    wrong = len(found.missed) + len(found.wrong)
    return [
        (str(wrong), MISTAKE) if wrong else "✓",
        _listed(subject, found.hit) or "–",
        (_listed(subject, found.missed), MISTAKE),
        (_listed(subject, found.wrong), MISTAKE),
    ]


def in_full(subject: Subject, position: int, source: str) -> Content:
    """Return the labels and the source of a sample."""
    found = answers_to(subject.predictions, position)
    color = "rgb({},{},{})".format(*MISTAKE)
    parts: list[str | tuple[str, str]] = [f"✓ hit            {_listed(subject, found.hit) or '–'}\n"]
    parts.append(
        (f"− missed         {_listed(subject, found.missed) or '–'}\n", color if found.missed else "")
    )
    parts.append((f"+ given wrongly  {_listed(subject, found.wrong) or '–'}\n", color if found.wrong else ""))
    return Content.assemble(*parts, (source, "$foreground 60%"))


def score_bars(subject: Subject, position: int, width: int) -> Content:
    """The highest scores and those of true labels as bars: ``✓`` hit, ``−`` missed, ``+`` given wrongly."""
    predictions, names = subject.predictions, subject.class_names
    scores, found = predictions.scores[position], answers_to(predictions, position)
    order = np.argsort(-scores, kind="stable").tolist()
    marked = {*found.hit, *found.missed, *found.wrong}
    chosen = [*(n for n in order if n in marked), *(n for n in order if n not in marked)][:MAX_SCORES]
    chosen.sort(key=order.index)
    low = min(0.0, float(scores.min()))
    span = max(float(scores.max()) - low, 1e-12) if not predictions.probabilities else 1.0
    limits = predictions.used_thresholds
    rows = [
        (
            label(names[n]),
            (float(scores[n]) - low) / span,
            f"{number(float(scores[n]), 3)} of {number(float(limits[n]), 3)}",
        )
        for n in chosen
    ]
    colors: list[RGB] = [BLUE if n in found.hit else MISTAKE if n in marked else QUIET for n in chosen]
    marks = [
        "✓" if n in found.hit else "−" if n in found.missed else "+" if n in found.wrong else " "
        for n in chosen
    ]
    return bars(rows, width, colors, marks=marks)


def _with_signs(subject: Subject, found: LabelAnswers) -> str:
    parts = (("", found.hit), ("−", found.missed), ("+", found.wrong))
    return " ".join(f"{sign}{label(subject.class_names[n])}" for sign, part in parts for n in part)


def _listed(subject: Subject, labels: list[int]) -> str:
    return ", ".join(label(subject.class_names[n]) for n in labels)
