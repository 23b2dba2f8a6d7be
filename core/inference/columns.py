"""The columns of the samples of an evaluation, as numbers or texts."""

from typing import TYPE_CHECKING

import numpy as np

from core.data.tables.values.reading import Reading, parse

if TYPE_CHECKING:
    import polars as pl

    from core.data.dataset import Dataset, Split
    from core.data.tables.table import Table

__all__ = ["columns_of"]


def columns_of(data: "Dataset", split: str, indices: np.ndarray) -> dict[str, np.ndarray]:
    """Return the columns of a table, each (n,): floats with NaN where one is missing, or texts; none of other samples.

    Args:
        indices: (n,) of the samples in their source, in the order wanted; all must be in the split.
    """
    if not data.feature_names:
        return {}
    if data.table is not None:
        return _of_file(data.table, data.table.rows(split, indices))
    samples: Split = data.splits[split]
    order = np.argsort(samples.indices, kind="stable")
    rows = order[np.searchsorted(samples.indices, indices, sorter=order)]
    values = np.asarray(data.in_unit(samples.inputs[rows]))
    return {name: values[:, place] for place, name in enumerate(data.feature_names)}


def _of_file(table: "Table", texts: "pl.DataFrame") -> dict[str, np.ndarray]:
    missing = set(table.encoding.missing)
    return {
        name: _column(texts[name].to_list(), how, missing) for name, how in table.encoding.readings.items()
    }


def _column(texts: list[str | None], how: Reading, missing: set[str]) -> np.ndarray:
    known = ["" if text is None or text.strip() in missing else text.strip() for text in texts]
    if how.kind == "text":
        return np.array(known, dtype=object).astype(str)
    numbers = {text: parse(text, how) if text else None for text in set(known)}
    return np.array([np.nan if (value := numbers[text]) is None else value for text in known])
