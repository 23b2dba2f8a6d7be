"""Texts of a table beside its other columns, as a network gets them."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import torch
from torch import Tensor

from core.data.inputs import Fields, InputField
from core.data.text.vocabulary import Vocabulary

__all__ = ["FEATURES", "TEXT", "beside", "fields_beside", "joined", "reads_as_text"]

TEXT, FEATURES = "text", "features"
"""Names of the two inputs of a network that gets both."""
MIN_BLANKS = 2
"""Blanks that a text has on average, in a column that is read as one."""


def joined(frame: pl.DataFrame, names: Sequence[str]) -> list[str]:
    """Return the text of each row: that of its columns of texts, one below the other; a missing one is empty."""
    texts = [frame[name].cast(pl.String).fill_null("").to_list() for name in names]
    return ["\n".join(parts) for parts in zip(*texts, strict=True)]


def reads_as_text(values: pl.Series) -> bool:
    """Return whether the texts of a column are sentences, not names."""
    texts = values.drop_nulls()
    blanks = texts.str.count_matches(" ", literal=True).mean() if len(texts) else None
    return blanks is not None and float(blanks) >= MIN_BLANKS  # type: ignore[arg-type] # of counts


def beside(features: np.ndarray, vocabulary: Vocabulary | None, texts: Sequence[str]) -> Tensor | Fields:
    """Return features (n, features), ids of texts (n, length), or both as two inputs where there are both."""
    numbers = torch.from_numpy(features)
    if vocabulary is None:
        return numbers
    ids = torch.from_numpy(vocabulary.encode(texts)[0])
    return Fields({TEXT: ids, FEATURES: numbers}) if features.shape[1] else ids


def fields_beside(features: int, vocabulary: Vocabulary | None) -> tuple[InputField, ...]:
    """Return what the inputs of `beside` are; none where there is one."""
    if not features or vocabulary is None:
        return ()
    text = InputField(TEXT, (vocabulary.length,), torch.int32)
    return (text, InputField(FEATURES, (features,), torch.float32))
