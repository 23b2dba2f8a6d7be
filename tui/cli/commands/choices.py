"""`tui datasets`, `tui models` ...: the choices with all their fields, from the schema."""

import textwrap
from collections.abc import Callable

from core.config.schema import FAMILIES
from core.options import choices, default_of
from tui.cli.json_option import JsonOption
from tui.headless.documents.envelope import print_document

__all__ = ["LISTED", "datasets", "losses", "models", "optimizers", "schedules"]

LISTED = {
    "datasets": "data",
    "models": "model",
    "losses": "loss",
    "optimizers": "optimizer",
    "schedules": "schedule",
}


def _command(family: str) -> Callable[..., None]:
    """Return the command that lists one family."""

    def listing(as_json: JsonOption = False) -> None:
        found = choices(FAMILIES[LISTED[family]])
        if as_json:
            from tui.headless.documents.looking_up import choices_document

            print_document(choices_document(LISTED[family], found))
            return
        for name, option in found.items():
            print(f"{name:15} {(option.__doc__ or '').strip()}")
            for key, field in option.model_fields.items():
                if key != "name":
                    text = f"{key} = {default_of(field)!r}: {field.description}"
                    print(textwrap.fill(text, 110, initial_indent=" " * 16, subsequent_indent=" " * 18))

    listing.__doc__ = f"List the {family} with their fields and defaults.\n\n    Example: tui {family}"
    return listing


datasets = _command("datasets")
models = _command("models")
losses = _command("losses")
optimizers = _command("optimizers")
schedules = _command("schedules")
