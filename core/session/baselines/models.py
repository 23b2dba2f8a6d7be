"""The simple models. Each learns from the training samples and returns a predictor, or says why it does not."""

import math
import time
import warnings
from typing import Any

import numpy as np

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
from core.session.baselines.samples import LearntSamples
from core.tasks.registry import task_of

__all__ = ["boosting", "constant", "linear", "neighbours"]

MAX_TREES, ROUNDS, ROUNDS_AT_ONCE = 4000, 100, 10
MAX_CATEGORIES = 254
"""Of a column; scikit-learn's boosting takes no more, and gets a number in its place."""
MAX_SECONDS = 30.0
"""After which no more rounds of boosting start, on machines where they are slow."""
NEIGHBOURS, MAX_NEIGHBOUR_ROWS = 5, 20_000
MAX_PRODUCTS = 20_000_000_000
"""Multiplications that the distances between samples may take."""
BLOCK = 512


def constant(samples: LearntSamples, should_stop: ShouldStop) -> Fitted:
    """Always predict what is most frequent in train, or its mean.

    Classes and labels have their frequencies for scores; see `core.tasks.base.Task.constant`.
    """
    targets, task = samples.targets("train"), task_of(samples.data.task)
    answer, how = task.constant(targets, samples.weights, samples.names, samples.shares("train"))
    return Fitted(
        lambda split: np.repeat(answer[None], len(samples.data.splits[split]), 0), how, len(targets)
    )


def boosting(samples: LearntSamples, should_stop: ShouldStop) -> Fitted:
    """Fit scikit-learn's histogram gradient boosting with its defaults, without early stopping."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # scikit-learn depends on it

    outputs = samples.classes if samples.classes > 2 else max(1, len(samples.names) * (not samples.classes))
    if outputs > MAX_TREES // ROUNDS_AT_ONCE:
        raise NotFitting(f"{outputs:,} classes or targets would take too long")
    rounds = min(ROUNDS, MAX_TREES // outputs // ROUNDS_AT_ONCE * ROUNDS_AT_ONCE)
    columns = samples.plain()
    texts = columns.texts if columns else (0,) * samples.encoded("train", np.arange(1)).shape[1]
    rows = drawn(len(samples.data.train), len(texts))
    is_category = np.array([0 < count <= MAX_CATEGORIES for count in texts])
    kind = HistGradientBoostingRegressor if samples.kind == "numbers" else HistGradientBoostingClassifier
    train = columns.rows("train", rows) if columns else samples.encoded("train", rows)
    weights = of_rows(samples.weights, rows)
    began, done = time.monotonic(), []

    def fit(targets: np.ndarray) -> Any:
        model = kind(
            max_iter=0,
            early_stopping=False,
            warm_start=True,
            random_state=0,
            categorical_features=is_category if is_category.any() else None,
        )
        while model.max_iter < rounds and time.monotonic() - began < MAX_SECONDS:
            if should_stop():
                raise NotFitting("stopped")
            model.max_iter += ROUNDS_AT_ONCE
            model.fit(train, targets, sample_weight=weights)
        if not model.max_iter:
            raise NotFitting("it would take too long")
        done.append(model.max_iter)
        return model

    # Its threads wait for each other several times a tree: on a busy machine that takes a hundred times as long.
    with threadpool_limits(1, user_api="openmp"):
        models = of_each(samples.targets("train")[rows], fit, samples.kind)
    how = f"{min(done, default=0)} rounds of scikit-learn's histogram gradient boosting{apart(models)}"

    def predict(split: str) -> np.ndarray:
        blocks = columns.blocks(split) if columns else samples.blocks(split)
        return np.concatenate([scores_of(models, block, samples.classes) for block in blocks])

    return Fitted(predict, how, len(rows))


def linear(samples: LearntSamples, should_stop: ShouldStop) -> Fitted:
    """Fit logistic regression, or ridge regression whose penalty leave-one-out chooses, on the encoded columns."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression, RidgeCV

    features = samples.encoded("train", np.arange(1)).shape[1]
    rows = drawn(len(samples.data.train), features * max(1, samples.classes // 10))
    train, weights = samples.encoded("train", rows), of_rows(samples.weights, rows)
    numbers = samples.kind == "numbers"

    def fit(targets: np.ndarray) -> Any:
        model: Any = RidgeCV(np.logspace(-3, 4, 15)) if numbers else LogisticRegression(max_iter=200)
        return model.fit(train, targets, sample_weight=weights)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        models = of_each(samples.targets("train")[rows], fit, samples.kind)
    penalties = ", ".join(f"{model.alpha_:g}" for model in models if numbers)
    how = f"ridge regression, penalty {penalties}" if numbers else "logistic regression"

    def predict(split: str) -> np.ndarray:
        return np.concatenate([scores_of(models, block, samples.classes) for block in samples.blocks(split)])

    return Fitted(predict, how + apart(models), len(rows))


def neighbours(samples: LearntSamples, should_stop: ShouldStop) -> Fitted:
    """Predict the mean answer of the nearest training samples, by the distance of standardised inputs."""
    known, width = len(samples.data.train), math.prod(samples.data.sample_shape)
    asked = sum(len(samples.data.splits[split]) for split in samples.splits)
    if known > MAX_NEIGHBOUR_ROWS:
        raise NotFitting(f"more than {MAX_NEIGHBOUR_ROWS:,} training samples")
    if known * width * asked > MAX_PRODUCTS:
        raise NotFitting(f"{asked:,} samples of {width:,} numbers would take too long")
    order = np.random.default_rng(0).permutation(
        known
    )  # of equally near ones no part of the file comes first
    targets = samples.targets("train")[order]
    shares = samples.shares("train")
    answers = np.eye(samples.classes)[targets] if samples.classes else targets
    answers = answers if shares is None else shares[order]
    nearest = min(NEIGHBOURS, known)

    def predict(split: str) -> np.ndarray:
        found = [_nearest(samples, block, order, nearest) for block in samples.blocks(split)]
        return np.asarray(answers[np.concatenate(found)].mean(axis=1))

    unweighted = ", without weights" if samples.weights is not None else ""
    return Fitted(predict, f"mean of the {nearest} nearest training samples{unweighted}", known)


def _nearest(samples: LearntSamples, asked: np.ndarray, order: np.ndarray, count: int) -> np.ndarray:
    """Return which training samples are nearest to each of some, int64 (n, count), by their place in an order.

    Training samples are encoded some at a time, and the nearest ones so far are kept.
    """
    import torch

    parts = torch.from_numpy(asked).split(BLOCK)
    kept = [(torch.empty(len(part), 0), torch.empty(len(part), 0, dtype=torch.int64)) for part in parts]
    first = 0
    for rows in np.array_split(order, -(-len(order) // samples.rows_at_once)):
        some = torch.from_numpy(samples.encoded("train", rows))
        for at, (part, (distances, places)) in enumerate(zip(parts, kept, strict=True)):
            near = torch.cdist(part, some).topk(min(count, len(some)), largest=False)
            distances = torch.cat([distances, near.values], dim=1)
            places = torch.cat([places, near.indices + first], dim=1)
            nearest = distances.topk(min(count, distances.shape[1]), largest=False)
            kept[at] = nearest.values, places.gather(1, nearest.indices)
        first += len(rows)
    return torch.cat([places for _, places in kept]).numpy()
