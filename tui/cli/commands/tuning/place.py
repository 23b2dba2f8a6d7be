"""The options of `tui tune` that say where trials are trained."""

from core.errors import InputError
from core.tuning.executors.where import Where
from tui.cli.commands.tuning.options import (
    Executor,
    Gpus,
    GpusPerTrial,
    Jobs,
    Processes,
    RayAddress,
    TrialMemory,
)

__all__ = ["place_of_trials"]


def place_of_trials(
    jobs: Jobs = None,
    trial_memory: TrialMemory = None,
    executor: Executor = "local",
    ray_address: RayAddress = None,
    gpus_per_trial: GpusPerTrial = None,
    gpus: Gpus = None,
    processes: Processes = None,
) -> Where:
    """Return where trials are trained.

    Raises:
        InputError: a setting is of another executor.
    """
    if executor != "ray" and (ray_address or gpus_per_trial):
        raise InputError("--ray-address and --gpus-per-trial need a Ray cluster", "Add --executor ray")
    if executor != "local" and gpus is not None:
        raise InputError(
            "--gpus names GPUs of this machine, and the cluster chooses its own",
            "Use --gpus-per-trial with Ray, --gpus-per-node with Slurm",
        )
    if executor != "local" and processes is not None:
        raise InputError(
            "--processes starts the processes of each trial on this machine, and the cluster places its own",
            "Use --executor local, or leave --processes out",
        )
    return Where(jobs, trial_memory, executor, ray_address, gpus_per_trial or 0, gpus, processes or 1)
