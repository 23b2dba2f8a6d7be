"""Figures of the report: matplotlib and scikit-learn's displays, each as an SVG."""

import io
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from core.errors import DependencyError
from core.evaluation import Predictions, Report, calibration_curve, residuals
from core.evaluation.calibration import probabilities_of
from core.evaluation.curve_sets import Curve, CurveKind, first_shown
from core.evaluation.error_views import bins_of, normal_quantiles
from core.evaluation.two_classes.bands import MAX_BANDS, Band, band_of
from core.evaluation.values import Floats
from core.metrics import curve_label, label_of
from core.palette import OKABE_ITO
from core.report.page import shown
from core.runs.comparison.curves import Axis, best_point, curve, mean_curve
from core.runs.comparison.entries import Entry
from core.runs.comparison.groups import RunGroup

__all__ = [
    "calibration",
    "confusion",
    "drawn",
    "overlay",
    "precision_recalls",
    "predicted_numbers",
    "rocs",
    "train_and_validation",
]

REASON_WIDTH = 44
"""Characters of a line of a legend."""
SETTINGS: Any = {
    "text.parse_math": False,  # a class named $x$ is not a formula
    "svg.fonttype": "none",
    "svg.hashsalt": "torchtui",
    "font.family": ["sans-serif"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e8ea",
    "axes.axisbelow": True,
    "figure.constrained_layout.use": True,
}
SIZE = (6.4, 4.2)
SQUARE = (5.6, 5.2)
DPI = 120
"""Of pictures in pixels."""
MARKERS = "os^DvP*X"
"""One per curve, since not everybody can distinguish colours."""
MAX_CLASSES = 30
"""Of a confusion matrix with names and numbers; a larger one is a picture of shades."""
MAX_POINTS = 5000
NAME = 24


@contextmanager
def _figure(size: tuple[float, float], out: list[bytes], kind: str = "svg") -> Iterator[Any]:
    """Axes to draw on; the picture, an ``svg`` or a ``png``, is in `out` afterwards.

    Raises:
        DependencyError: matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError:
        raise DependencyError(
            "a report needs matplotlib, which is not installed", "Install it: pip install 'torchtui[report]'"
        ) from None
    with matplotlib.rc_context(SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # the reader's own fonts draw the text
        figure = Figure(figsize=size)
        yield figure.add_subplot()
        file = io.BytesIO()
        figure.savefig(file, format=kind, dpi=DPI, metadata={"Date": None} if kind == "svg" else None)
    out.append(file.getvalue())


def drawn(draw: Callable[[Any], None], *, kind: str = "svg", size: tuple[float, float] = SIZE) -> bytes:
    """Return the picture, an ``svg`` or a ``png``, that a function draws on matplotlib's axes.

    Raises:
        DependencyError: matplotlib is not installed.
    """
    out: list[bytes] = []
    with _figure(size, out, kind) as axes:
        draw(axes)
    return out[0]


def train_and_validation(entry: Entry, metric: str) -> bytes:
    """A metric over the epochs, or over steps while it is not known how long an epoch is; the best one marked."""
    out: list[bytes] = []
    axis: Axis = "epoch" if entry.steps_per_epoch else "step"
    with _figure(SIZE, out) as axes:
        for name, place in (("train", 0), ("validation", 1)):
            x, y = curve(entry, f"{name} {metric}", axis)
            if len(x):
                axes.plot(x, y, color=_color(place), label=name, linestyle=("--", "-")[place])
        alone = RunGroup((entry,))
        best = best_point(alone, f"validation {metric}") or best_point(alone, f"train {metric}")
        if best is not None:
            epoch = f"{axis} {round(best.epoch, 1):g}"
            label = shown(f"{best.value:.4g} at {epoch}, {entry.summary.chosen_by}")
            axes.plot(best.epoch, best.value, "*", markersize=13, color="#1d2328", label=label)
        axes.set(xlabel=axis, ylabel=shown(label_of(metric)))
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend()
    return out[0]


def overlay(groups: Sequence[RunGroup], names: Sequence[str], curve_name: str, axis: Axis) -> bytes:
    """One curve of all runs; of several seeds the mean, with a band of one standard deviation."""
    out: list[bytes] = []
    with _figure(SIZE, out) as axes:
        for place, (group, name) in enumerate(zip(groups, names, strict=True)):
            x, y, deviation = mean_curve(group, curve_name, axis)
            if len(x):
                every = max(1, len(x) // 6)
                look = {"marker": MARKERS[place], "markevery": (place % every, every), "color": _color(place)}
                axes.plot(x, y, label=shown(name), **look)
                if group.is_repeated:
                    axes.fill_between(
                        x, y - deviation, y + deviation, color=_color(place), alpha=0.2, linewidth=0
                    )
        axes.set(
            xlabel="seconds of training" if axis == "time" else axis, ylabel=shown(curve_label(curve_name))
        )
        axes.xaxis.get_major_locator().set_params(integer=axis != "time")
        if axes.lines:
            axes.legend(fontsize="small")
    return out[0]


def confusion(report: Report) -> bytes:
    """The confusion matrix, coloured by the share of each true class or label."""
    from sklearn.metrics import ConfusionMatrixDisplay

    matrix = np.asarray(report.confusion)
    classes = len(matrix)
    small = classes <= MAX_CLASSES
    side = min(12.0, max(5.0, 1.6 + 0.46 * classes)) if small else 8.0
    out: list[bytes] = []
    with _figure((side + 0.4, side), out) as axes:
        axes.grid(False)
        display = ConfusionMatrixDisplay(matrix, display_labels=[_name(name) for name in report.class_names])
        display.plot(ax=axes, cmap="Blues", include_values=small, values_format="d", colorbar=False)
        support = np.array([float(row["support"] or 0) for row in report.per_class])
        share = matrix / np.maximum(support[:, None], 1)
        display.im_.set_data(share)
        display.im_.set_clim(0, 1)
        for text, part in zip(np.ravel(display.text_) if small else [], share.ravel(), strict=small):
            text.set_color("white" if part > 0.6 else "#1d2328")
        axes.tick_params(axis="x", rotation=90 if classes > 4 else 0)
        if not small:
            axes.set(xticks=[], yticks=[])
    return out[0]


def rocs(curves: Sequence[Curve]) -> bytes:
    """Draw the ROC curves that `first_shown` names, one against the rest."""
    from sklearn.metrics import RocCurveDisplay

    out: list[bytes] = []
    with _figure(SQUARE, out) as axes:
        for place, (curve, (fpr, tpr)) in enumerate(_lines(curves, "roc")):
            display = RocCurveDisplay(fpr=fpr, tpr=tpr, roc_auc=curve.area["roc"], name=_name(curve.name))
            display.plot(ax=axes, curve_kwargs=_line(place))
        _draw_bands(axes, curves, "roc")
        axes.plot([0, 1], [0, 1], ":", color="#8a949b", label="guessing")
        axes.legend(loc="lower right", fontsize="small")
    return out[0]


def precision_recalls(curves: Sequence[Curve]) -> bytes:
    """Draw the precision-recall curves that `first_shown` names."""
    from sklearn.metrics import PrecisionRecallDisplay

    out: list[bytes] = []
    with _figure(SQUARE, out) as axes:
        for place, (curve, (recall, precision)) in enumerate(_lines(curves, "pr")):
            display = PrecisionRecallDisplay(
                precision=precision, recall=recall, average_precision=curve.area["pr"], name=_name(curve.name)
            )
            display.plot(ax=axes, curve_kwargs=_line(place))
        _draw_bands(axes, curves, "pr")
        axes.legend(loc="lower left", fontsize="small")
    return out[0]


def _draw_bands(axes: Any, curves: Sequence[Curve], kind: CurveKind) -> None:
    """Shade the 95 % bands of the curves that are drawn, where these are few enough."""
    drawn = [each for each, _ in _lines(curves, kind)]
    if len(drawn) > MAX_BANDS:
        return
    for place, each in enumerate(drawn):
        band = band_of(each, kind)
        if isinstance(band, Band):
            label = "95 % band, pointwise" if place == 0 else None
            axes.fill_between(
                band.x, band.low, band.high, color=_color(place), alpha=0.18, linewidth=0, label=label
            )
        elif place == 0:
            why = textwrap.fill(f"no band: {band.reason}", REASON_WIDTH)
            axes.plot([], [], " ", label=why)


def calibration(predictions: Predictions) -> bytes:
    """Draw how often the predicted class was right, or a label was there, beside its probability."""
    from sklearn.calibration import CalibrationDisplay

    probability, right = probabilities_of(predictions)
    found = calibration_curve(probability, right)
    what = "each label" if predictions.has_labels else "predicted class"
    out: list[bytes] = []
    with _figure(SQUARE, out) as axes:
        display = CalibrationDisplay(found.observed, found.predicted, probability)
        display.plot(ax=axes, name=what, color=_color(0), marker="s")
        holds = "fraction of samples with it" if predictions.has_labels else "fraction correct"
        the = what if predictions.has_labels else f"the {what}"
        axes.set(xlabel=f"mean probability of {the}", ylabel=holds)
        axes.set(xlim=(0, 1), ylim=(0, 1.02))
    return out[0]


def channels(values: Sequence[Floats], names: Sequence[str]) -> bytes:
    """Draw the channels of a signal, (time,) each, one below the other, each as high as it goes."""
    out: list[bytes] = []
    with _figure((3.2, 1.0 + 0.7 * len(values)), out) as axes:
        for place, channel in enumerate(values):
            span = float(channel.max() - channel.min()) or 1.0
            axes.plot((channel - channel.min()) / span - 1.2 * place, color=_color(place), linewidth=1)
        axes.set_yticks(
            [0.5 - 1.2 * place for place in range(len(values))], list(map(_name, names[: len(values)]))
        )
        axes.set_xlabel("step")
    return out[0]


def predicted_numbers(predictions: Predictions, kind: str) -> bytes:
    """Draw the numbers of a regression: ``actual_vs_predicted``, ``residual_vs_predicted``, or one of those below."""
    if kind == "normal_quantiles":
        return _normal_quantiles(predictions)
    if kind.startswith("by_"):
        return _by_bin(predictions, kind.removeprefix("by_"))
    from sklearn.metrics import PredictionErrorDisplay

    step = -(-len(predictions) // MAX_POINTS)
    out: list[bytes] = []
    with _figure(SQUARE, out) as axes:
        targets = predictions.scores + residuals(predictions)
        display = PredictionErrorDisplay(y_true=targets[::step], y_pred=predictions.scores[::step])
        display.plot(ax=axes, kind=kind, scatter_kwargs={"color": _color(0), "alpha": 0.6, "s": 16})
    return out[0]


def _normal_quantiles(predictions: Predictions) -> bytes:
    """Draw errors beside those of a normal distribution of their mean and deviation."""
    out: list[bytes] = []
    with _figure(SQUARE, out) as axes:
        residual = residuals(predictions)
        across, up = normal_quantiles(residual, predictions.weights)
        step = -(-len(up) // MAX_POINTS)
        axes.plot(across[::step], up[::step], "o", color=_color(0), alpha=0.6, markersize=4)
        mean, deviation = float(residual.mean()), float(residual.std())
        axes.plot(across, mean + deviation * across, ":", color="#8a949b", label="normal errors")
        axes.set(xlabel="normal quantile", ylabel="residual")
        axes.legend(fontsize="small")
    return out[0]


def _by_bin(predictions: Predictions, what: str) -> bytes:
    """Draw the mean absolute error in bins of predictions or targets."""
    by = predictions.scores if what == "prediction" else predictions.targets
    found = bins_of(by, residuals(predictions), predictions.weights)
    out: list[bytes] = []
    with _figure(SIZE, out) as axes:
        places = np.arange(len(found))
        axes.bar(places, [each.mae for each in found], color=_color(0), alpha=0.7)
        for place, each in enumerate(found):
            if each.interval is not None:
                axes.plot([place, place], each.interval, color="#1d2328", linewidth=1.5)
        names = [f"{each.low:.3g} …\n{each.high:.3g}" for each in found]
        axes.set_xticks(places, names, fontsize="small")
        axes.set(xlabel=what, ylabel="mean absolute error")
    return out[0]


def _lines(curves: Sequence[Curve], kind: CurveKind) -> Iterator[tuple[Curve, tuple[Floats, Floats]]]:
    """Yield the curves to draw with their lines."""
    for number in first_shown(curves, kind):
        line = curves[number].lines[kind]
        if line is not None:
            yield curves[number], line


def _name(name: str) -> str:
    text = shown(name).strip() or "∅"
    text = text if len(text) <= NAME else text[: NAME - 1] + "…"
    return " " + text if text.startswith("_") else text  # matplotlib leaves such labels out of legends


def _line(place: int) -> dict[str, Any]:
    return {"color": _color(place), "linestyle": ("-", "--", "-.", ":")[place % 4]}


def _color(place: int) -> tuple[float, float, float]:
    """Return a colour of the palette; darker where the page is white, on which yellow and grey are hard to see."""
    red, green, blue = OKABE_ITO[place % len(OKABE_ITO)]
    scale = 255 if place % len(OKABE_ITO) < 6 else 340
    return red / scale, green / scale, blue / scale
