"""The option ``--json``: standard output holds results alone, whatever the user's code prints."""

from typing import Annotated, Any

import typer

from tui.runtime.streams import set_results_apart

__all__ = ["JsonOption", "json_option"]


def json_option(text: str) -> Any:
    """Return the option with a help text of its own."""
    return typer.Option("--json", help=text, callback=_set_apart)


def _set_apart(context: typer.Context, wanted: bool) -> bool:
    if wanted and not context.resilient_parsing:
        set_results_apart()
    return wanted


JsonOption = Annotated[bool, json_option("Print one JSON object.")]
