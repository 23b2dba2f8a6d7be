"""The vocabulary of texts: learned from training texts, kept as plain values."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from core.data.text.words import FIRST_ID, PADDING_ID, UNKNOWN_ID, text_ids, words_in
from core.errors import DataError

__all__ = ["Vocabulary", "learn"]

BYTES = 256
TokenUnit = Literal["word", "byte"]


@dataclass(frozen=True)
class Vocabulary:
    """Meaning of the ids of texts: 0 fills short texts, 1 is any unknown word, the others follow.

    Attributes:
        by: what gets an id, words or bytes.
        words: those of words, the most frequent ones first; empty for bytes.
        length: ids of a text; longer texts are cut, shorter ones filled.
    """

    by: TokenUnit
    words: tuple[str, ...]
    length: int

    @property
    def size(self) -> int:
        """Return the number of ids that a network looks up."""
        return FIRST_ID + (len(self.words) if self.by == "word" else BYTES)

    @property
    def padding(self) -> int:
        """Return the id that fills short texts."""
        return PADDING_ID

    @cached_property
    def _places(self) -> dict[str, int] | None:
        if self.by == "byte":
            return None
        return {word: place for place, word in enumerate(self.words, start=FIRST_ID)}

    def encode(self, texts: Iterable[str]) -> tuple[np.ndarray, int]:
        """Return the ids of texts, int32 (n, length), and how many texts were cut."""
        rows, cut = [], 0
        for text in texts:
            found = text_ids(text, self._places)
            cut += len(found) > self.length
            rows.append(np.array(found[: self.length], dtype=np.int32))
        ids = np.full((len(rows), self.length), PADDING_ID, dtype=np.int32)
        for row, known in zip(ids, rows, strict=True):
            row[: len(known)] = known
        return ids, cut

    def texts(self, ids: np.ndarray) -> str:
        """Return ids (length,) as a text, without what fills it."""
        kept = [one for one in ids.tolist() if one != PADDING_ID]
        if self.by == "byte":
            return bytes(one - FIRST_ID for one in kept if one >= FIRST_ID).decode("utf-8", "replace")
        return " ".join("?" if one == UNKNOWN_ID else self.words[one - FIRST_ID] for one in kept)

    def plain(self) -> dict[str, Any]:
        """Return plain values, fit for JSON, which `from_plain` reads back."""
        return {"by": self.by, "words": list(self.words), "length": self.length}

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> "Vocabulary":
        """Return what plain values describe.

        Raises:
            KeyError, TypeError, ValueError: they describe none.
        """
        return cls(values["by"], tuple(map(str, values["words"])), int(values["length"]))


def learn(
    train: Sequence[str], by: TokenUnit, *, min_count: int, max_words: int, max_length: int, notes: list[str]
) -> Vocabulary:
    """Return the vocabulary of training texts.

    Args:
        min_count: times that a word occurs at least.
        max_words: words at most, the most frequent ones.
        max_length: ids of a text at most.
        notes: takes a line on what was learned, and one where training texts are cut.

    Raises:
        DataError: no text holds a word.
    """
    if by == "byte":
        lengths = [max(1, len(text.encode("utf-8", "replace"))) for text in train]
        words: tuple[str, ...] = ()
        known = f"{BYTES} bytes"
    else:
        parted = [words_in(text) for text in train]
        lengths = [max(1, len(found)) for found in parted]
        counts = Counter(word for found in parted for word in found)
        if not counts:
            raise DataError("data.text: no training text holds a word", "Choose another column")
        frequent = sorted(
            (word for word, count in counts.items() if count >= min_count),
            key=lambda word: (-counts[word], word),
        )
        words = tuple(frequent[:max_words])
        lost = sum(counts.values()) - sum(counts[word] for word in words)
        known = (
            f"{len(words):,} of {len(counts):,} words of train, {100 * lost / counts.total():.1f} % of its text is "
            "unknown"
        )
    length = min(max_length, max(lengths, default=1))
    notes.append(f"texts: {known}; the longest has {max(lengths, default=1):,} {by}s")
    cut = sum(one > length for one in lengths)
    if cut:
        notes.append(
            f"texts: {cut:,} of {len(train):,} of train are cut to their first {length:,} {by}s; data.max_length"
            " sets it"
        )
    return Vocabulary(by, words, length)
