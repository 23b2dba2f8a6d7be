"""Summary of a run from the first and last lines of its log and its lock: a list of thousands stays quick."""

import errno
import os
import re
from array import array
from collections.abc import Iterator
from dataclasses import field, replace
from typing import Any

from pydantic.dataclasses import dataclass

from core.events import Count
from core.files.json_lines import read_line
from core.files.reading import open_plain
from core.metrics import label_of
from core.runs.comparison.same_data import data_name
from core.runs.folder import Run, minute_in
from core.runs.jobs.record import JobRecord, job_of
from core.runs.jobs.standing import after_a_stop, standing, standing_after
from core.runs.labels import AGENT, NONE, RunLabels, read_labels, title_of
from core.runs.lock import has_locks, is_held, is_held_since
from core.runs.opening import opening_of
from core.runs.script import is_imported, log_of, script_of
from core.status import Status, is_ended, is_resumable

__all__ = ["RunSummary", "began", "summarise"]

TAIL_BYTES = 8192
MAX_BYTES = 1 << 26
"""Of a log that ends in steps alone, no more than this is searched for an epoch: some hours of steps."""
PROBE_BYTES = 1 << 20
"""Read at each place where the end of the events is looked for in a log that ends in garbage."""
EVENT = re.compile(rb'"event"')
NOISE = ("step_logged", "system_sampled")
"""Events that no summary needs: most lines of a log."""
NEWS = re.compile(rb'"event"\s*:\s*"(?!%s)' % "|".join(f'{name}"' for name in NOISE).encode())
"""All other events; a line that only mentions one is parsed to be sure."""
LATEST = 250_000_000_000
"""Seconds since 1970: a time after the year 9000 is not the date of a run."""
RESUME = "it can be resumed"


@dataclass(frozen=True)
class RunSummary:
    """One row of a list of runs.

    Attributes:
        status: ``preparing`` while a process holds the run and has said nothing yet, ``pending`` while its job waits.
        config: nested plain values as the run has them; empty when its log is damaged.
        epoch, epochs: done, and asked for.
        monitor: name of the metric that chose it. metrics: validation metrics of the best epoch.
        evaluation: metrics of the splits evaluated at the end, by split.
        test_opened: whether somebody has opened its test split on purpose.
        started, updated: seconds since 1970; 0 when unknown.
        error: what went wrong, or what is damaged; empty otherwise.
        labels: name, tags and note that the user gave it.
        job: of a run that has not completed: the job that trains it, or did; None without one.
        processes: that trained it together the last time.
    """

    run: Run
    status: Status
    config: dict[str, dict[str, Any]] = field(default_factory=dict)
    epoch: Count = 0
    epochs: Count = 0
    best_epoch: Count = 0
    monitor: str = "loss"
    metrics: dict[str, float] = field(default_factory=dict)
    evaluation: dict[str, dict[str, float | None]] = field(default_factory=dict)
    test_opened: bool = False
    started: float = 0.0
    updated: float = 0.0
    error: str = ""
    labels: RunLabels = NONE
    job: JobRecord | None = None
    processes: int = 1

    @property
    def title(self) -> str:
        """The run's name, or else its folder's without the date."""
        return title_of(self.run.path, self.labels)

    @property
    def chosen_by(self) -> str:
        """Return how the best epoch was chosen: ``best by loss``, or ``best as the latest`` without that metric."""
        return f"best by {label_of(self.monitor)}" if self.monitor in self.metrics else "best as the latest"

    @property
    def has_test_alone(self) -> bool:
        """Return whether a script evaluated its test split and nothing else."""
        return [*self.evaluation] == ["test"] and bool(self.script)

    @property
    def shown_evaluation(self) -> dict[str, dict[str, float | None]]:
        """Metrics of the splits that lists show: without test, unless it was opened or is all that there is."""
        shown = self.test_opened or self.has_test_alone
        return {split: metrics for split, metrics in self.evaluation.items() if shown or split != "test"}

    @property
    def script(self) -> str:
        """Name of the script that wrote this run; empty for a run of our own."""
        return script_of(self.config)

    @property
    def log(self) -> str:
        """Path of the log of another tool that this run is a copy of; empty for other runs."""
        return log_of(self.config)

    @property
    def tool(self) -> str:
        """Name of the tool that wrote the log; empty for runs of our own and of scripts."""
        return self.script if self.log else ""

    @property
    def agent(self) -> str:
        """Name of the program whose agent started it, see `core.runs.agents`; empty for all other runs."""
        return next((tag.removeprefix(AGENT) for tag in self.labels.tags if tag.startswith(AGENT)), "")

    @property
    def data(self) -> str:
        """Name of the data set; of the user's own data that of its file or folder."""
        return self.data_kind if self.script else data_name(self.config.get("data", {}))

    @property
    def data_kind(self) -> str:
        """Name of the data set as a configuration has it, such as ``csv`` for any table of one's own."""
        return str(self.config.get("data", {}).get("name", ""))

    @property
    def study(self) -> str:
        """Name of the folder of the study that it is a trial of; empty for a run of its own."""
        trials = self.run.path.parent
        return trials.parent.name if trials.name == "trials" else ""

    @property
    def model(self) -> str:
        """Name of the model."""
        return str(self.config.get("model", {}).get("name", ""))


def began(summary: RunSummary) -> float | None:
    """Seconds since 1970; from the name if the log lacks it; None if unknown."""
    return summary.started if 0 < summary.started < LATEST else minute_in(summary.run.id)


def summarise(run: Run, *, as_left: bool = False) -> RunSummary:
    """Summarise the state of `run` now. Never raises for a damaged folder: the summary says what is wrong.

    Args:
        as_left: report the status that the last training process left, because the caller holds the lock now.
    """
    summary, labels = _summarise(run, as_left), read_labels(run.path)
    if (
        not as_left
        and (not is_ended(summary.status) or is_resumable(summary.status))
        and (record := job_of(run)) is not None
    ):
        summary = _with_job(summary, record)
    return summary if labels == NONE else replace(summary, labels=labels)


def _with_job(summary: RunSummary, record: JobRecord) -> RunSummary:
    """Return the summary of a run that has not completed with what its job adds to log and lock."""
    found = None
    if summary.status == "damaged" and summary.run.log_file.exists():
        pass
    elif is_ended(summary.status):
        found = standing_after(summary.run, record, summary.updated)
        if found is None and summary.status == "stopped":
            found = "stopped", after_a_stop(summary.run, record, summary.updated)
    else:
        held = summary.status != "interrupted" and is_held(summary.run)
        found = standing(summary.run, record, summary.updated, held=held, locks=has_locks(summary.run))
    status, error = found or (summary.status, summary.error)
    return replace(summary, status=status, error=error, job=record)


def _summarise(run: Run, as_left: bool) -> RunSummary:
    try:
        first, last = _ends(run)
    except OSError as problem:
        if not as_left and is_held(run):
            return RunSummary(run, "preparing")
        if isinstance(problem, FileNotFoundError) and _was_only_prepared(run):
            return RunSummary(run, "interrupted", error=f"its process ended before it trained; {RESUME}")
        return RunSummary(run, "damaged", error=f"{run.log_file.name}: {problem.strerror}")
    try:
        return _summary(run, first, last, as_left)
    except (AttributeError, KeyError, TypeError, ValueError):  # a line is JSON, yet not what we wrote
        return RunSummary(run, "damaged", error=f"{run.log_file.name} is not an event log")


def _was_only_prepared(run: Run) -> bool:
    """Return whether a process once held the run, and nothing was trained."""
    return run.lock_file.is_file() and run.config_file.is_file() and not run.checkpoint_file("last").exists()


def _summary(run: Run, first: dict[str, Any], last: list[dict[str, Any]], as_left: bool) -> RunSummary:
    start = first if first.get("event") == "run_started" else {}
    facts: dict[str, dict[str, Any]] = {}
    evaluation: dict[str, dict[str, float | None]] = {}
    for event in last:
        facts[event["event"]] = event
        if event["event"] == "run_started":
            facts.pop("run_finished", None)
            facts.pop("run_paused", None)
            evaluation.clear()
        elif event["event"] == "run_resumed":
            facts.pop("run_paused", None)
        elif event["event"] == "evaluation_finished":
            evaluation[event["split"]] = event["metrics"]
    epoch = facts.get("epoch_finished", {})
    status, error = _status(run, facts, start, as_left)
    updated, opening = last[-1].get("time", 0.0) if last else 0.0, opening_of(run)
    if opening is not None and opening.time > updated:
        evaluation["test"] = opening.metrics
    return RunSummary(
        run=run,
        status=status,
        config=start.get("config", {}),
        epoch=epoch.get("epoch", 0),
        epochs=facts.get("run_started", {}).get("epochs") or epoch.get("epochs") or start.get("epochs", 0),
        best_epoch=epoch.get("best_epoch", 0),
        monitor=start.get("monitor", "loss"),
        metrics={key: value for key, value in epoch.get("best_metrics", {}).items() if value is not None},
        evaluation=evaluation,
        test_opened=opening is not None,
        started=start.get("time", 0.0),
        updated=updated,
        error=error,
        processes=int(facts.get("run_started", start).get("processes", 1)),
    )


def _status(
    run: Run, facts: dict[str, dict[str, Any]], start: dict[str, Any], as_left: bool
) -> tuple[Status, str]:
    finished = facts.get("run_finished")
    if finished is not None:
        if not as_left and is_held_since(run, finished.get("time", 0.0)):
            return "preparing", ""
        return finished.get("status", "damaged"), finished.get("error", "")
    if not as_left and is_held(run):
        return ("paused" if "run_paused" in facts else "running"), ""
    if is_imported(run.path):  # its tool holds no lock
        return "running", ""
    if not start:
        return "damaged", f"{run.log_file.name} does not start with the start of a run"
    again = f"run {script} again" if (script := script_of(start["config"])) else RESUME
    return "interrupted", f"its process ended unexpectedly; {again}"


def _ends(run: Run) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The first event, and the last ones back to an epoch that finished, oldest first."""
    handle = open_plain(run.log_file, os.O_RDONLY)
    try:
        size = os.fstat(handle).st_size
        if not size and _was_only_prepared(run):  # its process has said nothing yet
            raise FileNotFoundError(errno.ENOENT, "is empty")
        head = os.pread(handle, TAIL_BYTES, 0)
        while b"\n" not in head and len(head) < min(size, MAX_BYTES):
            head = os.pread(handle, 2 * len(head), 0)
        first = _parse(head.partition(b"\n")[0])
        last = _last_events(handle, size)
        if not last and size > MAX_BYTES:
            last = _last_events(handle, _end_of_events(handle, size - MAX_BYTES))
    finally:
        os.close(handle)
    return first, last


def _last_events(handle: int, end: int) -> list[dict[str, Any]]:
    """The last events before a place in a log, back to an epoch that finished, oldest first."""
    length = TAIL_BYTES
    while True:
        tail = os.pread(handle, min(length, end), max(0, end - length))
        if length >= min(end, MAX_BYTES):
            break
        tail = tail.partition(b"\n")[2]
        if b'"epoch_finished"' in tail.rpartition(b"\n")[0]:  # in a whole line: neither end is one
            break
        length *= 4
    return _events(tail)


def _end_of_events(handle: int, garbage: int) -> int:
    """Return a place soon behind the last event of a log that is garbage from `garbage` on, found by bisection."""
    events = 0
    while garbage - events > PROBE_BYTES:
        middle = (events + garbage) // 2
        probe = os.pread(handle, PROBE_BYTES, middle)
        if any(_parse(line).get("event") for line in _lines_backwards(probe, EVENT)):
            events = middle
        else:
            garbage = middle
    return garbage + PROBE_BYTES


def _events(tail: bytes) -> list[dict[str, Any]]:
    """The events of some lines, oldest first: no steps, the last epoch alone, and checkpoints only at the end.

    Reading a line as JSON is what a list of thousands of runs spends its time on.
    """
    events: list[dict[str, Any]] = []
    epoch_seen = False
    for line in _lines_backwards(tail, NEWS):
        is_epoch = b'"epoch_finished"' in line
        if (is_epoch and epoch_seen) or (events and b'"checkpoint_saved"' in line):
            continue
        event = _parse(line)
        name = event.get("event")
        if isinstance(name, str) and name not in NOISE:
            events.append(event)
            epoch_seen = epoch_seen or is_epoch
    return events[::-1]


def _lines_backwards(text: bytes, sign: re.Pattern[bytes]) -> Iterator[bytes]:
    """Yield the lines with a sign of an event, the last one first: garbage is passed over, whatever its lines are."""
    end = len(text)
    for found in reversed(array("q", (match.start() for match in sign.finditer(text)))):
        if found < end:  # not in the line before
            begin, stop = text.rfind(b"\n", 0, found) + 1, text.find(b"\n", found)
            yield text[begin : stop if stop >= 0 else len(text)]
            end = begin


def _parse(line: bytes) -> dict[str, Any]:
    """The values of a line; none for a line that is torn or damaged."""
    try:
        values = read_line(line)
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}
