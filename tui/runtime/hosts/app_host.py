"""A run that is trained on a worker thread of this process."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from core.config.schema import TrainConfig
from core.control import Request, RunControl
from core.events import Event, Notice, RunFinished
from core.observers.settings import Extras, ensure_possible
from core.runs.folder import Run
from core.runs.labels import title_of
from core.runs.requests import claimed
from core.session.preload import load_backend
from core.training.worker import TrainingWorker
from tui.terminal.text import progress_line

__all__ = ["SPARE_CORES", "AppHost"]

SPARE_CORES = 1
"""Threads that ``threads: auto`` leaves free in the app, for the screens."""


class AppHost:
    """Trains on core's background worker thread in this process."""

    silent = "interrupted"
    starting = "preparing"
    place = ""
    obeys = True

    def __init__(
        self,
        config: TrainConfig,
        runs_dir: Path,
        data_root: Path | None,
        run: Run | None = None,
        given_name: str = "",
        together: str = "",
    ) -> None:
        self.config, self.runs_dir, self.data_root = config, runs_dir, data_root
        self.given_name, self.together = given_name, together
        self.run = run
        self.note = "loading PyTorch"
        self.worker = TrainingWorker(self._work)
        self.worker.start()

    @property
    def name(self) -> str:
        return title_of(self.run.path) if self.run else self.given_name or "new run"

    @property
    def error(self) -> BaseException | None:
        return self.worker.error

    @property
    def alive(self) -> bool:
        return not self.worker.finished.is_set()

    def drain(self) -> list[Event]:
        return self.worker.drain()

    def request(self, request: Request) -> None:
        self.worker.control.obey(request)

    def warn(self, message: str) -> None:
        """Add a warning to the events; callable from any thread."""
        self.worker.tell(Notice(level="warning", message=message))

    def join(self, timeout: float) -> bool:
        return self.worker.join(timeout)

    def _work(self, emit: Callable[[Event], None], control: RunControl) -> RunFinished:
        with claimed(self.run, control):  # before torch is imported, which takes seconds
            load_backend()
            from core.session import session
            from core.session.lifecycle import start_or_resume

            extras = Extras.from_environment()
            ensure_possible(extras)
            self.note = "loading data"
            prepare = partial(
                session.prepare, self.config, self.data_root, spare_cores=SPARE_CORES, run=self.run
            )
            started = start_or_resume(
                self.config,
                self.run,
                self.runs_dir,
                prepare=prepare,
                on_progress=self._show_progress,
                control=control,
                name=self.given_name,
                together=self.together,
            )
            self.note = ""
            if started is None:
                emit(stopped := RunFinished(status="stopped"))
                return stopped
            self.run = started.run
            return started.train(emit=emit, control=control, extras=extras)

    def _show_progress(self, what: str, done: int, total: int) -> None:
        self.note = progress_line(what, done, total)
