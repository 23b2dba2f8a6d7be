"""Simple models of inputs that are not one row of numbers: texts, ids and signals, and several inputs of a sample.

Each is a linear model of numbers that are counted or measured on a sample: how often words or ids occur, statistics of
the channels of a signal, all numbers of all inputs.
"""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.data.inputs import Fields, InputField
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

__all__ = ["MAX_COLUMNS", "all_inputs", "bag", "statistics"]

TERM = r"\w+|[^\w\s]"
TINY = 1e-30
MAX_TERMS, MAX_WEIGHTS = 200_000, 20_000_000
"""Words and pairs of words that are told apart, and weights of them for all classes."""
MAX_COLUMNS = 20_000
"""Numbers of a sample, of more of which simple models would take long to read and to learn."""


def bag(samples: LearntSamples, should_stop: ShouldStop) -> Fitted:
    """Fit logistic or ridge regression on how often words, or ids, and pairs of them occur, weighed by TF-IDF.

    Words and their weights are those of train; numbers beside a text, standardised, are columns of their own.
    """
    from scipy import sparse
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

    def columns(inputs: Any) -> Any:
        made = (terms.transform if hasattr(terms, "vocabulary_") else terms.fit_transform)(
            _texts(samples, inputs)
        )
        beside = _beside(samples, inputs)
        return made if beside is None else sparse.hstack([made, beside]).tocsr()

    models = _fitted(
        samples,
        rows,
        columns(samples.data.train.inputs[rows]),
        lambda: Ridge(random_state=0) if numbers else LogisticRegression(C=10, max_iter=200),
        should_stop,
    )
    how = f"{_regression(samples)} on {len(terms.vocabulary_):,} {_terms_of(samples)} and pairs of them, by TF-IDF"
    return Fitted(partial(_scores, samples, models, columns), how + apart(models), len(rows))


def _terms_of(samples: LearntSamples) -> str:
    return "words" if samples.data.kind == "text" else "ids"


def _texts(samples: LearntSamples, inputs: Any) -> list[str]:
    """Return the texts of samples as the network gets them; ids are words of digits."""
    known, held = samples.data.vocabulary, held_sequences(inputs)
    assert known is not None
    if isinstance(held, Ragged):
        return [known.texts(held.one(at).numpy()) for at in range(len(held))]
    return [known.texts(ids.numpy()) for ids in torch.as_tensor(held[:])]


def _beside(samples: LearntSamples, inputs: Any) -> np.ndarray | None:
    """Return the numbers beside texts, float64 (n, features); None where there are none."""
    if not samples.data.sample.features or not isinstance(inputs, Fields):
        return None
    field = samples.data.fields[1]
    values: Any = inputs.columns[field.name]
    return np.asarray(field.prepared(torch.as_tensor(values[:])).numpy(), dtype=np.float64)


def statistics(samples: LearntSamples, should_stop: ShouldStop) -> Fitted:
    """Fit logistic or ridge regression on statistics of each channel over time; see `_of_channels`."""
    return _on_numbers(samples, should_stop, _of_signals, "statistics of the channels")


def all_inputs(samples: LearntSamples, should_stop: ShouldStop) -> Fitted:
    """Fit logistic or ridge regression on the numbers of all inputs, of sequences on statistics over their steps."""
    columns = sum(_width(field) for field in samples.data.fields)
    if columns > MAX_COLUMNS:
        raise NotFitting(f"a sample has {columns:,} numbers")
    return _on_numbers(
        samples, should_stop, partial(_of_fields, samples.data.fields), "numbers of all inputs"
    )


def _on_numbers(
    samples: LearntSamples, should_stop: ShouldStop, measured: Callable[[Any], np.ndarray], what: str
) -> Fitted:
    """Fit logistic or ridge regression on numbers that are measured on each sample, float64 (n, columns)."""
    from sklearn.linear_model import LogisticRegression, RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train = np.concatenate([measured(block) for block in samples.raw_blocks("train")])
    rows = drawn(*train.shape)

    def model() -> Any:
        ridge = samples.kind == "numbers"
        return RidgeCV(np.logspace(-3, 4, 15)) if ridge else LogisticRegression(max_iter=200)

    models = _fitted(
        samples, rows, train[rows], lambda: make_pipeline(StandardScaler(), model()), should_stop
    )
    how = f"{_regression(samples)} on {train.shape[1]:,} {what}{apart(models)}"
    return Fitted(partial(_scores, samples, models, measured), how, len(rows))


def _regression(samples: LearntSamples) -> str:
    return "ridge regression" if samples.kind == "numbers" else "logistic regression"


def _fitted(
    samples: LearntSamples,
    rows: np.ndarray,
    train: Any,
    model: Callable[[], Any],
    should_stop: ShouldStop,
) -> list[Any]:
    """Fit a linear model to each target of some training samples.

    Args:
        train: (rows, columns), an array or a sparse matrix.
    """
    from sklearn.exceptions import ConvergenceWarning

    weights = of_rows(samples.weights, rows)

    def fit(targets: np.ndarray) -> Any:
        if should_stop():
            raise NotFitting("stopped")
        made = model()
        *_, last = getattr(made, "named_steps", [""])
        return made.fit(train, targets, **{f"{last}__sample_weight" if last else "sample_weight": weights})

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return of_each(samples.targets("train")[rows], fit, samples.kind)


def _scores(
    samples: LearntSamples, models: list[Any], measured: Callable[[Any], Any], split: str
) -> np.ndarray:
    """Return scores, or numbers, of all samples of a split, some at a time."""
    blocks = samples.raw_blocks(split)
    return np.concatenate([scores_of(models, measured(block), samples.classes) for block in blocks])


def _of_fields(fields: tuple[InputField, ...], inputs: Fields) -> np.ndarray:
    """Return the numbers of all inputs, float64 (n, columns), standardised as the network gets them."""
    columns = [_of_field(field, inputs.columns[field.name]) for field in fields]
    return np.concatenate(columns, axis=1)


def _of_field(field: InputField, held: Any) -> np.ndarray:
    if isinstance(held, Ragged):
        return _of_signals(held)
    values = field.prepared(torch.as_tensor(held[:])).flatten(1)
    real = torch.view_as_real(values).flatten(1) if values.is_complex() else values
    return np.asarray(real.double().numpy())


def _width(field: InputField) -> int:
    """Return how many numbers `_of_field` makes of an input."""
    if field.is_sequence:
        return STATISTICS * int(np.prod(field.shape[1:]))
    return int(np.prod(field.shape)) * (2 if field.dtype.is_complex else 1)


def _of_signals(inputs: Any) -> np.ndarray:
    """Return the statistics of signals, float64 (n, channels x `STATISTICS`)."""
    held = held_sequences(inputs)
    if isinstance(held, Ragged):
        signals = (
            held.one(at).flatten(1) if held.step_shape else held.one(at)[:, None] for at in range(len(held))
        )
        return np.concatenate([_of_channels(signal.T[None]) for signal in signals])
    return _of_channels(torch.as_tensor(held[:]))


STATISTICS = 6


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
