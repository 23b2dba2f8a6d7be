"""Texts of the Live screen: the facts of a run in one line, and its messages."""

import time
from typing import Any

from textual.content import Content

from core.counting import counted
from core.events import Event, Notice, RunFinished
from core.runs.history.history import History
from core.runs.script import log_of
from tui.terminal.machine import machinery, memory_text
from tui.terminal.text import clean, count, duration

__all__ = ["facts", "messages"]

SIGNS = {"info": ("·", "$text-muted"), "warning": ("▲", "$warning"), "error": ("✗", "$error")}

NEXT = {
    "completed": "next: 4 evaluates it, 6 compares it, w reports, exports or predicts",
    "stopped": "next: 1 Runs, r resumes it; 4 evaluates it, 6 compares it",
    "failed": "next: 1 Runs, c edits a copy of its configuration; 2 changes the form",
    "diverged": "next: 2 changes the form, such as a smaller learning rate; ^l finds one",
    "interrupted": "next: 1 Runs, r resumes it from its last checkpoint",
}
"""What to do after a run, by how it ended."""


def facts(history: History, in_app: bool) -> str:
    """Return one line with the data, the model and the device."""
    started = history.started
    if started is None:
        return ""

    def chosen(section: str, field: str = "name") -> Any:
        return started.config.get(section, {}).get(field, "")

    samples = started.samples.get("train", 0)
    rate = history.last_step.lr if history.last_step else 0.0
    lr = f"{rate:.3g}" if rate else chosen("optimizer", "lr")
    parts = [
        (chosen("script"),),
        (chosen("data"), samples and counted(samples, "sample")),
        (chosen("model"), started.parameters and f"{count(started.parameters)} parameters"),
        (chosen("optimizer"), lr and f"lr {lr}"),
        ("batch" if chosen("training", "batch_size") else "", chosen("training", "batch_size")),
        ((" " if started.processes <= 1 else ", ").join(machinery(started)),),
        (memory_text(started, in_app),),
    ]
    return clean("   ".join(" ".join(str(word) for word in part if word) for part in parts if any(part)))


def messages(history: History, status: str = "") -> Content:
    """Return what to do next once the run has ended, then all messages, newest first, with the time since the start.

    Of a run that was resumed, also in another process, since its first start.
    """
    start = history.began or (history.messages[0].time if history.messages else time.time())
    lines = [_message(event, start) for event in reversed(history.messages)]
    after = NEXT.get(status, "")
    if after and history.started is not None and log_of(history.started.config):
        after = "next: 6 compares it"
    return Content("\n").join([Content.styled(after, "$accent"), *lines] if after else lines)


def _message(event: Event, start: float) -> Content:
    when = (f"{duration(event.time - start)} ", "$text-muted")
    if isinstance(event, Notice):
        sign, color = SIGNS[event.level]
        return Content.assemble(when, (f"{sign} ", color), clean(event.message))
    if isinstance(event, RunFinished):
        return Content.assemble(
            when, (event.status, "bold"), clean(f": {event.error}" if event.error else "")
        )
    return Content.assemble(when, type(event).__name__)
