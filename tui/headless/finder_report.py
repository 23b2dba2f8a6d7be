"""Results of the finders as charts and sentences, for the terminal and for the dialog."""

import numpy as np

from core.counting import counted
from core.training.batch_finder import BatchTest, TriedBatch
from core.training.lr_finder import RangeTest
from tui.charts.plot_chart import Chart, Mark, Series
from tui.terminal.text import bytes_, count, number, si
from tui.terminal.themes import BLUE, ORANGE

__all__ = ["batch_chart", "batch_lines", "batch_sentence", "rate_chart", "rate_sentence"]

FEW_STEPS = 20
"""Steps per epoch below which a large batch makes few updates."""

HEADROOM = 1.3
"""Upper end of the chart, in multiples of the first loss: a diverging loss would flatten the rest."""


def rate_chart(test: RangeTest) -> Chart:
    """Losses over learning rates, smoothed, with the suggestion marked; also while the test runs."""
    if len(test.rates) < 2:
        return Chart(empty="waiting for the first losses")
    rates, smoothed = np.array(test.rates), test.smoothed
    marks = []
    if test.suggestion is not None:
        at = int(np.argmin(np.abs(np.log(rates / test.suggestion))))
        marks = [Mark(test.suggestion, float(smoothed[at]), color=ORANGE, text=number(test.suggestion))]
    top = HEADROOM * max(float(smoothed[0]), test.losses[0])
    return Chart(
        (
            Series("loss of a batch", rates, np.array(test.losses), None, style="points", marker="•"),
            Series("smoothed", rates, smoothed, BLUE),
        ),
        marks=tuple(marks),
        x_label="learning rate",
        log_x=True,
        y_range=(None, top if max(test.losses) > top else None),
    )


def rate_sentence(test: RangeTest) -> str:
    """Describe the result of the test."""
    if test.suggestion is None:
        return (
            "The loss did not fall at any learning rate: check the data, the model or the batch size first."
        )
    end = f"; from {number(test.rates[-1])} on it diverges" if test.blew_up else ""
    lowest = number(test.rates[test.lowest])
    bolder = f" A bolder rate to try is {number(test.bolder)}, a tenth of that." if test.bolder else ""
    return (
        f"The loss falls fastest at a learning rate of {number(test.suggestion)} (range test, Smith 2017). "
        f"It is lowest at {lowest}, where steps are already too long{end}.{bolder}"
    )


def batch_chart(tried: list[TriedBatch], suggestion: int | None) -> Chart:
    """Samples per second over batch sizes, with the suggestion marked; also while the test runs."""
    sizes = np.array([each.batch_size for each in tried], dtype=float)
    rates = np.array([each.samples_per_second for each in tried])
    marks = tuple(
        Mark(float(each.batch_size), each.samples_per_second, color=ORANGE, text=count(each.batch_size))
        for each in tried
        if each.batch_size == suggestion
    )
    return Chart(
        (Series("samples/s", sizes, rates, BLUE),) if tried else (),
        marks=marks,
        x_label="batch size",
        log_x=True,
        y_range=(0.0, None),
        empty="waiting for the first size",
    )


def batch_lines(tried: list[TriedBatch]) -> list[str]:
    """A line for each size: its speed and its memory."""
    return [
        f"{count(each.batch_size):>9}  {si(each.samples_per_second):>6} samples/s  {bytes_(each.memory):>9}"
        for each in tried
    ]


def batch_sentence(test: BatchTest) -> str:
    """Describe the result of the test."""
    if test.suggestion is None:
        return "Not even the smallest batch fits: try a smaller model."
    largest = count(test.tried[-1].batch_size)
    ends = {
        "memory": f"More than {largest} would need more than the allowed {bytes_(test.room)}.",
        "out of memory": f"Above {largest}, memory ran out.",
        "data": f"{largest} also fits; the training set is too small to try more.",
    }
    return (
        f"{count(test.suggestion)} is the smallest batch size that trains nearly as fast as the fastest"
        f"{_steps_text(test)}. {ends[test.ended]} Adjust the learning rate to the new batch size."
    )


def _steps_text(test: BatchTest) -> str:
    """Tell how many steps an epoch has then, and that few of them learn slowly."""
    steps = test.steps_per_epoch
    if not steps:
        return ""
    few = "few: a smaller batch, or more epochs, may learn better" if steps < FEW_STEPS else ""
    return f": {counted(steps, 'step')} per epoch{f', ▲ {few}' if few else ''}"
