"""Errors of predicted numbers as text: median and largest of each target, and errors by bins of the prediction."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from core.evaluation import Predictions
from core.evaluation.error_views import errors_as_dicts
from core.evaluation.report import Report
from tui.terminal.text import clean, count, number

__all__ = ["error_tables"]


def error_tables(predictions: Predictions, report: Report) -> Iterator[RenderableType]:
    """Yield the tables of each target; nothing where no numbers are predicted."""
    if not predictions.has_numbers or not len(predictions):
        return
    found = errors_as_dicts(predictions, [str(row["name"]) for row in report.per_target])
    yield _extremes(found)
    for each in found:
        yield _bins(each)


def _extremes(found: list[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("error")
    for title in ("value", "95 % interval", "sample", "target", "predicted"):
        table.add_column(title, justify="right")
    for each in found:
        of = f" of {each['target']}" if each["target"] else ""
        ends = each["median_interval"]
        interval = f"{number(ends[0])} … {number(ends[1])}" if ends else ""
        table.add_row(
            Text(clean(f"median{of}")),
            number(each["median_absolute_error"]),
            interval,
            *_sample(each["median_sample"]),
        )
        largest = each["largest"]
        table.add_row(Text(clean(f"largest{of}")), number(abs(largest["error"])), "", *_sample(largest))
    return table


def _sample(values: Mapping[str, float]) -> tuple[str, str, str]:
    return str(int(values["index"])), number(values["target"]), number(values["prediction"])


def _bins(each: Mapping[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    of = f" of {each['target']}" if each["target"] else ""
    table.add_column(Text(clean(f"predicted{of}")))
    for title in ("samples", "mean error", "MAE", "95 % interval"):
        table.add_column(title, justify="right")
    for bin_ in each["by_prediction"]:
        ends = bin_["interval"]
        interval = f"{number(ends[0])} … {number(ends[1])}" if ends else ""
        place = f"{number(bin_['low'])} … {number(bin_['high'])}"
        table.add_row(place, count(bin_["samples"]), number(bin_["bias"]), number(bin_["mae"]), interval)
    return table
