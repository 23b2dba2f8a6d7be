"""State of a form: a configuration, or the problems that prevent one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.config.schema import TrainConfig
from core.counting import counted
from tui.forms.form import check, valid_part
from tui.forms.preview import Fix, Preview, Problem
from tui.terminal.text import count

__all__ = ["FormState"]


@dataclass(frozen=True)
class FormState:
    """The form at one moment, and the newest preview.

    Attributes:
        values: nested values, valid or not.
        config: the configuration, if all fields are valid.
        nearest: that configuration, or else the one with defaults in place of the wrong fields.
        invalid: dotted path of each wrong field, and what is wrong with it.
        preview: possibly of an earlier state of the form.
        beside: problems of fields that are not part of the configuration, by path.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    config: TrainConfig | None = None
    nearest: TrainConfig | None = None
    invalid: Mapping[str, str] = field(default_factory=dict)
    preview: Preview | None = None
    beside: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, values: Mapping[str, Any], preview: Preview | None, beside: Mapping[str, str] | None = None
    ) -> "FormState":
        """The state of a form with these values."""
        config, invalid = check(values)
        nearest = config or check(valid_part(values, invalid))[0]
        return cls(values, config, nearest, invalid, preview, beside or {})

    @property
    def previewed(self) -> bool:
        """Return whether the newest state is previewed."""
        return self.nearest is None or (self.preview is not None and self.preview.config == self.nearest)

    @property
    def problems(self) -> dict[str, str]:
        """Return the problem of each field: its own, or else how it fits the others."""
        return {problem.path: problem.message for problem in self._mismatches} | {
            **self.invalid,
            **self.beside,
        }

    @property
    def fix(self) -> Fix | None:
        """The suggested fix of the first mismatch that has one."""
        return next((problem.fix for problem in self._mismatches if problem.fix), None)

    @property
    def ready(self) -> bool:
        """Return whether a run can start."""
        return self.config is not None and not self.problems

    @property
    def checking(self) -> bool:
        """Return whether a run could start as far as is known, and its data were not looked at yet."""
        looked_at = self.preview.config.data if self.preview and self.preview.config else None
        return self.ready and self.config is not None and looked_at != self.config.data

    @property
    def steps_per_epoch(self) -> int:
        """0 while the size of the data is not known."""
        return self.preview.steps_per_epoch if self.preview else 0

    @property
    def sentence(self) -> str:
        """Return why a run cannot start, or a description of it."""
        if not self.ready:
            ordered = {path: self.problems[path] for path in (*self.invalid, *self.problems)}
            (path, message), *others = ordered.items()
            more = f" (and {len(others)} more)" if others else ""
            return f"Can't start: {path}{more}: {message}"
        if self.checking:
            return "looking at the data …"
        if self.preview and self.preview.note:
            return self.preview.note
        if self.config and self.steps_per_epoch:
            training, each = self.config.training, self.steps_per_epoch
            epochs = training.epochs_of(each)
            said = f"ready: {counted(each, 'step')} per epoch, {count(each * epochs)} in total"
            more = f": {counted(epochs, 'epoch')}, as min steps asks for"
            return f"{said}{more}" if epochs > training.epochs else said
        return "ready"

    @property
    def _mismatches(self) -> tuple[Problem, ...]:
        return self.preview.problems if self.preview and self.previewed else ()
