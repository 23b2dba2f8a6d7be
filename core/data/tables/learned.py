"""The inputs of a network from the rows of a table, as training rows teach: features, texts, or both."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from torch import Tensor

from core.data.tables import notes
from core.data.tables.columns import useful
from core.data.tables.encoding import Encoding, TrainRows, fit, rows_at
from core.data.tables.options import Csv
from core.data.tables.scaling import Limits
from core.data.tables.training_rows import Rows, dividing_columns, nothing_to_learn
from core.data.text.columns import beside, joined, reads_as_text
from core.data.text.vocabulary import Vocabulary, learn

if TYPE_CHECKING:
    from core.data.inputs import Fields

__all__ = ["Learned", "learn_inputs"]


@dataclass(frozen=True)
class Learned:
    """How rows become inputs.

    Attributes:
        texts: columns that are read word by word, and their `vocabulary`; None without such columns.
        clipped: limits of columns of numbers with heavy tails.
        notes: columns left out and why, and what was learned of texts; a line each.
    """

    encoding: Encoding
    texts: tuple[str, ...]
    vocabulary: Vocabulary | None
    clipped: dict[str, Limits]
    notes: tuple[str, ...]

    @property
    def numbers(self) -> int:
        """Return the numbers of one row in memory."""
        return len(self.encoding.features) + (self.vocabulary.length if self.vocabulary else 0)

    def inputs(self, frame: pl.DataFrame, rows: np.ndarray) -> "Tensor | Fields":
        """Return the inputs of the rows at some positions."""
        texts = joined(frame.select(self.texts)[rows], self.texts) if self.texts else []
        return beside(self.encoding.apply(frame, rows), self.vocabulary, texts)


def learn_inputs(options: Csv, rows: Rows, train: np.ndarray) -> Learned:
    """Return what training rows teach.

    Args:
        train: positions of them in the frame of `rows`.

    Raises:
        DataError: there is no column to learn from.
    """
    frame = TrainRows(rows.frame, train)
    unused = {*rows.target_names, *options.text, *dividing_columns(options, rows.frame.columns)} - {
        *options.keep
    }
    features = {name: how for name, how in rows.readings.items() if name not in unused}
    kept, left_out = useful(frame, features, options.max_categories)
    texts = options.text
    if not kept and not texts:
        texts = tuple(
            name for name, how in features.items() if how.kind == "text" and reads_as_text(frame[name])
        )
        left_out = [
            line for line in left_out if not line.startswith(tuple(f"left out {name}:" for name in texts))
        ]
    if not kept and not texts:
        reasons = [*left_out, *(note for note in rows.notes if note.startswith("left out"))]
        raise nothing_to_learn(rows.source, reasons)
    encoding, clipped = fit(
        frame, kept, options.missing, options.max_categories, scale_numbers=options.scaling != "none"
    )
    learned = Learned(
        encoding, texts, None, clipped, (notes.columns(encoding, rows.readings, texts), *left_out)
    )
    if not texts:
        return learned
    found: list[str] = []
    vocabulary = learn(
        joined(rows_at(rows.frame.select(texts), train), texts),
        options.token,
        min_count=options.min_count,
        max_words=options.max_words,
        max_length=options.max_length,
        notes=found,
    )
    return replace(learned, vocabulary=vocabulary, notes=(*learned.notes, *found))
