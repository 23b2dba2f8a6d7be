"""Evaluate: the results of a run's best weights, on validation or on test."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.events import DescendantFocus
from textual.widgets import Static, TabbedContent, TabPane

from core.counting import counted
from core.data.dataset import Progress
from core.errors import TorchtuiError
from core.evaluation import Report
from core.inference.stored import Evaluation, is_latest, latest_evaluated, was_evaluated
from core.metrics import label_of
from core.runs.folder import Run
from core.runs.labels import title_of
from core.runs.opening import record_test_opening
from core.runs.summary import RunSummary, summarise
from core.session.evaluation import RunData, evaluate_run, take_device_note
from core.tasks.registry import task_of
from tui.forms.guide.explain import Explanation
from tui.forms.remedies import error_in_app
from tui.screens.background import Background
from tui.screens.base import NARROW
from tui.screens.evaluate.calibration import CalibrationTab
from tui.screens.evaluate.classes.class_curves import ClassCurvesTab
from tui.screens.evaluate.confusion import ConfusionTab
from tui.screens.evaluate.curves_tab import PrecisionRecallTab, RocTab
from tui.screens.evaluate.failures.mistakes import MistakesTab
from tui.screens.evaluate.failures.slices import SlicesTab
from tui.screens.evaluate.labels.confusion import LabelConfusionTab
from tui.screens.evaluate.masks.masks_tab import MasksTab
from tui.screens.evaluate.own_numbers import OwnNumbersTab
from tui.screens.evaluate.residuals import ResidualsTab
from tui.screens.evaluate.summary import SummaryTab
from tui.screens.evaluate.tab import EvaluationTab, Subject
from tui.screens.evaluate.threshold import ThresholdTab
from tui.screens.evaluate.two_classes.lift import LiftTab
from tui.screens.first_look import open_test
from tui.screens.jobs.actions import USE, JobActions
from tui.terminal.text import clean, number, percent, progress_line

__all__ = ["EvaluateScreen"]

TABS: tuple[Callable[[], EvaluationTab], ...] = (
    SummaryTab,
    ConfusionTab,
    LabelConfusionTab,
    RocTab,
    PrecisionRecallTab,
    LiftTab,
    ThresholdTab,
    ClassCurvesTab,
    CalibrationTab,
    MistakesTab,
    MasksTab,
    ResidualsTab,
    SlicesTab,
    OwnNumbersTab,
)
NOTHING = "No run has been evaluated yet.\n\nPress 2 to train a run, or 1 and then e to evaluate one."


@dataclass(frozen=True, eq=False)
class Opened:
    """An evaluation, a description of its weights, and where it was computed, if there was a choice of GPUs."""

    subject: Subject
    weights: str
    device: str


class Pane(TabPane):
    """A tab that only a choice opens, not a focus that arrives after another tab was chosen."""

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        event.prevent_default()


class EvaluateScreen(Background, JobActions):
    """One evaluation in tabs."""

    MODE = "evaluate"
    HELP = (
        "Evaluates a run with its best weights. Stored evaluations open at once; otherwise the samples are predicted "
        "first. The best epoch was chosen on validation; keep test for the end. Every headline metric has a 95 % "
        "interval, or the reason why not, and a baseline that needs no model. Metrics that the data do not define, "
        "such as the recall of a class without samples, are shown as – with the reason. In Mistakes, o maps the parts "
        "of a picture without which a score falls."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "turn_tab(1)", "tab", tooltip="The next tab"),
        Binding("T", "turn_tab(-1)", "previous tab", show=False),
        Binding("v", "split", "validation/test", tooltip="The other split"),
        USE,
    ]

    def __init__(self) -> None:
        super().__init__()
        self.run: Run | None = None
        self.split = ""
        self.opened: Opened | None = None
        self.data: RunData | None = None
        self._opening, self._retry = False, False

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="evaluated"):
            yield Static("", id="evaluated-run", markup=False)
            yield Static("", id="evaluated-headline", markup=False)
        yield Static("", id="evaluate-notice", markup=False)
        with TabbedContent(id="evaluation"):
            for make in TABS:
                tab = make()
                with Pane(Content(tab.TITLE), id=f"tab-{tab.id}"):
                    yield tab

    @property
    def tabs(self) -> TabbedContent:
        """The tabs."""
        return self.query_one("#evaluation", TabbedContent)

    def explanation(self) -> Explanation | None:
        """Explain what has the cursor in a tab."""
        around = self.focused.ancestors_with_self if self.focused else []
        return next((node.explanation() for node in around if isinstance(node, EvaluationTab)), None)

    @property
    def job_run(self) -> Run | None:
        return self.run

    def open_run(self, run: Run, split: str = "") -> None:
        """Evaluate a run, or open its stored evaluation.

        Args:
            split: ``validation`` or ``test``; by default validation, or test where a script evaluated nothing else.
        """
        if self.data is None or run != self.run:
            self.data = RunData(run, self.tui.data_root)
        self.run, self.split, self.opened = run, split, None
        self._opening, self._retry = True, False
        data = self.data
        self.in_background("open", lambda progress: _open(data, split, progress), self._show, self._failed)
        if self.is_mounted:
            self._draw_state(f"opening {title_of(run.path)} ...")

    def refresh_content(self) -> None:
        """Show the followed run or the one evaluated last; retry after a failure; reread what is outdated."""
        if self._opening:
            return
        if self.run is None:
            self._find_run()
        elif self._retry:
            self.open_run(self.run, self.split)
        elif self.opened is not None:
            evaluation = self.opened.subject.evaluation
            self.in_background("outdated", lambda progress: is_latest(evaluation), self._reopen_unless)

    def _reopen_unless(self, latest: bool) -> None:
        if not latest and self.run is not None and not self._opening:
            self.open_run(self.run, self.split)

    def _find_run(self) -> None:
        followed = self.tui.feed.host.run if self.tui.feed is not None else None
        runs_dir = self.tui.runs_dir

        def find(progress: Progress) -> Run | None:
            if followed is not None and any(
                was_evaluated(followed, split) for split in ("test", "validation")
            ):
                return followed
            return latest_evaluated(runs_dir) or followed

        self._draw_state("looking for a run ...")
        self.in_background("find", find, self._found)

    def _found(self, run: Run | None) -> None:
        if self.run is not None:
            return
        if run is None:
            self._draw_state(NOTHING)
        else:
            self.open_run(run)

    # ---- what is on the screen

    def show_progress(self, what: str, done: int, total: int) -> None:
        line = progress_line(what, done, total) if done or not total else f"{what} {counted(total, 'sample')}"
        self._draw_state(f"evaluating {title_of(self.run.path) if self.run else ''}: {line} ...")

    def _failed(self, error: Exception) -> None:
        self._opening = False
        # Weights may come with the next epoch; a defect would only recur.
        self._retry = isinstance(error, TorchtuiError)
        self.split = self.split or "validation"
        self._draw_state(f"✗ {error_in_app(error)}\n\nv  opens the other split")

    def _draw_state(self, text: str) -> None:
        """Show a message in place of the tabs."""
        shown = Content("\n".join(clean(line) for line in text.splitlines()))
        self.query_one("#evaluate-notice", Static).update(shown)
        self.query_one("#evaluated-run", Static).update(
            Content(clean(title_of(self.run.path) if self.run else ""))
        )
        self.query_one("#evaluated-headline", Static).update("")
        self.set_class(False, "-evaluated")

    def _show(self, opened: Opened) -> None:
        self._opening, self.opened = False, opened
        evaluation = opened.subject.evaluation
        self.split = evaluation.split
        self.query_one("#evaluated-run", Static).update(_title(evaluation, opened.weights))
        if opened.device:
            self.notify(clean(opened.device), markup=False)
        self._draw_headline()
        self.set_class(True, "-evaluated")
        self._offer_tabs(evaluation.report.task)
        self._draw_tab()

    def on_resize(self) -> None:
        self._draw_headline()

    def _draw_headline(self) -> None:
        if self.opened is not None:
            headline = _headline(self.opened.subject.report, roomy=self.size.width >= NARROW)
            self.query_one("#evaluated-headline", Static).update(headline)

    def _offer_tabs(self, task: str) -> None:
        """Show only the tabs that apply to the task; open the first if the current one does not apply."""
        tabs, there = self.tabs, self._tabs_of(task)
        if tabs.active not in there:
            tabs.active = there[0]
        for tab in self.query(EvaluationTab):
            name = f"tab-{tab.id}"
            (tabs.show_tab if name in there else tabs.hide_tab)(name)

    def _tabs_of(self, task: str) -> list[str]:
        views = task_of(task).views
        return [f"tab-{tab.id}" for tab in self.query(EvaluationTab) if tab.id in views]

    @property
    def active_tab(self) -> EvaluationTab:
        """The visible tab."""
        return self.query_one(f"#{self.tabs.active}", TabPane).query_one(EvaluationTab)

    @on(TabbedContent.TabActivated)
    def _tab_activated(self) -> None:
        self._draw_tab()

    def _draw_tab(self) -> None:
        """Draw the visible tab unless it already shows this evaluation, and focus it."""
        if self.opened is None or not self.has_class("-evaluated"):
            return
        tab = self.active_tab
        tab.show(self.opened.subject)
        widget = tab.main_widget()
        if widget is not None and self.is_current:
            widget.focus()

    @on(ThresholdTab.Changed)
    def _threshold_changed(self, event: ThresholdTab.Changed) -> None:
        if event.run == self.run:
            self.open_run(event.run, self.split)

    # ---- keys

    def action_turn_tab(self, by: int) -> None:
        """Switch to the next or previous tab."""
        if self.opened is None:
            return
        there = self._tabs_of(self.opened.subject.report.task)
        self.tabs.active = there[(there.index(self.tabs.active) + by) % len(there)]

    def action_split(self) -> None:
        """Evaluate on the other split; confirm before the first look at test."""
        run = self.run
        if run is None or self._opening:
            return
        if self.split == "test":
            self.open_run(run, "validation")
        else:
            open_test(self.app, [run], lambda: self.open_run(run, "test"))


def _open(data: RunData, split: str, progress: Progress) -> Opened:
    """Evaluate, and prepare whatever is slow; not for the UI thread."""
    run = data.run
    summary = summarise(run)
    take_device_note()  # of what was computed elsewhere in the app
    evaluation = evaluate_run(run, split or _first_split(summary), data_root=data.root, progress=progress)
    if evaluation.split == "test":
        record_test_opening(run, evaluation.report.metrics)
    subject = Subject(evaluation, data)
    if subject.class_names:
        _ = subject.confusion, evaluation.predictions.predicted  # computed once, kept
    _ = subject.beside
    return Opened(subject, _weights(summary), take_device_note())


def _first_split(summary: RunSummary) -> str:
    """Return validation, or test where a script evaluated nothing else."""
    return "test" if summary.has_test_alone else "validation"


def _weights(summary: RunSummary) -> str:
    if summary.script:
        return f"as {summary.script} evaluated them"
    return f"best, epoch {summary.best_epoch}" if summary.best_epoch else "best weights"


def _title(evaluation: Evaluation, weights: str) -> Content:
    return Content.assemble(
        (clean(title_of(evaluation.run.path)), "bold"),
        f"  {evaluation.split}  ",
        (f"{counted(evaluation.report.n, 'sample')}  {clean(weights)}", "$foreground 60%"),
    )


def _headline(report: Report, *, roomy: bool) -> Content:
    """Return the headline metric; where there is room, also its interval and the baseline."""
    task = task_of(report.task)
    names = task.headlines or (*report.metrics,)[:2]
    if len(task.headlines) != 1:
        parts = [f"{clean(label_of(name))} {number(report.metrics.get(name))}" for name in names]
        return Content.styled("  ".join(parts), "bold")
    name = names[0]
    headline = f"{label_of(name)} {percent(report.metrics.get(name))} %"
    if not roomy:
        return Content.styled(headline, "bold")
    low_high = report.intervals.get(name)
    between = f" ({percent(low_high[0])} – {percent(low_high[1])})" if low_high else ""
    baseline = report.baseline.get(name)
    known = f"  {task.baseline} {percent(baseline)} %" if isinstance(baseline, (int, float)) else ""
    return Content.assemble((headline, "bold"), between, (known, "$foreground 60%"))
