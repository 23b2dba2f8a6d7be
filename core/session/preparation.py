"""From a configuration to data and network, checked: every mistake is found here, before anything is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from core.config.checks import ensure_fits
from core.config.schema import TrainConfig
from core.data.augment.check import check_augment
from core.data.dataset import Dataset, Progress
from core.data.registry import load
from core.data.sampling import check_sampling
from core.devices import ensure_precision, resolve
from core.losses import resolve_loss
from core.metrics import check_monitor
from core.models.registry import build, rebuild
from core.models.summary import ModelSummary
from core.models.summary import summarise as summarise_model
from core.runs.code import from_copies
from core.runs.data_facts import ensure_same_data
from core.runs.folder import Run
from core.training.distributed import SINGLE, Group
from core.training.forward_pass import check_forward
from core.training.memory import explain_oom
from core.training.step import GradientFn
from core.training.threads import max_threads

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["Prepared", "assemble", "prepare"]

Weights = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Prepared:
    """Everything a run needs, checked. `config` has its ``auto`` loss made definite.

    Attributes:
        threads: processor threads; with ``auto`` the most that may be taken.
        group: the processes that train together.
        gradient_fn: optional override for the gradient computation; None uses autograd.
    """

    config: TrainConfig
    data: Dataset
    model: "Module"
    summary: ModelSummary
    device: torch.device
    threads: int
    group: Group = SINGLE
    gradient_fn: GradientFn | None = None


def prepare(
    config: TrainConfig,
    data_root: Path | None,
    progress: Progress,
    weights: Weights | None = None,
    spare_cores: int = 0,
    run: Run | None = None,
) -> Prepared:
    """Load the data and build the model; writes nothing but downloads.

    Args:
        weights: of the model, to evaluate it; by default they are drawn from the seed, to train it.
        spare_cores: cores that ``threads: auto`` leaves to others, such as to screens.
        run: an existing one, whose copies of the user's own files are used, and whose data must not have changed.

    Raises:
        TorchtuiError: device, data, model, loss or monitored number are not there or do not fit together.
        RuntimeError: the weights are those of another model.
    """
    resolve(config.training.device)  # a mistake there is told before a download begins
    with explain_oom(config):
        if weights is None:
            config.model.fetch(progress)
        data = load(from_copies(config, run).data, data_root, progress)
        return assemble(config, data, weights, spare_cores, run)


def assemble(
    config: TrainConfig,
    data: Dataset,
    weights: Weights | None = None,
    spare_cores: int = 0,
    run: Run | None = None,
) -> Prepared:
    """Build the model for data that is loaded already; writes nothing. See `prepare`.

    Raises:
        TorchtuiError: device, model or loss are not there or do not fit the data.
        RuntimeError: the weights are those of another model.
    """
    device = resolve(config.training.device)
    if run is not None:
        ensure_same_data(run, data)
    ensure_fits(config)
    config = config.model_copy(update={"loss": resolve_loss(config.loss, data.task)})
    check_augment(config.data, config.loss, data.kind, data.task)
    check_sampling(config.training, data.task)
    check_monitor(config.training.monitor, data.task)
    if weights is None:  # evaluations compute in fp32, on any device
        ensure_precision(config.training.precision, device)
        check_forward(config.training, data.sample_shape)
    network = from_copies(config, run).model
    model = (
        rebuild(network, data, weights) if weights is not None else build(network, data, config.training.seed)
    )
    summary = summarise_model(model, data.sample_shape, data.outputs)
    multiply_adds = summary.multiply_adds * config.training.batch_size
    threads = max_threads(config.training.threads, multiply_adds, spare_cores)
    return Prepared(config, data, model, summary, device, threads)
