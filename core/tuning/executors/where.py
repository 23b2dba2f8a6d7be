"""Where trials are trained, as plain data."""

from dataclasses import dataclass
from importlib.util import find_spec

from core.slurm.commands import missing
from core.tuning.search.plan import ExecutorName

__all__ = ["Where", "available_executors"]


@dataclass(frozen=True)
class Where:
    """Executor of trials.

    Attributes:
        jobs: how many at once; None for the executor's own choice.
        trial_memory: GB that a local trial needs; None for an estimate.
        ray_address: of the cluster; None to start one here. gpus_per_trial: on Ray; fractions are allowed.
        processes: that train each local trial together.
        gpus: of this machine that local trials may use, such as ``0,2``; None for all that are free.
    """

    jobs: int | None = None
    trial_memory: float | None = None
    executor: ExecutorName = "local"
    ray_address: str | None = None
    gpus_per_trial: float = 0
    gpus: str | None = None
    processes: int = 1


def available_executors() -> tuple[ExecutorName, ...]:
    """Return the executors for which all is installed here."""
    has_ray, has_slurm = find_spec("ray") is not None, not missing()
    return ("local", *(("ray",) if has_ray else ()), *(("slurm",) if has_slurm else ()))
