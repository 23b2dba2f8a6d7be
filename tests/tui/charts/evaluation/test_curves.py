"""The screen, the printed plots and the report draw the same set of curves."""

import re

import numpy as np
import pytest

from core.evaluation import Predictions, Report
from core.evaluation.curve_sets import MAX_LINES, CurveKind, curves_of, few, first_chosen, first_shown
from core.report import figures
from core.tasks.evaluation import evaluate
from tests.support.narrow import instance
from tui.charts.evaluation.curves import chance, chart, color_of, marker_of
from tui.charts.plot import draw
from tui.charts.plot_chart import line_markers

AREAS = {"roc": "roc_auc", "pr": "average_precision"}
DRAWN = {"roc": figures.rocs, "pr": figures.precision_recalls}


def classified(classes: int, n: int = 400) -> tuple[Predictions, Report]:
    """Return predictions whose classes are the harder to tell the higher their number, and their report."""
    rng = np.random.default_rng(classes)
    targets = rng.permutation(np.arange(n) % classes)
    hint = np.eye(classes)[targets] * np.linspace(3.0, 0.3, classes)
    raw = np.exp(hint + rng.normal(size=(n, classes)))
    scores = raw / raw.sum(axis=1, keepdims=True)
    found = Predictions(scores, targets, np.arange(n), probabilities=True)
    names = [f"class {number}" for number in range(classes)]
    task: str = "binary" if classes == 2 else "multiclass"
    return found, evaluate(found, task=task, class_names=names, split="test", intervals=False)


@pytest.mark.parametrize("kind", ["roc", "pr"])
def test_of_many_classes_the_worst_and_both_means_are_drawn(kind: CurveKind) -> None:
    predictions, report = classified(12)
    curves = curves_of(predictions, report)
    areas = [instance(float, row[AREAS[kind]]) for row in report.per_class]
    worst = sorted(np.argsort(areas)[: MAX_LINES - 2])
    assert first_shown(curves, kind) == [*worst, 12, 13]
    assert [curves[number].name for number in (12, 13)] == ["micro", "macro"]
    assert few(curves, kind) == [int(np.argmin(areas)), 12, 13]
    assert first_chosen(curves, kind) == np.argmin(areas)


@pytest.mark.parametrize("kind", ["roc", "pr"])
def test_of_two_classes_the_positive_one_is_drawn(kind: CurveKind) -> None:
    curves = curves_of(*classified(2))
    assert first_shown(curves, kind) == few(curves, kind) == [1]
    assert first_chosen(curves, kind) == 1


@pytest.mark.parametrize("classes", [2, 3, 12])
@pytest.mark.parametrize("kind", ["roc", "pr"])
def test_the_report_draws_the_curves_of_the_screen(kind: CurveKind, classes: int) -> None:
    curves = curves_of(*classified(classes))
    on_screen = chart(curves, first_shown(curves, kind), kind).series
    svg = DRAWN[kind](curves).decode()
    in_report = re.findall(r">((?:class \d+|micro|macro) \([^<]*)</text>", svg)
    assert sorted(text.partition(" (")[0] for text in in_report) == sorted(
        series.label for series in on_screen if series.label
    )


def test_means_are_grey_and_neighbouring_classes_differ() -> None:
    curves = curves_of(*classified(3))
    colors = [color_of(curves, number) for number in range(5)]
    assert len(set(colors)) == 5
    assert all(red == green == blue for red, green, blue in colors[3:])


def test_ten_classes_have_ten_lines_that_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    curves = curves_of(*classified(10))
    assert len({(color_of(curves, number), marker_of(curves, number)) for number in range(12)}) == 12
    drawn = chart(curves, range(10), "roc")
    monkeypatch.setenv("NO_COLOR", "1")
    assert len(set(line_markers(drawn)[1:])) == 10, "without colour by their marks alone"


@pytest.mark.parametrize(("width", "height"), [(30, 10), (80, 30)])
@pytest.mark.parametrize(
    ("kind", "names"),
    [("roc", ("true positive rate", "false positive rate")), ("pr", ("precision", "recall"))],
)
def test_axes_are_named_wherever_curves_run(
    kind: CurveKind, names: tuple[str, str], width: int, height: int
) -> None:
    curves = curves_of(*classified(10))
    shown = chart(curves, range(12), kind, at=(0, 1))
    rows = ["".join(text for text, _ in row) for row in draw(shown, width, height)]
    assert rows[0].startswith(names[0])
    assert names[1] in rows[-1]
    assert [len(row) for row in rows] == [width] * height
    assert "chance" in chance(curves[0], kind)
