"""Studies whose processes are killed at moments that are aimed at, wherever they are stored and their trials trained.

    python -m tests.support.killed_studies FOLDER CLUSTER MOMENTS

kills a study on a Ray cluster in forks of a process that is not connected to it. Elsewhere the tests fork themselves.
"""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import psutil

from core.config import schema as configuration
from core.control import RunControl
from core.tuning.confirm.confirm import confirm
from core.tuning.executors import executors
from core.tuning.executors.executors import Executor, LocalProcesses
from core.tuning.search.plan import make_plan
from core.tuning.study.claims import Claim
from core.tuning.study.folder import all_studies
from core.tuning.study.records import StudyEvent, TrialReported
from core.tuning.study.study import TuningStudy, create_study, open_study
from core.tuning.study.tuner import tune
from core.user_code.trust import trust
from tests.support.killed import die, in_a_killed_process

__all__ = ["RATES", "SEEDS", "TRAPS", "Moment", "Place", "begin", "disturb", "finish", "study_in"]

RATES = [5e-5, 1e-5, 1e-3, 2e-5, 1e-4, 5e-3, 2e-4, 5e-2, 5e-4, 2e-3, 1e-2, 2e-2]
"""Larger ones are better: in this order some trials are promoted without a pause, and some after they have waited."""
SEEDS = 2
"""Runs that confirm each of the best trials."""
RUNG = 3
"""An epoch between two milestones: 1, 2 and 4 of 9 epochs."""
STEPS_LEFT = 2
"""Steps that a worker trains until it falls into the trap."""
TRAPS = "in a step"
NETWORK = '''
import os, signal
from pathlib import Path
from torch import nn

class Net(nn.Module):
    """One layer, which kills the process of its study in a step when its trap is set."""

    def __init__(self, in_features: int, num_classes: int, trap: str) -> None:
        super().__init__()
        self.out, self.trap = nn.Linear(in_features, num_classes), Path(trap)

    def forward(self, inputs):
        if self.training and self.trap.exists():
            study, left = map(int, self.trap.read_text().split())
            if left:
                self.trap.write_text(f"{study} {left - 1}")
            else:
                self.trap.unlink()
                forked = os.getppid() == study
                os.kill(study, signal.SIGKILL)
                if forked:  # it holds the locks of its study, which workers of the product do not
                    os.kill(os.getpid(), signal.SIGKILL)
        return self.out(inputs.flatten(1))
'''


@dataclass(frozen=True)
class Moment:
    """A moment in which the process of a study is killed.

    Attributes:
        step: the function; or `TRAPS`, in the middle of a step of training, between two milestones.
        when: before or after it.
        promoting: true if only of a trial that is promoted from a milestone. confirming: only once the search is over.
    """

    step: str
    when: str = "after"
    promoting: bool = False
    confirming: bool = False


@dataclass(frozen=True)
class Place:
    """Where a study is kept and its trials are trained: in its folder and in processes of this machine, if not said."""

    folder: Path
    storage: str | None = None
    cluster: str = ""

    @property
    def trap(self) -> Path:
        """The file that its networks look for."""
        return self.folder / "trap"

    @property
    def ended(self) -> Path:
        """The file that says that a process came to its end."""
        return self.folder / "ended"


def study_in(place: Place) -> TuningStudy:
    """Return the study of a place."""
    (folder,) = all_studies(place.folder)
    return open_study(place.folder, folder.name, place.storage)


def begin(place: Place, pruner: str = "asha") -> None:
    """Create a study, all of whose trials are kept."""
    place.folder.mkdir(exist_ok=True)
    network = place.folder / "network.py"
    network.write_text(NETWORK)
    trust(network)
    base = configuration.from_dict(
        {
            "data": "iris",
            "model": {"name": "python", "path": f"{network}:Net", "arguments": {"trap": str(place.trap)}},
            "training": {"epochs": 9, "device": "cpu", "threads": 1, "checkpoint_minutes": 1e-9},
            "loss": "cross_entropy",
        }
    )
    options: dict[str, Any] = {"metric": "loss", "method": "grid", "pruner": pruner, "keep": len(RATES)}
    create_study(place.folder, make_plan(base, {"optimizer.lr": RATES}, **options), place.storage)


def work(place: Place, moment: Moment | None = None) -> None:
    """Work on the study and confirm its best trials, or come to a moment."""
    executors._context = lambda: get_context("fork")
    trust(place.folder / "network.py")
    executor = executor_of(place)
    control, emit = RunControl(), partial(react, place, moment)
    if moment and not moment.confirming:
        aim(place, moment)
    study = study_in(place)
    tune(study, executor, emit=emit, control=control)
    if moment and moment.confirming:
        aim(place, moment)
    confirm(study, SEEDS, executor, emit=emit, control=control)
    executor.close()
    place.ended.touch()


def executor_of(place: Place) -> Executor:
    if not place.cluster:
        return LocalProcesses(1)
    from core.tuning.executors.ray_executor import RayExecutor

    return RayExecutor(place.cluster, jobs=1)


def react(place: Place, moment: Moment | None, event: StudyEvent) -> None:
    """Set the trap while a trial waits for permission to train beyond an epoch between two milestones."""
    if moment and moment.step == TRAPS and isinstance(event, TrialReported) and event.epoch == RUNG:
        set_trap(place)


def set_trap(place: Place) -> None:
    place.trap.write_text(f"{os.getpid()} {STEPS_LEFT}")


def aim(place: Place, moment: Moment) -> None:
    """Let this process and its workers end at a moment."""
    if moment.step == TRAPS:
        if moment.confirming:
            set_trap(place)
        return
    step = resolve_name(moment.step)

    def end(*arguments: Any, **named: Any) -> Any:
        if moment.promoting and not any(isinstance(one, Claim) and one.promoted for one in arguments):
            return step(*arguments, **named)
        if moment.when == "after":
            step(*arguments, **named)
        for worker in psutil.Process().children(recursive=True):
            worker.kill()
        return die()

    owner, _, last = moment.step.rpartition(".")
    setattr(resolve_name(owner), last, end)


def disturb(place: Place, moments: Sequence[Moment]) -> None:
    """Kill one process after the other at these moments, in this order."""
    for moment in moments:
        in_a_killed_process(partial(work, place, moment))
        assert not place.ended.exists(), f"no process came to {moment}"
        assert not place.trap.exists(), f"no step came to {moment}"


def finish(place: Place) -> None:
    """Let a process work on the study to its end."""
    in_a_killed_process(partial(work, place))
    assert place.ended.exists()


def main(folder: str, cluster: str, moments: str) -> None:
    """Do all of it on a Ray cluster."""
    import ray  # noqa: F401  # once, before the forks

    place = Place(Path(folder), cluster=cluster)
    in_a_killed_process(partial(begin, place))
    disturb(place, [Moment(**facts) for facts in json.loads(moments)])
    finish(place)


if __name__ == "__main__":
    main(*sys.argv[1:])
