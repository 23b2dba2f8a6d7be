"""Choices that are made for a trained run on validation and kept with it: evaluate, choose, keep, evaluate again."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from core.data.dataset import Progress
from core.evaluation.report import Report
from core.inference.stored import Evaluation
from core.runs.folder import Run
from core.session.evaluation import evaluate_run

__all__ = ["KeptChoice", "choose_on_validation"]

T = TypeVar("T")


@dataclass(frozen=True)
class KeptChoice(Generic[T]):
    """The choice, and reports of validation `before` and `after` it."""

    chosen: T
    before: Report
    after: Report


def choose_on_validation(
    run: Run,
    choose: Callable[[Evaluation], T],
    keep: Callable[[Run, T], None],
    *,
    data_root: Path | None,
    progress: Progress,
) -> KeptChoice[T]:
    """Choose by the evaluation of validation, keep it with the run, and return what changes.

    Raises:
        TorchtuiError: it cannot be evaluated, nothing can be chosen, or nothing can be written.
    """
    before = evaluate_run(run, "validation", data_root=data_root, progress=progress)
    chosen = choose(before)
    keep(run, chosen)
    after = evaluate_run(run, "validation", data_root=data_root, progress=progress)
    return KeptChoice(chosen, before.report, after.report)
