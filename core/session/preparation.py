"""Preparation of a run: load the data and build the model; every mistake is found here, before anything is written."""

import threading
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from core.config.checks import check_batches
from core.config.default_model import with_fitting_model
from core.config.schema import TrainConfig
from core.data.dataset import Dataset, Progress
from core.data.registry import load
from core.devices import resolve
from core.events import Notice
from core.losses.base import Scorer
from core.losses.own_loss import OwnLoss
from core.models.registry import rebuild
from core.models.summary import ModelSummary
from core.models.summary import summarise as summarise_model
from core.random_state import keeping_random_state
from core.ranks import ONE_RANK, Ranks
from core.runs.code import from_copies
from core.runs.data_facts import are_checked, as_padded, ensure_same_data
from core.runs.folder import Run
from core.session.fit import check_fit
from core.session.preflight.building import build_watched
from core.session.preflight.check import is_needed, passed
from core.session.preflight.surroundings import watched_settings
from core.tasks.losses import resolve_loss
from core.tasks.metrics import reported_metrics
from core.tasks.registry import task_of
from core.training.distributed import SINGLE, Group
from core.training.memory import device_with_room, explain_oom
from core.training.metrics.epoch_metrics import check_measurable
from core.training.metrics.own_metrics import OwnMetric, load_own_metrics
from core.training.own.check import OwnStep, check_own_step, with_own_task
from core.training.own_code import check_own_code
from core.training.sharding.arranging import check_arrangement
from core.training.threads import max_threads

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["DRAWING", "Prepared", "assemble", "prepare", "with_whole_network"]

Weights = Mapping[str, torch.Tensor]
DRAWING = threading.RLock()
"""Held while a run's weights are drawn and its network is tried: what else draws random numbers waits for it."""


@dataclass(frozen=True)
class Prepared:
    """Everything a run needs, checked. The ``auto`` loss of `config` is resolved.

    Attributes:
        threads: number of processor threads; with ``auto`` the largest one that may be chosen.
        own_metrics: those of ``training.metrics`` that are the user's own.
        own_step: facts of a network that defines its own step, to train it; None for any other.
        group: the processes that train together.
        notices: what was found when the network was tried; a new run logs it.
        unchecked: the splits are to be checked while the run trains; see `core.observers.later_checks`.
    """

    config: TrainConfig
    data: Dataset
    model: "Module"
    summary: ModelSummary
    device: torch.device
    threads: int
    own_metrics: tuple[OwnMetric, ...] = ()
    own_step: OwnStep | None = None
    group: Group = SINGLE
    notices: tuple[Notice, ...] = ()
    trained_scorer: Scorer | None = None
    unchecked: bool = False

    @property
    def scorer(self) -> Scorer:
        """Return what makes scores of outputs: by the loss, with the weights that it has of its own."""
        return self.trained_scorer or self.config.loss.scorer(self.data.target_facts)

    def with_scorer(self, run: Run, loss_weights: Weights) -> "Prepared":
        """Return this with the loss as a run was trained with it.

        Args:
            loss_weights: state_dict of the user's own loss; empty if it has none.

        Raises:
            RuntimeError: they are those of another loss.
        """
        with keeping_random_state(self.device):
            scorer = from_copies(self.config, run).loss.scorer(self.data.target_facts)
        if isinstance(scorer, OwnLoss):
            scorer.load_state_dict(loss_weights)
            scorer.to(self.device).eval()
        return replace(self, trained_scorer=scorer)

    @property
    def reported(self) -> list[str]:
        """Names of what validation reports after each epoch beside loss and score."""
        if not len(self.data.validation):
            return []
        if self.own_step is not None:
            return [name for name in self.own_step.names if name != "loss"]
        settings = self.config.training
        return reported_metrics(settings.metrics, settings.monitor, self.data.task)

    @property
    def directions(self) -> dict[str, bool]:
        """Direction of each number of the user's own that tells it, by name; true where more is better."""
        if self.own_step is not None:
            return self.own_step.higher_is_better
        return {metric.name: metric.higher_is_better for metric in self.own_metrics}


def prepare(
    config: TrainConfig,
    data_root: Path | None,
    progress: Progress,
    weights: Weights | None = None,
    spare_cores: int = 0,
    run: Run | None = None,
    ranks: Ranks = ONE_RANK,
) -> Prepared:
    """Load the data, build the model, and try a new run on a few batches; writes nothing but downloads.

    Args:
        weights: of the model, to evaluate it; by default they are drawn from the seed, to train it.
        spare_cores: cores that ``threads: auto`` leaves free, such as for screens.
        run: an existing one, whose copies of user files are used, and whose data must not have changed.
        ranks: the place of this process among those that train together.

    Raises:
        TorchtuiError: device, data, model, loss or monitored number do not exist or do not fit together, or the first
            steps would fail.
        RuntimeError: the weights are those of another model.
    """
    resolve(config.training.device)  # raises before a download starts
    with explain_oom(config):
        if weights is None:
            config.model.fetch(progress)
        is_first = weights is None and not ranks.rank
        is_known = config.data.KNOWN
        examine = is_first and run is None and not is_known
        data = load(from_copies(config, run).data, data_root, progress, examine=examine)
        unchecked = is_first and is_known and (run is None or not are_checked(run))
    with DRAWING, explain_oom(config):
        prepared = replace(assemble(config, data, weights, spare_cores, run), unchecked=unchecked)
        if weights is None:
            own = from_copies(prepared.config, run)
            found = check_arrangement(own, prepared.data, prepared.model, prepared.device, ranks)
            prepared = replace(prepared, notices=(*prepared.notices, *found))
        if run is not None or weights is not None or not is_needed(prepared, ranks):
            return prepared
        progress("trying the network", 0, 0)
        return replace(prepared, notices=(*prepared.notices, *passed(prepared, ranks)))


def assemble(
    config: TrainConfig,
    data: Dataset,
    weights: Weights | None = None,
    spare_cores: int = 0,
    run: Run | None = None,
) -> Prepared:
    """Build the model for data that is loaded already; writes nothing. See `prepare`.

    Raises:
        TorchtuiError: device, model or loss do not exist or do not fit the data.
        RuntimeError: the weights are those of another model.
    """
    device = resolve(config.training.device)
    training = config.training.with_min_steps(len(data.train))
    config, chosen = with_fitting_model(config.model_copy(update={"training": training}), data)
    if chosen:
        data = replace(data, notes=(*data.notes, chosen))
    if run is not None:
        ensure_same_data(run, data)
        data = as_padded(run, data)
    own = from_copies(config, run)
    outputs = own.loss.outputs(data.outputs)
    notices: tuple[Notice, ...] = ()
    if weights is not None:
        model = rebuild(own.model, data, weights, outputs)
    else:
        model, notices = build_watched(own, data, outputs)
        data = replace(
            data,
            notes=(*data.notes, *own.model.initialise(model, data)),
            warnings=(*data.warnings, *_weighted_twice(config)),
        )
    config.optimizer.freeze(model, more=own.loss.name == "python")
    data = own.model.fitted(model, data)
    data = with_own_task(data, model)
    if weights is None:  # evaluations compute in fp32, on any device
        check_fit(own, data)
        check_batches(config, len(data.train))
    config = config.model_copy(update={"loss": resolve_loss(config.loss, data.task)})
    own_metrics = load_own_metrics(own.training)
    if weights is None:
        with keeping_random_state(device):
            check_measurable(from_copies(config, run), data, own_metrics)
    own_step = (
        check_own_step(config, data, model) if weights is None and task_of(data.task).own_step else None
    )
    if own_step is not None:
        data = replace(data, notes=(*data.notes, *own_step.notes))
    watched = watched_settings("forward", model, own) if weights is None else nullcontext()
    with watched:
        sample = data.sample
        summary = summarise_model(
            model, sample.shape, outputs, ids=data.ids, fields=sample.fields, places=sample.places
        )
    if weights is None:
        check_own_code(from_copies(config, run), data, model, device)
    multiply_adds = summary.multiply_adds * config.training.batch_size
    threads = max_threads(config.training.threads, multiply_adds, spare_cores)
    return Prepared(config, data, model, summary, device, threads, own_metrics, own_step, notices=notices)


def _weighted_twice(config: TrainConfig) -> tuple[str, ...]:
    """Return a note where both the samples and the loss are balanced, which makes rare classes count too much."""
    weights = getattr(config.loss, "class_weights", "none")
    if config.training.sampling != "balanced" or weights == "none":
        return ()
    return (
        "classes are balanced twice, by training.sampling and by loss.class_weights, so that rare ones count more than "
        "common ones: set one of them to its default",
    )


def with_whole_network(prepared: Prepared, run: Run, weights: Weights) -> Prepared:
    """Return this with a network of its own in place of one whose weights are divided among processes.

    It is on the processor where the device has no room for it.
    """
    own, data = from_copies(prepared.config, run), prepared.data
    model = rebuild(own.model, data, weights, own.loss.outputs(data.outputs))
    device = device_with_room(model, prepared.device)
    return replace(prepared, model=model.to(device), device=device)
