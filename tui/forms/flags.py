"""The fields of a configuration that have a flag of their own on the command line."""

__all__ = ["FLAGS", "SHORT_NAMES"]

FLAGS = {
    "--data": "data.name",
    "--model": "model.name",
    "--loss": "loss.name",
    "--optimizer": "optimizer.name",
    "--schedule": "schedule.name",
    "--lr": "optimizer.lr",
    "--batch-size": "training.batch_size",
    "--epochs": "training.epochs",
    "--metrics": "training.metrics",
    "--device": "training.device",
    "--seed": "training.seed",
    "--threads": "training.threads",
    "--precision": "training.precision",
    "--val": "data.validation",
}
"""Fields that users change often; `--set` reaches the others. Names come first: they decide which fields exist."""

SHORT_NAMES = {flag.removeprefix("--").replace("-", "_"): path for flag, path in FLAGS.items()}
"""Flag name, without dashes, to the path it sets."""
