"""Settings that would make training faster, measured in turns with the given ones."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import torch

from core.data.stream.rows import StreamedRows
from core.machine import available_cores
from core.profiling.subject import Subject, subject, wait_for
from core.training.forward_pass import COMPILERS
from core.training.memory import is_shortage

if TYPE_CHECKING:
    from core.session.preparation import Prepared

__all__ = ["Gain", "measure_gains"]

TURNS = 3


@dataclass(frozen=True)
class Gain:
    """Another setting, and what it would bring.

    Attributes:
        field, value: the setting as a configuration has it, such as ``training.threads`` and 1.
        times: samples a second, divided by those with the given settings; None where it cannot be had.
        note: what else changes with it, or why it cannot be had.
    """

    field: str
    value: Any
    times: float | None
    note: str = ""


def measure_gains(
    prepared: "Prepared", what: tuple[str, ...], seconds: float, should_stop: Callable[[], bool]
) -> list[Gain]:
    """Measure each alternative for some seconds in three turns; return them, the best first.

    Args:
        what: of `core.profiling.names.ALTERNATIVES`.
    """
    tried = [gain for kind in what for gain in _alternatives(prepared, kind)]
    rates: list[list[float]] = [[] for _ in tried]
    failed: dict[int, str] = {}
    usual = subject(prepared)
    subjects: dict[int, Subject] = {}
    _rate(prepared, usual, 0.0)
    for _ in range(TURNS):
        for number, gain in enumerate(tried):
            if should_stop():
                return []
            if number in failed:
                continue
            base = _rate(prepared, usual, seconds / TURNS)
            try:
                with _setting(prepared, gain):
                    if number not in subjects:
                        subjects[number] = subject(prepared, _with(prepared, gain))
                        _rate(prepared, subjects[number], 0.0)
                    rates[number].append(_rate(prepared, subjects[number], seconds / TURNS) / base)
            except (
                RuntimeError,
                MemoryError,
                ValueError,
            ) as error:  # a kernel that this device does not have
                failed[number] = (
                    "memory is too small" if is_shortage(error) else str(error).partition("\n")[0]
                )
    found = [
        Gain(gain.field, gain.value, None, failed[number])
        if number in failed
        else Gain(gain.field, gain.value, median(rates[number]), gain.note)
        for number, gain in enumerate(tried)
    ]
    return sorted(found, key=lambda gain: -(gain.times or 0.0))


def _alternatives(prepared: "Prepared", kind: str) -> list[Gain]:
    """Return other values of one setting that this machine and these data allow."""
    settings, device = prepared.config.training, prepared.device.type
    if kind == "threads" and device == "cpu":
        cores, now = available_cores(), torch.get_num_threads()
        return [Gain("training.threads", n, None) for n in sorted({1, max(1, cores // 2), cores} - {now})]
    if kind == "workers" and isinstance(rows := prepared.data.train.inputs, StreamedRows):
        counts = sorted({0, 1, 2, min(4, available_cores())} - {rows.workers.count})
        return [Gain("data.workers", count, None) for count in counts]
    if kind == "batch":
        sizes = [settings.batch_size * 2, settings.batch_size * 4]
        note = "it changes what is learned: fewer steps an epoch"
        return [
            Gain("training.batch_size", size, None, note)
            for size in sizes
            if size <= len(prepared.data.train)
        ]
    if kind == "precision" and device == "cuda" and settings.precision != "bf16":
        return [Gain("training.precision", "bf16", None, "numbers are rounded to 8 bits in products")]
    if kind == "compile" and not settings.compile and any(map(shutil.which, COMPILERS)):
        return [Gain("training.compile", True, None, "the first step takes a while")]
    return []


def _with(prepared: "Prepared", gain: Gain) -> Any:
    """Return the configuration with the other setting."""
    section, _, name = gain.field.partition(".")
    if section == "data":  # set on the stream itself
        return prepared.config
    part = getattr(prepared.config, section).model_copy(update={name: gain.value})
    return prepared.config.model_copy(update={section: part})


@contextmanager
def _setting(prepared: "Prepared", gain: Gain) -> Iterator[None]:
    """Context manager in which threads or workers are those of the alternative."""
    threads, rows = torch.get_num_threads(), prepared.data.train.inputs
    workers = rows.workers.count if isinstance(rows, StreamedRows) else 0
    if gain.field == "training.threads":
        torch.set_num_threads(gain.value)
    if gain.field == "data.workers" and isinstance(rows, StreamedRows):
        rows.workers.count = gain.value
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        if isinstance(rows, StreamedRows):
            rows.workers.count = workers


def _rate(prepared: "Prepared", tried: Subject, seconds: float) -> float:
    """Return the samples a second, over some time and at least one step."""
    wait_for(prepared.device)
    began, samples = time.perf_counter(), 0
    while not samples or time.perf_counter() - began < seconds:
        batch = next(tried.batches)
        tried.learner.step(batch)
        samples += batch.samples
    wait_for(prepared.device)
    return samples / (time.perf_counter() - began)
