"""Preview of a run without opening it: its curves, and the facts that tell it from others."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import Static
from textual.worker import get_current_worker

from core.config.defaults import usual_value
from core.config.schema import TrainConfig
from core.counting import counted
from core.events import RunStarted
from core.metrics import HEADLINES, in_order, label_of
from core.runs.history.outline import Outline
from core.runs.summary import RunSummary, began
from core.status import is_active
from core.tasks.registry import TASKS
from core.tuning.listed import StudySummary
from tui.charts.live import View, metric_chart
from tui.charts.plot import Chart, load_charts
from tui.terminal.jobs import job_text
from tui.terminal.machine import machinery
from tui.terminal.text import bytes_, clean, count, duration, number, of, setting
from tui.terminal.themes import STATES
from tui.widgets.chart_panel import ChartPanel
from tui.widgets.panel import Panel

__all__ = ["RunPreview", "Sketch", "facts", "sketch"]


@dataclass(frozen=True)
class Sketch:
    """Drawable content of a run's log: created on any thread, immutable.

    Attributes:
        score_name: of the second chart, ``accuracy`` or ``r2``.
        notes: damage in the log, and skipped parts.
    """

    name: str
    loss: Chart
    score: Chart
    score_name: str
    started: RunStarted | None
    notes: tuple[str, ...]


def sketch(outline: Outline, status: str) -> Sketch:
    """Return the charts and facts of a run from its log and its summary."""
    history = outline.history
    notes = []
    if outline.skipped:
        notes.append(f"{bytes_(outline.skipped)} in the middle of the log were skipped")
    if outline.damaged:
        lines = "line" if outline.damaged == 1 else "lines"
        notes.append(f"{count(outline.damaged)} damaged {lines} in the log")
    loss, score = metric_chart(history, "loss", View()), metric_chart(history, history.score, View())
    if not is_active(status) and history.diverged_at is None:
        loss, score = (replace(chart, empty="no epoch was finished") for chart in (loss, score))
    return Sketch(outline.run.id, loss, score, history.score, history.started, tuple(notes))


class RunPreview(Vertical):
    """Curves over facts. The facts change at once, the curves when the log has been read, off the UI thread."""

    class Sketched(Message):
        """The log of a run has been read."""

        def __init__(self, summary: RunSummary, sketched: Sketch) -> None:
            super().__init__()
            self.summary, self.sketched = summary, sketched

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._wanted: RunSummary | None = None
        self._sketch: Sketch | None = None
        self._outline: Outline | None = None
        self._reading = False
        self._announced = False

    def compose(self) -> ComposeResult:
        for chart in ("loss", "score"):
            yield ChartPanel(id=f"preview-{chart}-panel", plot=f"preview-{chart}")
        with Panel(id="preview-facts-panel"), VerticalScroll(id="preview-scroll"):
            yield Static(id="preview-facts")

    def on_mount(self) -> None:
        for panel in self.query(ChartPanel):
            panel.show("", Chart(empty="reading ..."))

    def show(self, summary: RunSummary | None) -> None:
        """Show a run, or its changes; None clears the preview."""
        self._wanted = summary
        self.set_class(summary is None, "-nothing")
        self.set_class(isinstance(summary, StudySummary), "-study")
        if not self._announced:  # the frame in which the cursor moves does not wait for it
            self._announced = self.call_after_refresh(self._show_wanted)

    def _show_wanted(self) -> None:
        self._announced = False
        self._show_facts()
        self._read()

    def on_show(self) -> None:
        """Read the log when the preview becomes visible."""
        self._read()

    def _read(self) -> None:
        if self._wanted is None or self._reading or not self.display:
            return
        if isinstance(self._wanted, StudySummary):
            self._sketch = None
            return
        self._reading = True
        self.run_worker(partial(self._sketch_log, self._wanted), thread=True, group="preview")

    def _sketch_log(self, summary: RunSummary) -> None:
        """Read new entries of the log in a thread, unless another run is requested meanwhile."""
        worker = get_current_worker()
        if self._outline is None or self._outline.run != summary.run:
            self._outline = Outline(summary.run)
        while self._outline.read():
            if worker.is_cancelled:
                return
            if self._wanted is None or self._wanted.run != summary.run:
                break
        load_charts()
        self.post_message(self.Sketched(summary, sketch(self._outline, summary.status)))

    @on(Sketched)
    def _show_sketch(self, event: Sketched) -> None:
        event.stop()
        self._reading = False
        if self._wanted is not None and event.summary.run == self._wanted.run:
            self._sketch = event.sketched
            self._show_charts(event.sketched)
            self._show_facts()
        if event.summary is not self._wanted:
            self._read()

    def _show_charts(self, sketched: Sketch) -> None:
        score = label_of(sketched.score_name)
        for kind, name, chart in (("loss", "loss", sketched.loss), ("score", score, sketched.score)):
            self.query_one(f"#preview-{kind}-panel", ChartPanel).show(name, chart)

    def _show_facts(self) -> None:
        summary = self._wanted
        if summary is None:
            return
        sketched = self._sketch if self._sketch and self._sketch.name == summary.run.id else None
        self.query_one("#preview-facts-panel", Panel).border_title = summary.title
        self.query_one("#preview-facts", Static).update(facts(summary, sketched))


@dataclass(frozen=True)
class _Items:
    """Short texts in lines as long as there is room; none is broken that fits into a line."""

    items: Sequence[str]
    style: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = [""]
        for item in map(clean, self.items):
            longer = f"{lines[-1]}  {item}" if lines[-1] else item
            if cell_len(longer) <= options.max_width:
                lines[-1] = longer
            else:
                lines.append(item)
        yield Text("\n".join(filter(None, lines)), self.style, overflow="fold")


def facts(summary: RunSummary, sketched: Sketch | None) -> Table:
    """Two columns: what it is, and the values, wrapped within their column."""
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(ratio=1, overflow="fold")
    if isinstance(summary, StudySummary):
        return _study_facts(summary, table)
    sign, color = STATES[summary.status]
    done = summary.epoch or summary.epochs
    epochs = f"  epoch {of(summary.epoch, summary.epochs)}" if done else ""
    table.add_row("status", Text.assemble((f"{sign} {summary.status}", color), epochs))
    if summary.job is not None and is_active(summary.status):
        table.add_row("", Text(job_text(summary.job.job, time.time())))
    if summary.error:
        table.add_row("", Text(clean(summary.error), color))
    started = sketched.started if sketched else None
    for label, items in (*_labels(summary), *_results(summary), *_setup(summary, started)):
        table.add_row(label, _Items(items))
    for note in sketched.notes if sketched else ():
        table.add_row("note", Text(f"▲ {note}", STATES["interrupted"][1]))
    table.add_row("path", Text(clean(summary.log or str(summary.run.path)), "dim"))
    return table


def _study_facts(summary: StudySummary, table: Table) -> Table:
    """Return what is known of a study without its storage."""
    trials = counted(summary.trials, "trial")
    table.add_row(
        "study", Text(f"{trials}{', a process works on it' if summary.status == 'running' else ''}")
    )
    if summary.job is not None:
        sign, color = STATES[summary.status]
        table.add_row("status", Text(f"{sign} {summary.status}", color))
        table.add_row("", Text(job_text(summary.job.job, time.time())))
    if summary.metrics:
        best = "  ".join(
            f"{clean(label_of(name))} {number(value)}" for name, value in summary.metrics.items()
        )
        table.add_row("best", Text(f"★ {best}"))
    for label, items in _labels(summary):
        table.add_row(label, _Items(items))
    if summary.data:
        table.add_row("data", Text(clean(summary.data)))
    table.add_row("", Text("enter shows its trials; 5 Tune and ctrl+o open the study", "dim"))
    table.add_row("path", Text(clean(str(summary.run.path)), "dim"))
    return table


def _labels(summary: RunSummary) -> Iterator[tuple[str, list[str]]]:
    labels = summary.labels
    if labels.name:
        yield "id", [summary.run.id]
    if labels.tags:
        yield "tags", [*labels.tags]
    if labels.note:
        yield "note", labels.note.splitlines()


def _results(summary: RunSummary) -> Iterator[tuple[str, list[str]]]:
    if summary.best_epoch:
        by = [] if summary.monitor == "loss" else [summary.chosen_by]
        yield "best", [f"★ epoch {summary.best_epoch}", *by, *_metrics(summary.metrics)]
    for split, metrics in summary.shown_evaluation.items():
        yield split, _metrics({name: metrics[name] for name in in_order(metrics, HEADLINES)} or metrics)


def _metrics(metrics: Mapping[str, float | None]) -> list[str]:
    return [f"{label_of(name)} {number(value)}" for name, value in metrics.items()]


def _setup(summary: RunSummary, started: RunStarted | None) -> Iterator[tuple[str, list[str]]]:
    start = began(summary)
    if start is not None:
        took = [f"ran {duration(summary.updated - start)}"] if summary.updated > start else []
        yield "began", [time.strftime("%Y-%m-%d %H:%M", time.localtime(start)), *took]
    if not summary.config:
        return
    if summary.script:
        yield "tool" if summary.log else "script", [summary.script]
    yield from ((label, items) for label, items in _parts(summary, started) if any(items))
    usual = _usual_choices(started)
    changed = [f"{path} {setting(value)}" for path, value in _changed(summary.config, usual).items()]
    if summary.script:
        yield "settings", changed or ["none reported"]
    elif changed or started is not None:  # which loss is the usual one depends on the task
        yield "changed", changed or ["nothing: all defaults"]


def _parts(summary: RunSummary, started: RunStarted | None) -> Iterator[tuple[str, list[str]]]:
    """Return the known parts."""
    samples = [f"{count(size)} {split}" for split, size in started.samples.items()] if started else []
    yield "data", [*filter(None, [summary.data]), *samples]
    parameters = [f"{count(started.parameters)} parameters"] if started and started.parameters else []
    yield "model", [*filter(None, [summary.model]), *parameters]
    if started is not None:
        yield "device", machinery(started)
    chosen = [summary.config.get(section, {}).get("name") for section in ("loss", "optimizer", "schedule")]
    yield "learning", [str(name) for name in chosen if name]


def _usual_choices(started: RunStarted | None) -> dict[str, tuple[str, ...]]:
    """Return what is chosen by default in the sections of learning; the loss is that of the task."""
    usual: dict[str, tuple[str, ...]] = {
        section: (str(getattr(TrainConfig(), section).name),) for section in ("optimizer", "schedule")
    }
    if started is not None and started.task in TASKS:
        usual["loss"] = (TrainConfig().loss.name, TASKS[started.task].default_loss)
    return usual


def _changed(config: Mapping[str, Mapping[str, Any]], usual: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """By dotted path what differs from the defaults of each section's choice, and choices that are not `usual`."""
    changed = {
        section: config[section]["name"]
        for section, names in usual.items()
        if config.get(section, {}).get("name", names[0]) not in names
    }
    return changed | {
        f"{section}.{key}": value
        for section, values in config.items()
        if section != "script"
        for key, value in values.items()
        if key != "name" and value != usual_value(section, str(values.get("name")), key)
    }
