"""Fields of a configuration that do not go together, whatever the data."""

from core.config.schema import TrainConfig
from core.errors import ConfigError

__all__ = ["check_compatible"]


def check_compatible(config: TrainConfig) -> None:
    """Check that optimizer and schedule can do what the other settings ask for.

    Raises:
        ConfigError: the optimizer searches along the gradient, and something would change the gradient's length;
            or the warm-up is as long as the run.
    """
    warmup, epochs = config.schedule.warmup, config.training.epochs
    if warmup >= epochs:
        raise ConfigError(
            f"schedule.warmup: {warmup:g} warm-up epochs leave nothing of the run's {epochs}",
            "Give it fewer, or more epochs",
            field="schedule.warmup",
        )
    if config.optimizer.closure and config.training.precision == "fp16":
        raise ConfigError(
            f"training.precision: {config.optimizer.name} cannot work with the scaled loss of fp16",
            "Set it to bf16 or fp32, or choose another optimizer",
            field="training.precision",
        )
    if config.optimizer.closure and config.training.clip_norm:
        raise ConfigError(
            f"training.clip_norm: {config.optimizer.name} needs unclipped gradients",
            "Set it to 0, or choose another optimizer",
            field="training.clip_norm",
        )
