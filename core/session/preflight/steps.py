"""Real steps of a copy: training on the first and the last batch, evaluation, and training again.

They follow each other as in a run, so that what a network keeps from one call meets the size and the mode of the next.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from core.data.batches import Batch
from core.data.dataset import Split
from core.errors import ModelError, TorchtuiError
from core.ranks import Ranks
from core.session.preflight.batches import training_batches
from core.session.preflight.finding import Finding, failed, warned
from core.session.preflight.outputs import outputs_in_evaluation
from core.session.preflight.places import place_of
from core.session.preflight.repeated import repeated_evaluation
from core.session.preflight.saved import saved_state
from core.session.preflight.surroundings import watched_settings
from core.session.preflight.trial import Trial
from core.session.preflight.values import first_values
from core.tasks.registry import task_of
from core.training.memory import is_shortage

if TYPE_CHECKING:
    from core.session.preparation import Prepared

__all__ = ["steps"]

SLOW = 1.0
"""Seconds that the evaluation of a large batch, or one more step, may take."""
Call = Callable[[Trial], TorchtuiError | None]


def steps(prepared: "Prepared", ranks: Ranks) -> Iterator[Finding]:
    """Yield what the steps show, until one fails."""
    try:
        trial = Trial(prepared)
        yield Finding("copy of the network", "note" if trial.not_copied else "ok", trial.not_copied)
        batches = training_batches(prepared.config, prepared.data, prepared.device, ranks)
        for number, (name, call) in enumerate(_calls(prepared, batches)):
            error = _called(prepared, trial, call)
            if error is not None:
                yield failed(name, (_kept_state(prepared, trial, call, error) if number else None) or error)
                return
            yield Finding(name)
            for finding in () if number else first_values(trial, batches[0]):
                yield finding
                if finding.error is not None:
                    return
        yield from outputs_in_evaluation(trial)
        repeated = repeated_evaluation(trial, batches[0])
        if repeated is not None:
            yield repeated
        yield saved_state(trial)
        yield _seeds(prepared, trial)
    except TorchtuiError as error:
        yield failed("copy of the network", error)
    except (MemoryError, RuntimeError) as error:
        if not is_shortage(error):
            raise
        yield Finding(
            "memory", "note", "the network was not tried out any further: memory is short for a copy"
        )


def _calls(prepared: "Prepared", batches: list[Batch]) -> Iterator[tuple[str, Call]]:
    """Yield the calls with their names, in the order of a run; fewer where each takes long."""
    first, last = batches[0], batches[-1]
    began = time.perf_counter()
    yield f"training step on {_samples(first.samples)}", lambda trial: trial.train(first)
    seconds = time.perf_counter() - began
    if last.samples != first.samples:
        yield f"training step on the last batch, {_samples(last.samples)}", lambda trial: trial.train(last)
    data = prepared.data
    at_once = task_of(data.task).rows_at_once(data.sample_shape)
    rows = at_once if seconds / first.samples * at_once < SLOW else min(first.samples, at_once)
    for split in _evaluated(data.validation, rows, at_once):
        yield f"evaluation of {_samples(len(split))}", partial(Trial.evaluate, split=split)
    if seconds < SLOW:
        yield "training step after evaluation", lambda trial: trial.train(first)


def _evaluated(split: Split, rows: int, at_once: int) -> Iterator[Split]:
    """Yield a batch of validation, and the last one if it has another size."""
    samples = len(split)
    if samples:
        yield split.rows(slice(0, min(rows, samples)))
    last = samples % at_once
    if samples > at_once and 0 < last <= rows:
        yield split.rows(slice(samples - last, samples))


def _samples(count: int) -> str:
    return f"{count:,} sample{'s' * (count != 1)}"


def _called(prepared: "Prepared", trial: Trial, call: Call) -> TorchtuiError | None:
    """Return what is wrong with a call: it fails, or changes what all networks share."""
    try:
        with watched_settings("forward", prepared.model, prepared.config):
            return call(trial)
    except ModelError as changed:
        return changed


def _kept_state(prepared: "Prepared", trial: Trial, call: Call, error: TorchtuiError) -> TorchtuiError | None:
    """Return the error of a network that fails because of what it has kept from the calls before; None for others."""
    kept = trial.kept()
    if not kept or _called(prepared, Trial(prepared), call) is not None:
        return None
    where = place_of(rf"{kept[0]}\b.*=", prepared.model, prepared.config)
    return ModelError(
        f"what the network keeps between batches, {', '.join(kept)}{where}, does not fit the next one: {error.message}",
        "Set it anew where its size, its mode or its graph does not fit, and keep it detached",
    )


def _seeds(prepared: "Prepared", trial: Trial) -> Finding:
    name = "random numbers are left alone"
    if not trial.seeds:
        return Finding(name)
    where = place_of("seed", prepared.model, prepared.config)
    return warned(
        name,
        f"forward sets the seed{where}: dropout and augmentation draw the same numbers in every step",
        "Leave the seed to the configuration",
    )
