"""Reasons why runs are not ranked by a metric: one answer for lists, charts, tables and reports."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.metrics import has_direction
from core.runs.comparison.same_data import differing_data

__all__ = ["differing_losses", "metric_of", "why_unranked"]

Config = Mapping[str, Mapping[str, Any]]


def why_unranked(
    configs: Sequence[Config], metric: str, split: str, own: Mapping[str, bool] | None = None
) -> str:
    """Return why runs are not ranked by a metric of a split; empty if they are.

    Args:
        configs: of the runs; nested plain values.
        metric: its name, such as ``loss``.
        own: the directions of the user's own metrics.
    """
    told = differing_data([config.get("data", {}) for config in configs if config], split)
    if not told and metric == "loss":
        told = differing_losses(configs)
    if not told and not has_direction(metric, own):
        told = f"it is not known whether less or more {metric} is better"
    return told


def differing_losses(configs: Sequence[Config]) -> str:
    """Return which losses runs minimise, where values of one do not compare with those of another; else empty."""
    losses = [config["loss"] for config in configs if config.get("loss")]
    if all(loss == losses[0] for loss in losses):
        return ""
    names = sorted({str(loss.get("name")) for loss in losses})
    return f"the losses differ ({', '.join(names) if len(names) > 1 else f'settings of {names[0]}'})"


def metric_of(curve: str) -> str:
    """Return the metric of a curve: ``loss`` of ``validation loss`` and of ``train loss by step``."""
    return curve.removesuffix(" by step").partition(" ")[2] or curve
