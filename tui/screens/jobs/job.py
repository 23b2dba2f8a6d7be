"""A job: what a command does, with what it asks first."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.data.dataset import Progress
from core.runs.folder import Run

__all__ = ["Answers", "Done", "Job", "Question"]

Answers = Mapping[str, str]
"""Key of a question to what was typed or chosen."""


@dataclass(frozen=True)
class Question:
    """One thing to type or to choose.

    Attributes:
        key: in the answers.
        label: a word or two before the field.
        default: what the field holds at first.
        choices: value to label; empty for a text.
        hint: shown in an empty field.
        suffixes: of the files that are suggested while a path is typed.
    """

    key: str
    label: str
    default: str = ""
    choices: Mapping[str, str] | None = None
    hint: str = ""
    suffixes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Done:
    """The result of a job.

    Attributes:
        message: one line, with the path of what was written.
        lines: what else is worth seeing, such as the first rows.
        then: called on the UI thread in place of showing the result; the dialog closes.
    """

    message: str
    lines: tuple[str, ...] = ()
    then: Callable[[], object] | None = None


@dataclass(frozen=True)
class Job:
    """Description of a dialog: its questions and its work.

    Attributes:
        title: what it does, and with which run.
        verb: on the button that starts it.
        questions: in order.
        command: the equivalent command, from the answers.
        work: called on a thread with the answers and a function that takes progress, which raises once the job was
            cancelled; raises a `TorchtuiError` for what the user can put right.
        tested: the runs whose test split it shows, from the answers.
        uses: the runs whose own code it runs.
        written: the files that it writes; existing ones are asked about.
    """

    title: str
    verb: str
    questions: tuple[Question, ...]
    command: Callable[[Answers], str]
    work: Callable[[Answers, Progress], Done]
    tested: Callable[[Answers], Sequence[Run]] = lambda answers: ()
    uses: Callable[[Answers], Sequence[Run]] = lambda answers: ()
    written: Callable[[Answers], Sequence[str]] = lambda answers: ()
