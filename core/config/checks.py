"""Fields of a configuration that do not go together, whatever the data."""

from core.config.schema import TrainConfig
from core.errors import ConfigError
from core.options import Options, code_fields
from core.schedules import OneCycle

__all__ = ["check_batches", "check_compatible"]


def check_batches(config: TrainConfig, samples: int) -> None:
    """Check that there is a batch to train on.

    Raises:
        ConfigError: the only batch would be dropped, as it is not full.
    """
    if not config.training.steps_per_epoch(samples):
        raise ConfigError(
            f"training.drop_last: a batch of {config.training.batch_size} has more samples than the {samples} to train "
            "on, which would all be dropped",
            "Turn it off, or use smaller batches",
            field="training.drop_last",
        )


def check_compatible(config: TrainConfig) -> None:
    """Check that optimizer and schedule can do what the other settings ask for.

    Raises:
        ConfigError: code of the user's own is chosen and not named; the optimizer searches along the gradient, and
            something would change the gradient's length; or the warm-up is as long as the run, or one too many.
    """
    for section in ("loss", "optimizer", "schedule"):
        _check_named(section, getattr(config, section))
    warmup, epochs = config.schedule.warmup, config.training.epochs
    if warmup >= epochs:
        raise ConfigError(
            f"schedule.warmup: {warmup:g} warm-up epochs leave nothing of the run's {epochs}",
            "Give it fewer, or more epochs",
            field="schedule.warmup",
        )
    if warmup and isinstance(config.schedule, OneCycle):
        raise ConfigError(
            "schedule.warmup: one_cycle has a warm-up of its own, so the learning rate would rise twice",
            "Set it to 0, and the length of the rise with schedule.peak_at",
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


def _check_named(section: str, options: Options) -> None:
    for field in code_fields(type(options)):
        if not getattr(options, field):
            raise ConfigError(
                f"{section}.{field}: no file is given",
                f"Give FILE.py:NAME, such as mine.py:{section.capitalize()}",
                field=f"{section}.{field}",
            )
