"""Simple models of sequences: what words or ids a text has in any order, and statistics of the channels of a signal."""

import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.data.dataset import Split
from core.data.inputs import Fields
from core.data.sequences import Ragged
from core.session.baselines.fitting import (
    Fitted,
    NotFitting,
    ShouldStop,
    apart,
    drawn,
    of_each,
    of_rows,
    scores_of,
)
from core.session.baselines.samples import LearntSamples, held_sequences

__all__ = ["bag", "statistics"]

TERM = r"\w+|[^\w\s]"
ROWS_AT_ONCE = 1024
TINY = 1e-30
MAX_TERMS, MAX_WEIGHTS = 200_000, 20_000_000
"""Words and pairs of words that are told apart, and weights of them for all classes."""


def bag(samples: LearntSamples, should_stop: ShouldStop) -> Fitted:
    """Fit logistic or ridge regression on how often words, or ids, and pairs of them occur, weighed by TF-IDF.

    Words and their weights are those of train; numbers beside a text, standardised, are columns of their own.
    """
    from scipy import sparse
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression, Ridge

    answers = max(samples.classes, len(samples.names), 1)
    terms = TfidfVectorizer(
        token_pattern=TERM,
        ngram_range=(1, 2),
        sublinear_tf=True,
        max_features=max(1000, min(MAX_TERMS, MAX_WEIGHTS // answers)),
    )
    rows = drawn(len(samples.data.train), max(1, samples.data.longest))
    numbers = samples.kind == "numbers"

    def columns(split: Split, at: np.ndarray | None = None) -> Any:
        made = (terms.transform if hasattr(terms, "vocabulary_") else terms.fit_transform)(
            _texts(samples, split, at)
        )
        beside = _beside(samples, split, at)
        return made if beside is None else sparse.hstack([made, beside]).tocsr()

    train, weights = columns(samples.data.train, rows), of_rows(samples.weights, rows)

    def fit(targets: np.ndarray) -> Any:
        if should_stop():
            raise NotFitting("stopped")
        model: Any = Ridge(random_state=0) if numbers else LogisticRegression(C=10, max_iter=200)
        return model.fit(train, targets, sample_weight=weights)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        models = of_each(samples.targets("train")[rows], fit, samples.kind)
    name = "ridge regression" if numbers else "logistic regression"
    how = f"{name} on {len(terms.vocabulary_):,} {_terms_of(samples)} and pairs of them, by TF-IDF{apart(models)}"
    return Fitted(
        lambda split: scores_of(models, columns(samples.data.splits[split]), samples.classes), how, len(rows)
    )


def _terms_of(samples: LearntSamples) -> str:
    return "words" if samples.data.kind == "text" else "ids"


def _texts(samples: LearntSamples, split: Split, rows: np.ndarray | None) -> list[str]:
    """Return the texts of samples as the network gets them; ids are words of digits."""
    known, held = samples.data.vocabulary, held_sequences(split)
    assert known is not None
    places = range(len(split)) if rows is None else rows.tolist()
    if isinstance(held, Ragged):
        return [known.texts(held.one(at).numpy()) for at in places]
    return [known.texts(held[at].numpy()) for at in places]


def _beside(samples: LearntSamples, split: Split, rows: np.ndarray | None) -> np.ndarray | None:
    """Return the numbers beside texts, float64 (n, features); None where there are none."""
    if not samples.data.sample.features or not isinstance(split.inputs, Fields):
        return None
    field = samples.data.fields[1]
    values: Any = split.inputs.columns[field.name]
    taken = values[:] if rows is None else values[torch.from_numpy(rows)]
    return np.asarray(field.prepared(torch.as_tensor(taken)).numpy(), dtype=np.float64)


def statistics(samples: LearntSamples, should_stop: ShouldStop) -> Fitted:
    """Fit logistic or ridge regression on statistics of each channel over time; see `_of_channels`."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression, RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = np.arange(len(samples.data.train))
    numbers = samples.kind == "numbers"
    train, weights = _statistics(samples.data.train), samples.weights

    def fit(targets: np.ndarray) -> Any:
        if should_stop():
            raise NotFitting("stopped")
        model: Any = RidgeCV(np.logspace(-3, 4, 15)) if numbers else LogisticRegression(max_iter=200)
        name = type(model).__name__.lower()
        return make_pipeline(StandardScaler(), model).fit(
            train, targets, **{f"{name}__sample_weight": weights}
        )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        models = of_each(samples.targets("train"), fit, samples.kind)
    name = "ridge regression" if numbers else "logistic regression"
    how = f"{name} on {train.shape[1]:,} statistics of the channels{apart(models)}"
    return Fitted(
        lambda split: scores_of(models, _statistics(samples.data.splits[split]), samples.classes),
        how,
        len(rows),
    )


def _statistics(split: Split) -> np.ndarray:
    """Return the statistics of all samples of a split, float64 (n, channels x 6)."""
    held = held_sequences(split)
    if isinstance(held, Ragged):
        signals = (
            held.one(at).flatten(1) if held.step_shape else held.one(at)[:, None] for at in range(len(held))
        )
        return np.concatenate([_of_channels(signal.T[None]) for signal in signals])
    starts = range(0, len(split), ROWS_AT_ONCE)
    return np.concatenate([_of_channels(torch.as_tensor(held[at : at + ROWS_AT_ONCE])) for at in starts])


def _of_channels(signals: Tensor) -> np.ndarray:
    """Return mean, deviation, minimum, maximum, mean change from step to step, and how steps follow the one before.

    The last is the correlation with the signal shifted by a step; of a channel without any step all are 0.

    Args:
        signals: (n, channels, time).
    """
    values = signals.double()
    if not values.shape[2]:
        values = values.new_zeros(*values.shape[:2], 1)
    mean = values.mean(dim=2)
    centred = values - mean[:, :, None]
    power = centred.square().mean(dim=2)
    follows = (centred[:, :, 1:] * centred[:, :, :-1]).sum(dim=2) / (power * values.shape[2]).clamp(min=TINY)
    change = values.diff(dim=2).abs().sum(dim=2) / max(1, values.shape[2] - 1)
    found = [mean, power.sqrt(), values.amin(dim=2), values.amax(dim=2), change, follows]
    return np.asarray(torch.cat(found, dim=1).numpy())
