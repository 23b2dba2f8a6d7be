"""Folds and seeds that are started in the app: they keep the name of their start, and its spread is of them alone."""

from pathlib import Path

from core.config.schema import from_dict
from core.data.dataset import no_progress
from core.events import RunFinished
from core.runs.folder import Run
from core.runs.log import EventLog
from core.runs.origin.together import together_of
from core.session.repeats import group_of
from tests.support.narrow import some
from tui.runtime.hosts.here import Here
from tui.runtime.hosts.host import WantedRun
from tui.runtime.queue import Waiting
from tui.screens.jobs.repeats import Starting, outcome, repeats_job


def test_seeds_that_are_started_in_turns_are_two_starts(tmp_path: Path) -> None:
    config = from_dict({"data": "iris"})

    def start(count: int, run: Run | None = None) -> list[Waiting]:
        queued: list[Waiting] = []
        starting = Starting({"here": Here()}, "here", queued.extend, lambda *_: None)
        job = repeats_job("seed", WantedRun(config, tmp_path, None, run=run), starting)
        some(job.work({"count": str(count), "host": "here"}, no_progress).then)()
        return queued

    def made(one: Waiting) -> Run:
        return WantedRun(one.config, tmp_path, None, one.given_name, one.run, one.together).folder()

    first, second = start(2), start(2)
    runs = [(made(one), made(other)) for one, other in zip(first, second, strict=True)]
    mine, others = ([pair[place] for pair in runs] for place in (0, 1))
    assert group_of(mine[1]) == mine
    assert group_of(others[0]) == others
    assert {together_of(run) for run in mine} == {first[0].together}
    repeats = some(first[0].repeats)
    for run in mine:
        log = EventLog(run)
        log.write(RunFinished(status="completed"))
        log.close()
    assert outcome(repeats, config, tmp_path, first[0].together)[1] == mine
    assert outcome(repeats, config, tmp_path, second[0].together)[0] == "0 of 2 seeds"
    added = next(one for one in start(3, mine[0]) if one.run is None)
    assert added.config.training.seed == 2
    assert group_of(made(added))[:2] == mine
