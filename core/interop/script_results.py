"""Calls of a script that keep weights, and what they predict."""

from collections.abc import Mapping
from typing import Any, Literal

from core.errors import DataError
from core.runs.folder import SPLITS, Run

__all__ = ["ScriptResults"]


class ScriptResults:
    """Mixin of `core.interop.writer.RunWriter`. Weights are checkpoints of the run, predictions its evaluations."""

    classes: list[str]
    task: str

    @property
    def run(self) -> Run:
        """The run's folder."""
        raise NotImplementedError

    def checkpoint(self, weights: Any) -> None:
        """Save a state_dict, or that of a module, as the last checkpoint; right after the best epoch as the best, too.

        A failed write is reported; the script continues.

        Raises:
            DataError: it holds objects that no checkpoint is read back with.
        """
        state = weights.state_dict() if hasattr(weights, "state_dict") else weights
        self._keep_checkpoint(state)

    def load_checkpoint(self, kind: Literal["last", "best"] = "last") -> dict[str, Any] | None:
        """Return what ``checkpoint`` saved, to continue from; None where the run has none.

        Raises:
            RunDamaged: it is damaged.
        """
        if not self.run.checkpoint_file(kind).is_file():
            return None
        from core.runs.checkpoints import load_checkpoint

        return dict(load_checkpoint(self.run, kind)["model"])

    def predictions(self, split: str, scores: Any, targets: Any) -> dict[str, float | None]:
        """Evaluate what the model said about a split, as the Evaluate screen and the command line show it.

        Args:
            split: ``train``, ``validation`` or ``test``.
            scores: (n, classes), probabilities or margins; (n,) of two classes: the probability or the margin of the
                second one; or (n,) for regression.
            targets: (n,) class numbers, or numbers; of several labels (n, labels) zeros and ones.

        Returns:
            The report's headline metrics.

        Raises:
            DataError: the split is unknown, or the arrays do not match or hold NaN.
            RunError: nothing can be written.
        """
        if split not in SPLITS:
            raise DataError(f"split: got '{split}'", f"It takes {', '.join(SPLITS)}")
        from core.inference.from_arrays import evaluate_given, guessed_task

        task = self.task
        if not task and not self.classes:
            task, guess = guessed_task(scores, targets)
            if guess:
                self.notice(guess)
        predictions, report = evaluate_given(scores, targets, self.classes, split, task)
        self._keep_evaluation(predictions, report)
        return report.metrics

    def notice(self, message: str, level: Literal["info", "warning", "error"] = "info") -> None:
        """Log a message of the run."""
        raise NotImplementedError

    def _keep_checkpoint(self, state: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def _keep_evaluation(self, predictions: Any, report: Any) -> None:
        raise NotImplementedError
