"""Rows that are there more than once, on both sides of a split."""

from collections.abc import Mapping

import numpy as np
import polars as pl

__all__ = ["shared_rows"]


def shared_rows(frame: pl.DataFrame, parts: Mapping[str, np.ndarray]) -> dict[str, int]:
    """Return how many rows of validation and of test are also in train, values and target alike.

    Args:
        frame: all columns that are learnt from, and the target.
        parts: positions of each split.
    """
    if not len(frame) or not len(frame.columns):
        return {}
    hashes = frame.hash_rows(seed=0).to_numpy()
    known = hashes[parts["train"]]
    counts = {name: int(np.isin(hashes[at], known).sum()) for name, at in parts.items() if name != "train"}
    return {name: count for name, count in counts.items() if count}
