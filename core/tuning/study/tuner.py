"""One process at work on a study: it claims trials, gives them to workers, and reports their outcomes."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from core.control import RunControl
from core.counting import counted
from core.data.registry import default_root
from core.tuning.executors.executors import Executor
from core.tuning.executors.protocol import Ended, Reported, Resources, Waits
from core.tuning.resources import forget_resources, note_resources
from core.tuning.search.methods import DRAWN_BLINDLY
from core.tuning.search.milestones import best_so_far
from core.tuning.study.checkpoint_pruning import keep_best
from core.tuning.study.claims import Claims, give_back, record_result
from core.tuning.study.curves import as_curve
from core.tuning.study.given import GivenTrial, finished, prepare, result
from core.tuning.study.optuna_file import at_once
from core.tuning.study.presence import Presence
from core.tuning.study.records import (
    StudyEvent,
    StudyFinished,
    StudyNotice,
    StudyPaused,
    StudyResumed,
    StudyStarted,
    TrialFinished,
    TrialRecord,
    TrialReported,
    TrialStarted,
    best_first,
    epochs_spent,
    pareto_front,
)
from core.tuning.study.selection import selection
from core.tuning.study.stopping import SAME_FAILURES, beyond_limits, enough, same_failure
from core.tuning.study.storage import writing
from core.tuning.study.study import TuningStudy

__all__ = ["tune"]

WAIT_SECONDS = 0.2
LOOK_SECONDS = 1.0
"""How often a process with free slots looks for trials that others have lost, and every one for what is asked."""
CLEAR_SECONDS = 5.0
"""How often the checkpoints of trials that are not among the best are removed."""
GOOD = ("completed", "paused", "pruned")
QUICK_SECONDS = 2.0
"""Trials that last less long are claimed ahead, one for each worker; longer ones are left to other processes."""

Emit = Callable[[StudyEvent], None]


def tune(
    study: TuningStudy,
    executor: Executor,
    *,
    emit: Emit,
    control: RunControl,
    timeout: float | None = None,
    data_root: Path | None = None,
) -> StudyFinished:
    """Work on a study until all its trials are done, by this process or by others.

    Args:
        executor: trains the trials; it stays open.
        emit: receives all events, on the calling thread.
        control: `stop` saves and stops the running trials, which can resume another time; while it is
            paused, no trial starts and running ones wait. Requests to the study from any process do the same.
        timeout: seconds after which to stop, pauses included.

    Returns:
        The last event emitted.

    Raises:
        RunError: the folder or the storage cannot be written.
    """
    with writing(study.name), ExitStack() as stack:
        with at_once(study.storage):
            presence = stack.enter_context(closing(Presence(study.folder, study.optuna)))
            study.note_start(timeout)
        forget_resources(study.folder)
        return _Tuner(study, executor, presence, emit, control, timeout, data_root or default_root()).run()


class _Tuner:
    """State of one call of `tune`."""

    def __init__(
        self,
        study: TuningStudy,
        executor: Executor,
        presence: Presence,
        emit: Emit,
        control: RunControl,
        timeout: float | None,
        data_root: Path,
    ) -> None:
        self.study, self.executor, self.presence = study, executor, presence
        self.emit, self.control, self.data_root = emit, control, data_root
        self.claims = Claims(study, presence)
        self.timeout = timeout
        self.deadline = math.inf if timeout is None else time.monotonic() + timeout
        self.running: dict[int, GivenTrial] = {}
        self.ready: deque[GivenTrial] = deque()
        self.looked_at = -math.inf
        self.asked_at = -math.inf
        self.asked = self.paused = False
        self.last_stop = study.last_stop
        self.ending = False
        self.error = self.enough = ""
        self.weighed = -1
        self.ended: list[TrialRecord] = []
        self.cleared: set[int] = set()
        self.cleared_at = time.monotonic()

    def run(self) -> StudyFinished:
        study, executor = self.study, self.executor
        done = tuple(record for record in study.records() if record.rests)
        self.emit(
            StudyStarted(
                study=study.name,
                folder=study.folder.path,
                plan=study.plan,
                slots=executor.slots,
                threads=executor.threads,
                finished=done,
                timeout=self.timeout,
            )
        )
        if warning := self.presence.missing_lock_warning():
            self.emit(StudyNotice(level="warning", message=warning))
        while self.go_on():
            for message in executor.wait(WAIT_SECONDS):
                if isinstance(message, Reported):
                    self.hear(message)
                elif isinstance(message, Waits):
                    self.emit(StudyNotice(level="info", message=message.reason))
                elif isinstance(message, Resources):
                    note_resources(study.folder, message)
                else:
                    self.end(message)
        return self.finish()

    def go_on(self) -> bool:
        """Look at the clock and at what is asked for, and give out work; False when all is done."""
        self.presence.beat()
        self.hear_others()
        late = time.monotonic() > self.deadline
        if not self.ending and (self.error or self.control.stop_requested or late):
            self.ending = True
            self.executor.ask("stop")
        if self.ending:
            self.drop_ready()
            return bool(self.running)
        if self.is_paused():
            return bool(self.running or self.ready) or self.claims.left()
        if time.monotonic() - self.looked_at < LOOK_SECONDS:
            return True
        return self.fill()

    def hear_others(self) -> None:
        """Take over what any process has asked of the study."""
        if time.monotonic() - self.asked_at > LOOK_SECONDS:
            self.asked_at = time.monotonic()
            if self.study.paused != self.asked:
                self.asked = not self.asked
                (self.control.pause if self.asked else self.control.resume)()
            if self.study.last_stop != self.last_stop:
                self.control.stop()

    def is_paused(self) -> bool:
        """Return whether no trial may start; running ones are notified when that changes."""
        if self.control.paused != self.paused:
            self.paused = self.control.paused
            self.executor.ask("pause" if self.paused else "resume")
            self.emit(StudyPaused() if self.paused else StudyResumed())
        return self.paused

    def fill(self) -> bool:
        """Give a trial to each free worker; False when none is left and none is running, here or elsewhere."""
        if self.has_enough():
            self.drop_ready()
            return bool(self.running)
        while len(self.running) < self.executor.slots:
            if not self.ready and not self.prepare():
                return bool(self.running) or self.claims.elsewhere() > 0
            self.start()
        plan = self.study.plan
        limited = plan.patience or plan.max_epochs
        is_next = len(self.ready) < self.executor.slots  # several workers may end at once
        if is_next and not limited and plan.method in DRAWN_BLINDLY and self.are_quick():
            self.prepare()
        return True

    def drop_ready(self) -> None:
        """Give back the trials that are ready, for another time."""
        while self.ready:
            give_back(self.study, self.ready.pop().claim.attempt.number)

    def has_enough(self) -> bool:
        """Return whether no more trials should start, though there are some; report why."""
        plan = self.study.plan
        if not self.enough and (plan.patience or plan.max_epochs) and len(self.ended) != self.weighed:
            self.weighed = len(self.ended)
            self.enough = enough(plan, self.study.records(), len(self.ended))
            if self.enough:
                self.emit(StudyNotice(level="info", message=f"{self.enough}: no more trials start"))
        return bool(self.enough)

    def are_quick(self) -> bool:
        """Return whether trials are over so soon that a worker would wait for its next one."""
        if last := self.ended[-self.executor.slots :]:
            return all(record.state in GOOD and record.seconds < QUICK_SECONDS for record in last)
        first = next((given for given in self.running.values() if given.curve), None)
        if first is None:
            return False
        a_second = len(first.curve) / max(time.time() - first.record.started, 1e-3)
        return bool(first.task.config["training"]["epochs"] < a_second * QUICK_SECONDS)

    def prepare(self) -> bool:
        """Make the next trial ready; False when none is free."""
        claim = self.claims.next()
        if claim is None:
            self.looked_at = time.monotonic()
            return False
        self.ready.append(prepare(self.study, claim, self.executor.threads, self.data_root))
        return True

    def start(self) -> None:
        """Give the trial that is ready first to a worker."""
        given = self.ready.popleft()
        given.record = replace(given.record, started=time.time())
        self.running[given.record.number] = given
        self.executor.start(given.task)
        self.emit(TrialStarted(trial=given.record))

    def hear(self, message: Reported) -> None:
        """A trial has finished an epoch."""
        running = self.running[message.trial]
        running.curve[message.epoch] = math.nan if message.value is None else message.value
        self.emit(TrialReported(number=message.trial, epoch=message.epoch, value=message.value))
        if running.task.waits:
            stops = self.should_pause if self.study.plan.pauses else self.should_prune
            self.executor.answer(message.trial, not stops(running, message))

    def should_pause(self, running: GivenTrial, message: Reported) -> bool:
        """Return whether a trial has reached a milestone and is not, or not yet, among the best there."""
        claim, at = running.claim, message.epoch
        if at not in running.milestones or at in claim.judged:
            return False
        claim.reaches(at, best_so_far(as_curve(running.curve)[:at], self.study.plan.direction))
        if self.claims.promotes(claim.number):
            claim.promote(at)
            running.record = replace(running.record, promoted=at)
            return False
        running.pauses = True
        return True

    def should_prune(self, running: GivenTrial, message: Reported) -> bool:
        """Ask the pruner; an epoch repeated after a checkpoint was judged before."""
        attempt, judged = running.claim.attempt, running.claim.judged
        if message.value is None or message.epoch in judged:
            return False
        judged.add(message.epoch)
        attempt.report(message.value, message.epoch)
        return attempt.should_prune()

    def end(self, message: Ended) -> None:
        """A trial has ended: keep what it was worth."""
        running = self.running.pop(message.trial)
        self.looked_at = -math.inf
        outcome = message.outcome
        if self.ready and outcome.state in GOOD and not self.control.attention:
            self.start()  # the worker need not wait for what is written down now
        if outcome.state == "stopped" and self.ending:
            give_back(self.study, running.claim.attempt.number)
            record = replace(running.record, state="interrupted", epochs=outcome.epochs)
            self.emit(TrialFinished(trial=record))
            return
        record = finished(running, outcome)
        if not record_result(self.study, running.claim.attempt.number, result(record)):
            text = f"trial {record.number} was meanwhile given to another process: this result is discarded"
            self.emit(StudyNotice(level="warning", message=text))
            return
        self.ended.append(record)
        self.emit(TrialFinished(trial=replace(record, place=self.claims.place(record.number))))
        if time.monotonic() - self.cleared_at > CLEAR_SECONDS:
            self.keep_best(self.study.records())
        self.look_at_failures()

    def keep_best(self, records: Iterable[TrialRecord]) -> None:
        """Remove the checkpoints of all but the best trials."""
        self.cleared_at = time.monotonic()
        for problem in keep_best(self.study.plan, records, self.cleared):
            self.emit(StudyNotice(level="warning", message=problem))

    def look_at_failures(self) -> None:
        """Give up when every draw has failed in the same way, so often that no region of the space can work."""
        if self.error or len(self.ended) < SAME_FAILURES or self.ended[-1].state != "failed":
            return
        records = self.study.records()
        if reason := same_failure(records):
            self.error = f"all {len(records)} trials failed in the same way: {reason}"
            self.emit(StudyNotice(level="error", message=self.error))

    def finish(self) -> StudyFinished:
        """Say how it ended."""
        records = self.study.records()
        self.keep_best(records)
        ranked = best_first(self.study.plan, records)
        done = [record for record in records if record.rests]
        if not self.error and done and not ranked and not any(record.place for record in done):
            last = done[-1].reason or done[-1].state
            how = "all failed in the same way" if same_failure(done) else "the last one"
            none = f"none of {counted(len(done), 'trial')} completed; {how}: {last}"
            self.error = beyond_limits(self.study.plan, done) or none
        total = self.study.plan.trials
        left = self.control.stop_requested if total is None else len(done) < total or self.claims.left()
        spent, saved = epochs_spent(self.study.plan, records)
        end = StudyFinished(
            status="failed" if self.error else "stopped" if left else "completed",
            records=tuple(records),
            best=ranked[0] if ranked else None,
            error=self.error,
            selection=selection(ranked, self.study.plan.metric),
            front=tuple(pareto_front(self.study.plan, records)),
            epochs_spent=spent,
            epochs_saved=saved,
        )
        self.emit(end)
        return end
