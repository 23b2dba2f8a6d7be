"""Options of data sets that hold texts."""

from typing import Annotated, Literal

from pydantic import Field

from core.data.options import DataOptions

__all__ = ["TokenOptions"]


class TokenOptions(DataOptions):
    """Base of data sets that may hold texts."""

    token: Literal["word", "byte"] = "word"
    """What a text is cut into, each with an embedding: words and signs in lower case, or the bytes of UTF-8."""
    min_count: Annotated[int, Field(ge=1)] = 2
    """Times that a word must occur in train to be known; all others count as one unknown word."""
    max_words: Annotated[int, Field(ge=1, le=10_000_000)] = 20_000
    """Known words, the most frequent ones of train."""
    max_length: Annotated[int, Field(ge=1, le=1_000_000)] = 256
    """Words or bytes of a text that are read; longer ones are cut."""
