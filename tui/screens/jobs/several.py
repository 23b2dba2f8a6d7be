"""Jobs on the marked runs in place of one: the question for which runs, and a loop that goes on after a failure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from core.counting import counted
from core.data.dataset import Progress
from core.errors import TorchtuiError
from core.runs.folder import Run
from core.runs.labels import title_of
from tui.forms.remedies import error_in_app
from tui.screens.jobs.job import Answers, Done, Question
from tui.terminal.text import count

__all__ = ["EACH", "TOGETHER", "for_each", "runs_of", "which_runs"]

THIS, EACH, TOGETHER = "this", "each", "together"
KEY: Final = "runs"


def which_runs(run: Run, marked: Sequence[Run], several: Mapping[str, str]) -> tuple[Question, ...]:
    """Return the question for which runs a job is, where there are several to choose from.

    Args:
        several: what can be done with the marked runs: value to label, which begins after their number.
    """
    if len(marked) < 2:
        return ()
    labels = {value: f"the {count(len(marked))} marked runs, {label}" for value, label in several.items()}
    return (Question(KEY, "of", THIS, {THIS: title_of(run.path), **labels}),)


def runs_of(answers: Answers, run: Run, marked: Sequence[Run]) -> list[Run]:
    """Return the runs that were chosen."""
    return [run] if answers.get(KEY, THIS) == THIS else [*marked]


def for_each(runs: Sequence[Run], work: Callable[[Run], Done], progress: Progress) -> Done:
    """Do the work for each run; one that fails does not keep the others from it.

    Args:
        progress: takes how many are done; raises once the job was cancelled.

    Raises:
        TorchtuiError: it failed for all; the first failure.
    """
    lines: list[str] = []
    done: list[Done] = []
    failures: list[TorchtuiError] = []
    for place, run in enumerate(runs):
        progress(title_of(run.path), place, len(runs))
        try:
            found = work(run)
        except TorchtuiError as error:
            failures.append(error)
            lines.append(f"✗ {title_of(run.path)}: {error_in_app(error)}")
        else:
            done.append(found)
            lines.append(f"✓ {title_of(run.path)}: {found.message}")
    if not done:
        raise failures[0]
    if len(runs) == 1:
        return done[0]
    return Done(f"{count(len(done))} of {counted(len(runs), 'run')} done", tuple(lines))
