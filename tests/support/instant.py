"""An executor that trains nothing: studies of thousands of trials in little time."""

from dataclasses import dataclass, field

from core.control import Request
from core.tuning.executors.protocol import Ended, Message, Outcome, TrialTask

__all__ = ["Instant"]


@dataclass
class Instant:
    """An executor whose trials have ended as soon as they start."""

    slots: int = 1
    threads: int = 1
    begun: list[int] = field(default_factory=list)
    _ended: list[Message] = field(default_factory=list)

    def start(self, task: TrialTask) -> None:
        self.begun.append(task.trial)
        self._ended.append(Ended(task.trial, Outcome("completed", value=1.0, epochs=1)))

    def wait(self, seconds: float) -> list[Message]:
        ended, self._ended = self._ended, []
        return ended

    def answer(self, trial: int, go_on: bool) -> None: ...

    def ask(self, request: Request) -> None: ...

    def close(self) -> None: ...
