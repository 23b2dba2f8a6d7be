"""Which fields a form shows first: those that most runs are described by."""

from collections.abc import Mapping

from core.user_code.arguments import ARGUMENTS
from tui.forms.form_fields import FieldSpec

__all__ = ["is_shown"]

BASIC: Mapping[str, frozenset[str]] = {
    "data": frozenset(
        {"target", "targets", "inputs", "task", "validation", "test", "scaling", "augment", "size"}
    ),
    "optimizer": frozenset({"lr", "weight_decay", "momentum"}),
    "training": frozenset(
        {"epochs", "batch_size", "device", "seed", "patience", "metrics", "monitor", "max_minutes"}
    ),
    "checkpoints": frozenset(),
}
"""Of a section that is not named here, all fields are basic."""
ALWAYS = frozenset({"name", ARGUMENTS})


def is_shown(spec: FieldSpec, text: str) -> bool:
    """Return whether a form of basic fields shows this one: it is basic, names a file or code, or was changed."""
    section, _, key = spec.path.partition(".")
    basic = BASIC.get(section)
    return (
        basic is None
        or key.partition(".")[0] in basic | ALWAYS
        or bool(spec.files or spec.code)
        or text != spec.default
    )
