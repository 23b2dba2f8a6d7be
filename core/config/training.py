"""Length, steps and device of a training, once for every place that names them."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from core.metrics import METRICS, name_of_metric, nearest_metric
from core.options import Code, Options, Unit

__all__ = ["METRIC_ARGUMENTS", "Training"]

METRIC_ARGUMENTS = "metric_arguments"
"""The field of the training section with the arguments of several metrics, each by name."""


def _listed(given: Any) -> Any:
    """A text as a list of what it separates by commas."""
    return [part.strip() for part in given.split(",") if part.strip()] if isinstance(given, str) else given


def _known(metrics: tuple[str, ...]) -> tuple[str, ...]:
    """Check that each is a metric, and that no two are reported under one name."""
    for metric in metrics:
        is_code = re.match(Code.PATTERN, metric)
        if not is_code and metric not in METRICS:
            raise ValueError(f"no such metric '{metric}'; {nearest_metric(metric, METRICS)}")
        name = name_of_metric(metric)
        if is_code and name in METRICS:
            raise ValueError(f"{metric} has the name of a built-in metric; Rename it")
        if [name_of_metric(other) for other in metrics].count(name) > 1:
            raise ValueError(f"'{name}' is there twice; Give each metric once, and own ones different names")
    return metrics


MetricNames = Annotated[tuple[str, ...], BeforeValidator(_listed), AfterValidator(_known), Code()]
"""Names of metrics, and references to the user's own, all reported under different names."""


class Training(Options):
    """Length, steps and device of a training."""

    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 20
    """Passes over the training data."""
    min_steps: Annotated[int, Field(ge=0, le=1_000_000_000), Unit("steps")] = 0
    """Fewest steps: where epochs have too few, on small data, there are more of them; 0 keeps the epochs."""
    batch_size: Annotated[int, Field(ge=1, le=1_000_000), Unit("samples")] = 64
    """Samples per batch."""
    drop_last: bool = False
    """Leave out the last batch of an epoch if it has fewer samples than the others."""
    device: Annotated[str, Field(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")] = "auto"
    """Where to compute: auto, cpu, cuda, cuda:0, cuda:1 ..., or mps; auto and cuda take a free GPU."""
    threads: Literal["auto"] | Annotated[int, Field(ge=1, le=1024)] = "auto"
    """CPU threads per operation; auto times a few steps at several counts and takes the fastest."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    """Seed of the weights and of the batch order; same seed and threads, same weights."""
    sampling: Literal["shuffled", "balanced"] = "shuffled"
    """How an epoch samples: shuffled takes each sample once, balanced draws equally many of each class."""
    patience: Annotated[int, Field(ge=0), Unit("epochs")] = 0
    """Epochs without improvement in the monitored metric before the run stops early; 0 disables early stopping."""
    min_delta: Annotated[float, Field(ge=0)] = 0.0
    """Smallest change in the monitored metric that patience counts as an improvement."""
    metrics: MetricNames = ()
    """Validation metrics to report each epoch beside loss and accuracy or R2: f1_macro, roc_auc, mae, FILE.py:NAME."""
    metric_arguments: dict[str, dict[str, Any]] = {}
    """Arguments of your own metrics by the name of each, such as {Fbeta: {beta: 2}}."""
    monitor: Annotated[str, Field(pattern=r"^[A-Za-z_][\w./@-]*$")] = "loss"
    """Validation metric that selects the best epoch and that patience watches: loss, accuracy, r2, or another one."""
    clip_norm: Annotated[float, Field(ge=0)] = 0.0
    """Largest gradient norm over all weights; larger gradients are scaled down to it. 0 disables clipping."""
    accumulate: Annotated[int, Field(ge=1, le=10_000), Unit("batches")] = 1
    """Batches whose gradients are accumulated per step: 4 batches of 16 equal one of 64, in less memory."""
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Decay of the exponential moving average of the weights, which is validated, saved and evaluated; 0: off."""
    max_minutes: Annotated[float, Field(ge=0), Unit("minutes")] = 0.0
    """Time limit for training, over all sessions of the run; then it stops early. 0 is no limit."""
    precision: Literal["fp32", "tf32", "bf16", "fp16"] = "fp32"
    """Numbers to compute in: tf32 on NVIDIA's tensor cores, bf16 and fp16 by autocast, fp16 with a scaled loss."""
    channels_last: bool = False
    """Store images channels-last in memory, which convolutions on GPUs prefer."""
    compile: bool = False
    """Compile the network with torch.compile: a slow start, then faster steps."""
    shard: Literal["none", "fsdp"] = "none"
    """Divide weights, gradients and optimizer state among the processes of a run: fsdp gathers a block at a time."""
    activation_checkpointing: bool = False
    """Compute the activations of each block again when gradients are due: less memory, the same weights, slower."""
    cuda_graphs: Literal["auto", "on", "off"] = "auto"
    """Launch a step's kernels all at once: auto does for small networks on NVIDIA GPUs, whose results stay the same."""
    deterministic: bool = False
    """Use only operations whose results are identical bit for bit in every run, also on a GPU; slower."""
    sync_batch_norm: bool = True
    """Batch norm sees the whole batch where several processes share it, as in one process; off: each sees its share."""
    watch_layers: bool = False
    """Report norms, updates and dead units of each layer every few seconds, as y in Live does."""
    baselines: Literal["auto", "none"] = "auto"
    """Simple models beside the run, trained in seconds after it: boosting and a linear model for tables; none: off."""
    preflight: bool = True
    """Try an own network on the first and the last batch, in both modes, before the run starts."""
    on_divergence: Literal["stop", "continue"] = "stop"
    """What to do when the loss becomes NaN or infinite."""
    checkpoint_minutes: Annotated[float, Field(gt=0), Unit("minutes")] = 5.0
    """Maximum time between two checkpoints within an epoch."""

    def with_min_steps(self, samples: int) -> "Training":
        """Return these settings for so many training samples, with `min_steps` as epochs."""
        each = self.steps_per_epoch(samples)
        if not self.min_steps or not each:
            return self
        return self.model_copy(update={"epochs": self.epochs_of(each), "min_steps": 0})

    def epochs_of(self, steps: int) -> int:
        """Return how many epochs of so many steps are trained: `epochs`, or more where `min_steps` takes more."""
        return max(self.epochs, -(-self.min_steps // steps))

    @property
    def step_samples(self) -> int:
        """Samples of one step; the last one of an epoch may have fewer."""
        return self.batch_size * self.accumulate

    def samples_per_epoch(self, samples: int) -> int:
        """Samples of one pass over so many: without the last batch if that one is dropped."""
        return samples // self.batch_size * self.batch_size if self.drop_last else samples

    def steps_per_epoch(self, samples: int) -> int:
        """Steps of one pass over so many samples."""
        return -(-self.samples_per_epoch(samples) // self.step_samples)
