"""Choosing the threshold of two classes, or of a label: rules, and what each would give on validation."""

from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, Label, Static

from core.evaluation import OperatingPoint, RankedCounts, Undefined, threshold_table
from core.evaluation.two_classes.decision import Decision, Rule, choose
from tui.screens.evaluate.facts import label
from tui.terminal.text import amount, number
from tui.widgets.table import Cell, Column, Table

__all__ = ["Answer", "ThresholdDialog"]

COLUMNS = (
    Column("rule", 20, "<"),
    Column("threshold", 9),
    Column("precision", 9),
    Column("recall", 6),
    Column("F1", 6),
    Column("false +", 7),
    Column("missed", 6),
)
FIELDS = {
    "precision": ("precision ≥", "0.9"),
    "recall": ("recall ≥", "0.9"),
    "false-positive": ("cost: false +", "1"),
    "false-negative": ("miss", "1"),
}
"""Titles of the numbers that rules take, and what stands there at first."""


@dataclass(frozen=True)
class Answer:
    """Answer of the dialog: a rule, or None to return to what is predicted without one; for one label, or for all."""

    rule: Rule | None
    of_all: bool = False


@dataclass(frozen=True)
class Offer:
    """A rule, or a reason why its number is none; what it gives on validation."""

    name: str
    answer: Answer | None
    found: OperatingPoint | Undefined | None


class ThresholdDialog(ModalScreen[Answer]):
    """Enter on a rule chooses it; returns None after Escape.

    Args:
        ranked: scores of the positive class on validation, or of a label.
        name: of the positive class, or of the label.
        probabilities: whether scores are some, so that the class that scores highest has 0.5 or more.
        kept: the rule by which a threshold was chosen before; empty if there is none.
        of_label: whether samples have several labels, of which this is one.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel"),
        Binding("a", "choose_for_all", "For all labels"),
    ]

    def __init__(
        self, ranked: RankedCounts, name: str, kept: str, *, probabilities: bool, of_label: bool = False
    ) -> None:
        super().__init__()
        self.of_label = of_label
        self.ranked, self.positive, self.kept, self.probabilities = ranked, name, kept, probabilities
        self.offers: list[Offer] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -threshold"):
            yield Static(self._title(), classes="question")
            with Horizontal(id="rule-numbers"):
                for name, (title, value) in FIELDS.items():
                    yield Label(title)
                    yield Input(value, id=f"rule-{name}", compact=True, max_length=8)
            yield Table(id="rules")
            yield Static("", id="rule-problem", markup=False)
        yield Footer(show_command_palette=False)

    def _title(self) -> Content:
        usual = "those from the highest F1 on" if self.of_label else "the class that scores highest"
        name = label(self.positive)
        question = (
            f"From which score on has a sample the label {name}?"
            if self.of_label
            else f"From which score on is a sample {name}?"
        )
        return Content.assemble(
            f"{question} Chosen on validation; evaluate, predict and export use it from then on.\n",
            (f"now: {self.kept or usual}", "$foreground 60%"),
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a rule for all where there are labels."""
        return action != "choose_for_all" or self.of_label

    def action_choose_for_all(self) -> None:
        """Choose the rule under the cursor for every label."""
        answer = self.offers[self.query_one("#rules", Table).cursor].answer
        if answer is not None:
            self.dismiss(replace(answer, of_all=True))

    def on_mount(self) -> None:
        self._offer()
        self.query_one("#rules").focus()

    @on(Input.Changed)
    def _offer(self) -> None:
        """Show what each rule gives."""
        self.offers = [
            self._by("★ highest F1", "f1"),
            self._by("● precision ≥", "precision"),
            self._by("◆ recall ≥", "recall"),
            self._by("■ lowest costs", "costs"),
            self._undone(),
        ]
        table = self.query_one("#rules", Table)
        table.show(COLUMNS, len(self.offers), lambda row: _cells(self.offers[row]))
        self._explain(table.cursor)

    def _undone(self) -> Offer:
        """Offer what is predicted without a threshold."""
        if self.of_label:
            return Offer("○ no rule: highest F1", Answer(None), None)
        at_half = threshold_table(self.ranked, [0.5])[0] if self.probabilities else None
        return Offer("○ highest score" if at_half is None else "○ 0.5, as before", Answer(None), at_half)

    def _by(self, name: str, goal: str) -> Offer:
        try:
            values = {each: float(self.query_one(f"#rule-{each}", Input).value) for each in _needs(goal)}
            rule = Rule(
                goal,  # type: ignore[arg-type]  # one of its names
                at_least=values.get(goal, 0.0),
                false_positive=values.get("false-positive", 1.0),
                false_negative=values.get("false-negative", 1.0),
            )
        except ValueError as error:
            return Offer(name, None, Undefined(str(error)))
        decision = choose(self.ranked, rule)
        if isinstance(decision, Decision):
            return Offer(name, Answer(rule), threshold_table(self.ranked, [decision.threshold])[0])
        return Offer(name, None, decision)

    @on(Table.Highlighted)
    def _highlighted(self, event: Table.Highlighted) -> None:
        self._explain(event.row)

    def _explain(self, row: int) -> None:
        """Show why a rule gives nothing."""
        found = self.offers[row].found
        text = f"✗ {found.reason}" if isinstance(found, Undefined) else ""
        self.query_one("#rule-problem", Static).update(Content(text))

    @on(Input.Submitted)
    def _entered(self) -> None:
        self.query_one("#rules").focus()

    @on(Table.Chosen)
    def _chosen(self, event: Table.Chosen) -> None:
        answer = self.offers[event.row].answer
        if answer is not None:
            self.dismiss(answer)


def _needs(goal: str) -> tuple[str, ...]:
    """Return the fields that a rule reads."""
    if goal == "costs":
        return ("false-positive", "false-negative")
    return (goal,) if goal in FIELDS else ()


def _cells(offer: Offer) -> list[Cell]:
    point = offer.found
    if point is None:
        return [offer.name, *[""] * 6]
    if isinstance(point, Undefined):
        return [offer.name, *["–"] * 6]
    rates = map(number, (point.threshold, point.precision, point.recall, point.f1))
    return [offer.name, *rates, amount(point.fp), amount(point.fn)]
