"""Finding one class of many by its name."""

from collections.abc import Callable

from tui.screens.evaluate.facts import label
from tui.screens.evaluate.tab import EvaluationTab
from tui.screens.search_dialog import SearchDialog, containing

__all__ = ["find_class"]


def find_class(tab: EvaluationTab, found: Callable[[int], None]) -> None:
    """Ask for a class of the evaluation that a tab shows, and hand over its number."""
    names = [label(name) for name in tab.subject.class_names] if tab.subject is not None else []
    if names:
        dialog = SearchDialog("Find a class", "part of its name", names, containing(names))
        tab.app.push_screen(dialog, lambda place: None if place is None else found(place))
