"""Findings of pre-flight: one line for each thing it tried."""

from dataclasses import dataclass
from typing import Literal

from core.counting import counted
from core.errors import TorchtuiError
from core.events import Notice
from core.remedies import Hint, worded

__all__ = ["Finding", "failed", "first_error", "notices", "warned"]


@dataclass(frozen=True)
class Finding:
    """One thing that was tried.

    Attributes:
        name: such as ``training step on 64 samples``.
        level: ``ok``; ``note`` for what the engine does otherwise because of it; ``warning`` for what is probably a
            mistake; ``error`` for what keeps the run from starting.
        message, hint: one line each; empty where all is well.
        seconds: that it took.
        error: what is raised in place of starting the run.
    """

    name: str
    level: Literal["ok", "note", "warning", "error"] = "ok"
    message: str = ""
    hint: Hint = ""
    seconds: float = 0.0
    error: TorchtuiError | None = None


def failed(name: str, error: TorchtuiError, seconds: float = 0.0) -> Finding:
    """Return the finding of an error."""
    return Finding(name, "error", error.message, error.hint, seconds, error)


def warned(name: str, message: str, hint: Hint = "") -> Finding:
    """Return the finding of what is probably a mistake."""
    return Finding(name, "warning", message, hint)


def first_error(findings: list[Finding]) -> TorchtuiError | None:
    """Return what keeps the run from starting, if anything does."""
    return next((finding.error for finding in findings if finding.error is not None), None)


def notices(findings: list[Finding], seconds: float) -> list[Notice]:
    """Return what a run logs about its pre-flight: one line if all is well, and one for each thing to know."""
    if not findings:
        return []
    told = [finding for finding in findings if finding.message]
    checks = f"pre-flight: {len(findings)} checks in {seconds:.2f} s"
    first = Notice(level="info", message=f"{checks}, {_count(told)}" if told else f"{checks}, all is well")
    return [first, *map(_notice, told)]


def _count(told: list[Finding]) -> str:
    return counted(len(told), "thing") + " to know"


def _notice(finding: Finding) -> Notice:
    text = f"{finding.message}. {worded(finding.hint)}" if finding.hint else finding.message
    return Notice(level="warning" if finding.level == "warning" else "info", message=text)
