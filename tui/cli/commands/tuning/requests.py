"""Requests of `tui tune` to studies that are there: to pause, to continue, to stop, to try values."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from core.errors import InputError, RunError
from core.tuning.search.points import parse_point
from tui.forms.flags import SHORT_NAMES
from tui.headless.documents.acting import RequestDocument
from tui.headless.documents.envelope import print_document

__all__ = ["add_trials", "ask"]


def ask(runs_dir: Path, storage: str | None, given: Mapping[str, str | None], as_json: bool) -> None:
    """Pause, continue or stop a study in all processes that work on it; `given` holds its name by flag."""
    (flag, reference), *more = ((flag, study) for flag, study in given.items() if study is not None)
    if more:
        raise InputError(f"{flag} and {more[0][0]} cannot be used together", "Give one of them")
    from core.tuning.study.study import open_study
    from tui.runtime import study_process
    from tui.runtime.study_jobs import cancel_waiting
    from tui.terminal.text import clean

    study = open_study(runs_dir, reference, storage)
    waiting = cancel_waiting(study.folder) if flag == "--stop" else 0
    if not (waiting or study.storage_url or study_process.is_worked_on(study.folder)):
        raise RunError(f"no process works on {study.name}", "`tui tune --no-ui --resume STUDY` resumes one")
    asked: dict[str, tuple[Callable[[], None], str]] = {
        "--pause": (study.pause, "is paused"),
        "--continue": (study.go_on, "continues"),
        "--stop": (partial(study_process.stop, study), "was asked to save and stop"),
    }
    act, outcome = asked[flag]
    act()
    if as_json:
        print_document(RequestDocument(request=flag.removeprefix("--"), to=study.name))
    else:
        print(f"{clean(study.name)} {outcome}")


def add_trials(
    runs_dir: Path, storage: str | None, reference: str, texts: Iterable[str], as_json: bool
) -> None:
    """Add trials with values that people chose to a study."""
    from core.tuning.study.priors import add_trial
    from core.tuning.study.study import open_study
    from tui.runtime.study_process import is_worked_on
    from tui.terminal.text import clean

    study = open_study(runs_dir, reference, storage)
    points = [parse_point(study.plan.space, text, SHORT_NAMES) for text in texts]
    added = [add_trial(study, point) for point in points]
    if as_json:
        print_document(RequestDocument(request="try", to=study.name, trials=added))
        return
    for number in added:
        print(f"trial {number} was added to {clean(study.name)}")
    if not (study.storage_url or is_worked_on(study.folder)):
        print("no process works on it: `tui tune --no-ui --resume STUDY` trains it")
