"""All kinds of samples. To add one, write its module and put it into the table."""

from core.data.kinds.base import Kind, KindName
from core.data.kinds.image import IMAGE
from core.data.kinds.other import OTHER
from core.data.kinds.signal import SIGNAL
from core.data.kinds.table import TABLE
from core.data.kinds.text import TEXT
from core.data.kinds.tokens import TOKENS

__all__ = ["KINDS", "Kind", "KindName", "kind_of"]

KINDS: dict[str, Kind] = {kind.name: kind for kind in (TABLE, IMAGE, SIGNAL, TOKENS, TEXT, OTHER)}


def kind_of(name: str) -> Kind:
    """Return the kind of this name, as `Dataset.kind` has it."""
    return KINDS[name]
