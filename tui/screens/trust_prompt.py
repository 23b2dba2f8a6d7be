"""Confirmation before running a Python file that only a run's folder or a configuration names."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual.app import App

from core.errors import TorchtuiError
from tui.screens.dialogs import Ask

if TYPE_CHECKING:
    from core.config.schema import TrainConfig
    from core.runs.folder import Run

__all__ = ["with_consent"]


def with_consent(
    app: App[Any],
    config: "TrainConfig",
    then: Callable[[], object],
    *,
    run: "Run | None" = None,
    refused: Callable[[], object] = lambda: None,
) -> None:
    """Call `then` at once, or after the user has agreed to the code that it would run.

    Args:
        config: configuration that names the files.
        run: whose copies of them would run in their place.
        refused: called when the user does not agree.
    """
    from core.runs.code import unknown_code
    from core.user_code.trust import agree

    try:
        unknown = unknown_code(config, run)
    except TorchtuiError:  # an unreadable file does not run; `then` reports it
        unknown = []
    if not unknown:
        then()
        return

    def answered(answer: str | None) -> None:
        if answer == "run":
            agree(unknown)  # trust the content that was read: a file replaced meanwhile was not agreed to
            then()
        else:
            refused()

    files = ", ".join(map(str, unknown))
    question = (
        f"This runs code that you have neither named nor run before: {files}. It can do anything you can."
    )
    app.push_screen(Ask(question, {"run": "Run it", "no": "Do not run it"}), answered)
