"""How a text becomes ids. Exported models carry this module: it imports the standard library alone."""

import re
import unicodedata
from collections.abc import Mapping

__all__ = ["FIRST_ID", "PADDING_ID", "UNKNOWN_ID", "byte_ids", "text_ids", "words_in"]

PADDING_ID, UNKNOWN_ID, FIRST_ID = 0, 1, 2
"""What fills short texts, what stands for words that train does not know, and the first id of the vocabulary."""
ALONE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Characters of scripts without blanks between words: each is a word."""
WORD_OR_SIGN = re.compile(rf"[{ALONE}]|[^\W{ALONE}]+|[^\w\s]")


def words_in(text: str) -> list[str]:
    """Return the words and signs of a text in lower case."""
    return WORD_OR_SIGN.findall(unicodedata.normalize("NFC", text).lower())


def byte_ids(text: str) -> list[int]:
    """Return an id for each byte of a text in UTF-8."""
    return [FIRST_ID + byte for byte in text.encode("utf-8", "replace")]


def text_ids(text: str, places: Mapping[str, int] | None) -> list[int]:
    """Return the ids of a text, at least one.

    Args:
        places: the id of each word that train knows; None to take bytes.
    """
    if places is None:
        return byte_ids(text) or [UNKNOWN_ID]
    return [places.get(word, UNKNOWN_ID) for word in words_in(text)] or [UNKNOWN_ID]
