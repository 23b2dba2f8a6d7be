"""Dialog for choosing the target column, if none stands out."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList, Static

from tui.forms.targets import target_lines
from tui.screens.dialog import Dialog
from tui.terminal.text import clean

if TYPE_CHECKING:
    from core.data.tables.targets.choose import Candidate

__all__ = ["TargetDialog"]


class TargetDialog(Dialog[str]):
    """The columns of a table, most likely target first. Returns the name of the chosen one, or None after Escape.

    Args:
        name: of the file.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Cancel")]

    def __init__(self, name: str, candidates: "Sequence[Candidate]") -> None:
        super().__init__()
        self.file_name, self.candidates = name, candidates

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -target"):
            yield Static(
                clean(f"Which column of {self.file_name} should be predicted?"),
                classes="question",
                markup=False,
            )
            yield OptionList(*map(Text, target_lines(self.candidates)), compact=True)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Return the chosen column."""
        self.dismiss(self.candidates[event.option_index].name)
