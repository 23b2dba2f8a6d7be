"""Vocabularies from the plain values that a run keeps."""

from collections.abc import Mapping
from typing import Any

from core.data.text.token_ids import TokenIds
from core.data.text.vocabulary import Vocabulary

__all__ = ["vocabulary_from_plain"]


def vocabulary_from_plain(values: Mapping[str, Any] | None) -> TokenIds | Vocabulary | None:
    """Return what `plain` of a vocabulary gave, or None for None.

    Raises:
        KeyError, TypeError, ValueError: these are no such values.
    """
    if values is None:
        return None
    return TokenIds.from_plain(values) if values["by"] == "ids" else Vocabulary.from_plain(values)
