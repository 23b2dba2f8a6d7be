"""The question before a test split is opened for the first time; whatever shows test numbers asks it."""

from collections.abc import Callable, Sequence
from typing import Any

from textual.app import App

from core.runs.folder import Run
from core.runs.opening import is_test_open
from tui.screens.dialogs import Ask

__all__ = ["TEST_IS_FOR_THE_END", "open_test"]

TEST_IS_FOR_THE_END = (
    "Test data is meant for the end. If you choose a model or a setting by it, it is no longer unseen and its "
    "numbers are too optimistic."
)


def open_test(app: App[Any], runs: Sequence[Run], then: Callable[[], None]) -> None:
    """Call `then`, which shows the test split of some runs; before the first look at one of them, ask.

    Whoever shows it records it: see `core.runs.opening.record_test_opening`.
    """
    unopened = [run for run in runs if not is_test_open(run)]
    if not unopened:
        then()
        return
    of_these = "This run has" if len(runs) == 1 else f"{len(unopened)} of these {len(runs)} runs have"
    question = f"{TEST_IS_FOR_THE_END} {of_these} not been opened on it yet."
    ask = Ask(question, {"test": "Open test", "stay": "Not yet"})
    app.push_screen(ask, lambda answer: then() if answer == "test" else None)
