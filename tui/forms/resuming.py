"""The command that resumes a run where it trained last."""

import os

from pydantic import ValidationError

from core.runs.summary import RunSummary
from core.slurm.settings import SlurmSettings
from core.status import is_resumable
from core.torchrun import STARTED_WITH
from tui.forms.command_line import resume_command
from tui.forms.option_form import flags_for

__all__ = ["command_to_resume"]


def command_to_resume(summary: RunSummary) -> str:
    """Return the command that resumes a run, in a job with the same settings if it had one of its own.

    Empty for a run that cannot be resumed: also one without a checkpoint, unless it is to be submitted.
    """
    run, record = summary.run, summary.job
    if not is_resumable(summary.status) or summary.script:
        return ""
    if record is not None and record.ours:
        return resume_command("train", run.path, ["--run-in", "slurm", *_flags(record.settings)])
    if not any(os.path.isfile(run.checkpoint_file(kind)) for kind in ("last", "previous")):
        return ""
    return resume_command("train", run.path, _processes(summary))


def _processes(summary: RunSummary) -> list[str] | None:
    """Return the option that starts as many processes as last time; None in one of them, which knows its options."""
    if summary.processes == 1 or STARTED_WITH in os.environ:
        return None
    return ["--processes", str(summary.processes)]


def _flags(settings: dict[str, object]) -> list[str]:
    try:
        return flags_for(SlurmSettings.model_validate(settings))
    except ValidationError:  # of another version, or edited: the user gives them anew
        return []
