"""Trials on threads of the study's own process, which train together as one program:
see `batched_gradients`.

Each is a run like any other, with its own learning rate, optimizer, seed, log and checkpoints. It pays where a step is
so small that starting its operations takes longer than computing them: small networks, and graphics processors.
"""

import json
import queue
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from torch import nn

from core.config.schema import Training
from core.control import Request, RunControl
from core.training.step import Step
from core.tuning.executors.batched_gradients import Member, Together
from core.tuning.executors.protocol import Ended, Message, Reported, TrialTask
from core.tuning.executors.trial import run_trial

if TYPE_CHECKING:
    from core.losses.base import LossFunction

__all__ = ["VmapExecutor"]

SLOTS = 16
END_SECONDS = 10.0
"""How long closing waits for trials to save."""


class VmapExecutor:
    """Trains on threads of this process.

    Args:
        jobs: trials at once. threads: processor threads of one operation.
    """

    def __init__(self, jobs: int | None = None, threads: int | None = None) -> None:
        self.slots, self.threads = jobs or SLOTS, threads or 1
        self._together = Together()
        self._one_at_a_time = threading.Lock()
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._answers: dict[int, queue.SimpleQueue[bool]] = {}
        self._controls: dict[int, RunControl] = {}
        self._trials: dict[int, threading.Thread] = {}

    def start(self, task: TrialTask) -> None:
        member = self._together.expect()
        self._answers[task.trial] = queue.SimpleQueue()
        self._controls[task.trial] = _Control(partial(self._together.yield_turn, member))
        self._trials[task.trial] = threading.Thread(
            target=self._train,
            args=(task, member),
            name=f"trial {task.trial}",
            daemon=True,
        )

    def wait(self, seconds: float) -> list[Message]:
        for thread in self._trials.values():  # all that were submitted since the last call start together
            if thread.ident is None:
                thread.start()
        try:
            messages = [self._messages.get(timeout=seconds)]
        except queue.Empty:
            return []
        while not self._messages.empty():
            messages.append(self._messages.get())
        for message in messages:
            if isinstance(message, Ended):
                del self._trials[message.trial], self._controls[message.trial], self._answers[message.trial]
        return messages

    def answer(self, trial: int, go_on: bool) -> None:
        self._answers[trial].put(go_on)

    def ask(self, request: Request) -> None:
        for control in self._controls.values():
            control.obey(request)

    def close(self) -> None:
        self.ask("stop")
        for answers in self._answers.values():
            answers.put(False)
        for thread in self._trials.values():
            if thread.ident is not None:
                thread.join(END_SECONDS)

    def _train(self, task: TrialTask, member: Member) -> None:
        """A trial, from its beginning to its end."""
        control, answers = self._controls[task.trial], self._answers[task.trial]

        def report(epoch: int, value: float | None) -> bool:
            self._messages.put(Reported(task.trial, epoch, value))
            if not task.waits:
                return True
            with self._together.yield_turn(member):
                return answers.get()

        with ExitStack() as meeting, ExitStack() as turn:
            meeting.callback(self._together.leave, member)
            # The weights are drawn from the process's own random numbers: no other trial may start meanwhile.
            turn.enter_context(self._one_at_a_time)

            def gradient_fn(settings: Training, model: nn.Module, loss: "LossFunction") -> Step | None:
                turn.close()
                return self._together.join(member, _kind(task.config), settings, model, loss)

            outcome = run_trial(task, report, control, gradient_fn)
        self._messages.put(Ended(task.trial, outcome))


class _Control(RunControl):
    """Requests to a trial that takes turns with others.

    Args:
        yield_turn: context manager in which other trials take their turn.
    """

    def __init__(self, yield_turn: Callable[[], AbstractContextManager[None]]) -> None:
        super().__init__()
        self._yield_turn = yield_turn

    def wait_while_paused(self) -> None:
        with self._yield_turn():
            super().wait_while_paused()


def _kind(config: dict[str, Any]) -> str:
    """The same for trials whose networks differ in their weights alone."""
    return json.dumps(config["model"], sort_keys=True)
