"""Options of a job of Slurm for commands whose work it does: a flag for each setting, and saved profiles."""

from collections.abc import Callable
from typing import Any

from core.errors import InputError
from core.slurm.settings import OF_SEVERAL, SlurmSettings, in_one_process
from tui.cli.gathered import gathers
from tui.cli.host_options import PROFILE, option_of, settings_of
from tui.runtime.hosts.profiles import load_profile
from tui.runtime.hosts.slurm import Slurm

__all__ = ["with_job"]

PANEL = "Jobs of Slurm"
OF_ONE_MACHINE = [key for key in SlurmSettings.model_fields if key not in OF_SEVERAL]
"""Settings of a job that does its work in one process."""


def with_job(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command ``--profile`` and a flag for each setting of a job; its argument ``job`` holds them, if any."""
    settings = [option_of(Slurm, key, "With --executor slurm.", PANEL) for key in OF_ONE_MACHINE]
    return gathers("job", _job, [PROFILE, *settings])(command)


def _job(profile: str | None, **given: Any) -> Slurm | None:
    chosen = {key: value for key, value in given.items() if value not in (None, [])}
    if profile is None and not chosen:
        return None
    saved = load_profile(profile) if profile is not None else Slurm()
    if not isinstance(saved, Slurm):
        raise InputError(f"the profile {profile} is for {saved.host_name}, not for slurm", "Give another one")
    made = settings_of(Slurm, saved, chosen)
    assert isinstance(made, Slurm)
    return in_one_process(made)
