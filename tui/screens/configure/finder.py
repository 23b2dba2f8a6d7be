"""The dialogs that find a learning rate or a batch size for the form, and plot the search."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from core.config.schema import TrainConfig
from core.errors import RunError, TorchtuiError
from core.session.preload import load_backend
from core.user_code.loading import as_user_error
from tui.charts.plot import Plot
from tui.charts.plot_chart import Chart
from tui.forms.remedies import error_in_app
from tui.runtime.hosts.app_host import SPARE_CORES
from tui.screens.dialog import Dialog
from tui.terminal.text import clean, progress_line

if TYPE_CHECKING:
    from core.session.session import Prepared
    from core.training.batch_finder import BatchTest, TriedBatch
    from core.training.lr_finder import RangeTest

__all__ = ["BatchFinder", "RateFinder"]

FRAME_SECONDS = 0.1


class _Finder(Dialog[str]):
    """Searches on a thread and shows the result. Returns the text for the field, or None if cancelled.

    Args:
        config: the run to search for.
        data_root: folder of downloaded data sets.
    """

    TITLE_TEXT: ClassVar[str] = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel"),
        Binding("enter", "take", "Use it"),
    ]

    def __init__(self, config: TrainConfig, data_root: Path | None) -> None:
        super().__init__()
        self.config, self.data_root = config, data_root
        self.note = "loading PyTorch"
        self.ended = False
        self._stopped = threading.Event()
        self._drawn: tuple[str, int, bool] | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -finder") as body:
            body.border_title = self.TITLE_TEXT
            yield Plot()
            yield Static("", id="found")
            with Horizontal(classes="answers"):
                yield Button("Use it", id="take", compact=True, disabled=True)
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        self.query_one("#cancel").focus()
        self.set_interval(FRAME_SECONDS, self._draw)
        self.run_worker(self._work, thread=True)

    def on_unmount(self) -> None:
        self._stopped.set()

    def action_take(self) -> None:
        """Close and return the suggestion, or None without one."""
        self.dismiss(self.suggestion or None)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(self.suggestion if event.button.id == "take" else None)

    def _work(self) -> None:
        """Search in the thread; report any error in the dialog."""
        try:
            load_backend()
            import torch

            from core.session import session

            self.note = "loading data"
            prepared = session.prepare(self.config, self.data_root, self._preparing, spare_cores=SPARE_CORES)
            torch.set_num_threads(prepared.threads)
            self.note = ""
            self.find(prepared)
        except TorchtuiError as error:
            self.note = f"✗ {error_in_app(error)}"
        except (Exception, SystemExit) as error:  # the user's own network may call sys.exit
            self.note = f"✗ {as_user_error(error) or f'{type(error).__name__}: {error}'}"
        self.ended = True

    def _preparing(self, what: str, done: int, total: int) -> None:
        if self._stopped.is_set():
            raise RunError("the data is no longer needed")
        self.note = progress_line(what, done, total)

    def _draw(self) -> None:
        """Show what is new."""
        note, progress, ended = state = (
            self.note,
            self.progress,
            self.ended,
        )  # the thread keeps running meanwhile
        if state == self._drawn:
            return
        self._drawn = state
        if progress:  # earlier, PyTorch may not be loaded yet, which would block the screen
            self.query_one(Plot).show(self.chart())
        text = note or (self.sentence() if ended else "")
        self.query_one("#found", Static).update(Content("\n".join(map(clean, text.split("\n")))))
        if ended and self.suggestion:
            take = self.query_one("#take", Button)
            take.disabled = False
            take.label = Content(f"Use {self.suggestion}")
            take.focus()

    def find(self, prepared: "Prepared") -> None:
        """Search, on the thread, until it is done or ``_stopped`` is set."""
        raise NotImplementedError

    @property
    def progress(self) -> int:
        """Return how much there is to draw."""
        raise NotImplementedError

    @property
    def suggestion(self) -> str:
        """Return the value for the field; empty if nothing was found."""
        raise NotImplementedError

    def chart(self) -> Chart:
        """Return the chart of what was found so far."""
        raise NotImplementedError

    def sentence(self) -> str:
        """Return the sentence shown at the end."""
        raise NotImplementedError


class RateFinder(_Finder):
    """Finds a learning rate."""

    TITLE_TEXT = "Learning rate: train a copy while the rate grows from step to step"

    def __init__(self, config: TrainConfig, data_root: Path | None) -> None:
        super().__init__(config, data_root)
        self.rates: list[float] = []
        self.losses: list[float] = []
        self.found: RangeTest | None = None

    def find(self, prepared: "Prepared") -> None:
        from core.training.lr_finder import range_test

        self.found = range_test(
            prepared.config,
            prepared.data,
            prepared.model,
            prepared.device,
            on_report=self._hear,
            should_stop=self._stopped.is_set,
        )

    def _hear(self, rate: float, loss: float) -> None:
        self.losses.append(loss)
        self.rates.append(rate)

    @property
    def progress(self) -> int:
        return len(self.rates)

    @property
    def suggestion(self) -> str:
        rate = self.found.suggestion if self.found else None
        return "" if rate is None else f"{rate:g}"

    def chart(self) -> Chart:
        from core.training.lr_finder import RangeTest
        from tui.headless.finder_report import rate_chart

        done = self.progress  # a loss is stored before its rate, so both exist
        return rate_chart(self.found or RangeTest(self.rates[:done], self.losses[:done], blew_up=False))

    def sentence(self) -> str:
        from tui.headless.finder_report import rate_sentence

        return rate_sentence(self.found) if self.found else ""


class BatchFinder(_Finder):
    """Finds a batch size."""

    TITLE_TEXT = "Batch size: double it until memory runs out, and measure each speed"

    def __init__(self, config: TrainConfig, data_root: Path | None) -> None:
        super().__init__(config, data_root)
        self.tried: list[TriedBatch] = []
        self.found: BatchTest | None = None

    def find(self, prepared: "Prepared") -> None:
        from core.training.batch_finder import batch_test

        self.found = batch_test(
            prepared.config,
            prepared.data,
            prepared.model,
            prepared.device,
            on_report=self.tried.append,
            should_stop=self._stopped.is_set,
        )

    @property
    def progress(self) -> int:
        return len(self.tried)

    @property
    def suggestion(self) -> str:
        size = self.found.suggestion if self.found else None
        return "" if size is None else str(size)

    def chart(self) -> Chart:
        from tui.headless.finder_report import batch_chart

        return batch_chart(list(self.tried), self.found.suggestion if self.found else None)

    def sentence(self) -> str:
        from tui.headless.finder_report import batch_lines, batch_sentence

        if self.found is None:
            return ""
        return "\n".join([*batch_lines(self.found.tried[-4:]), "", batch_sentence(self.found)])
