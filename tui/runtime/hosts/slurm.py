"""A job of Slurm that trains a run, with the settings of the job."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import ValidationError

from core.counting import counted
from core.errors import InputError, RunError, TorchtuiError
from core.runs.delete import delete
from core.runs.folder import default_runs_dir
from core.runs.jobs.record import JobRecord
from core.slurm.client import Partition, partitions
from core.slurm.commands import missing
from core.slurm.forecast import forecast
from core.slurm.numbers import in_words
from core.slurm.script import own_script
from core.slurm.settings import SlurmSettings
from tui.runtime.hosts.host import TUI, Bounds, Host, Started, WantedRun, new_folders
from tui.runtime.hosts.job_host import JobHost, stop_job
from tui.runtime.hosts.submitting import submit_run
from tui.terminal.jobs import forecast_text

__all__ = ["Slurm", "host_of_job"]


class Slurm(Host, SlurmSettings):
    """A job of Slurm. Before its time limit the run saves and requeues itself."""

    TITLE: ClassVar = "Slurm job"
    APART: ClassVar = True
    AT_ONCE: ClassVar = False
    name: Literal["slurm"] = "slurm"

    @classmethod
    def unavailable(cls) -> str:
        return missing()

    def script(self, train: Sequence[str]) -> str:
        runs_dir = _value(train, "--runs") or str(default_runs_dir())
        data_root = _value(train, "--data-root")
        resume = [TUI, "train", "--no-ui", *(["--data-root", data_root] if data_root else []), "--resume"]
        try:
            return own_script(self, train, resume, name=TUI, runs_dir=Path(runs_dir))
        except ValueError as error:
            raise InputError(str(error)) from None

    def limits(self) -> Mapping[str, Bounds]:
        try:
            known = partitions()
        except TorchtuiError:  # told where a job is submitted
            return {}
        if not known:
            return {}
        chosen = next((one for one in known if one.name == self.partition), known[0])
        up = {one.name: _about(one) for one in known if one.is_up}
        return {
            "partition": Bounds(", ".join(up), up),
            "nodes": Bounds(f"1 … {chosen.nodes}, {chosen.free} free"),
            "gpus_per_node": Bounds(f"0 … {chosen.gpus}" if chosen.gpus else "it has none"),
            "processes_per_node": Bounds("0: one a GPU"),
            "cores": Bounds(f"0 … {chosen.cores}"),
            "memory": Bounds(f"at most {chosen.memory / 1024:.0f}G"),
            "time": Bounds(_limit(chosen)),
        }

    def forecast(self, should_stop: Callable[[], bool]) -> str:
        found = forecast(self, should_stop)
        return forecast_text(found, time.time()) if found is not None else ""

    def start(self, wanted: WantedRun) -> Started:
        run = wanted.folder()
        try:
            job = submit_run(run, self, wanted.data_root)
        except RunError:
            if wanted.run is None:
                delete(run)
            raise
        return Started(JobHost(run), f"{run.id} is job {job.id} of Slurm")

    def start_all(self, wanted: Sequence[WantedRun], repeats: Sequence[str]) -> Started:
        jobs: list[str] = []
        with new_folders(wanted) as runs:
            try:
                for one, run in zip(wanted, runs, strict=True):
                    jobs.append(submit_run(run, self, one.data_root).id)
            except TorchtuiError:
                for run in runs[: len(jobs)]:
                    with suppress(TorchtuiError):  # the error before is the one to tell
                        stop_job(run, 0)
                raise
        alone = f"{runs[0].id} is job {jobs[0]} of Slurm"
        message = f"{len(runs)} runs are the jobs {', '.join(jobs)} of Slurm" if len(runs) > 1 else alone
        return Started(JobHost(runs[0]), message, others=runs[1:])


def host_of_job(record: JobRecord | None) -> Slurm | None:
    """Return the host that submits a run's own job again, with the same settings; None where it had none of its own."""
    if record is None or not record.ours or missing():
        return None
    try:
        return Slurm.model_validate(record.settings)
    except ValidationError:  # of another version, or edited
        return None


def _about(partition: Partition) -> str:
    """Return what there is to know about a partition before one chooses it."""
    gpus = f"{counted(partition.gpus, 'GPU')} a node" if partition.gpus else "no GPUs"
    free = f"{partition.free} of {counted(partition.nodes, 'node')} free"
    default = ["default"] if partition.is_default else []
    return ", ".join([_limit(partition), gpus, free, *default])


def _limit(partition: Partition) -> str:
    return f"at most {in_words(partition.limit)}" if partition.limit else "no time limit"


def _value(words: Sequence[str], flag: str) -> str:
    """Return the value of a flag in a command; empty without it."""
    for place, word in enumerate(words):
        if word == flag:
            return "".join(words[place + 1 : place + 2])
        if word.startswith(f"{flag}="):
            return word.partition("=")[2]
    return ""
