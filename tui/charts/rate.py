"""Chart of the learning rate over a run that has not started."""

from core.config.schema import TrainConfig
from core.schedules import curve
from tui.charts.plot_chart import Chart, Series
from tui.terminal.text import number
from tui.terminal.themes import BLUE

__all__ = ["rate_chart", "rate_subtitle"]

UNKNOWN_STEPS = 100
"""Steps of an epoch while the data is not known; the curve looks alike with more."""


def rate_chart(config: TrainConfig, steps_per_epoch: int) -> Chart:
    """Return the chart of the learning rate over the epochs; empty for a constant one.

    Args:
        steps_per_epoch: 0 when it is not known.
    """
    schedule, epochs = config.schedule, config.training.epochs
    if schedule.name == "constant" and not schedule.warmup:
        return Chart(empty="constant")
    if schedule.name == "python":
        return Chart(empty="your own schedule: drawn while it trains")
    x, y = curve(schedule, config.optimizer.lr, epochs, steps_per_epoch or UNKNOWN_STEPS)
    return Chart(
        (Series("learning rate", x, y, BLUE),),
        x_range=(0.0, float(epochs)),
        y_range=(0.0, None),
        x_label="epoch",
    )


def rate_subtitle(config: TrainConfig, chart: Chart) -> str:
    """Return the first, the highest and the last value of the curve."""
    if not chart.series:
        return ""
    y = chart.series[0].y
    ends = f"{number(float(y[0]))} … {number(float(y.max()))} … {number(float(y[-1]))}"
    return f"{ends}, lower after a plateau" if config.schedule.name == "plateau" else ends
