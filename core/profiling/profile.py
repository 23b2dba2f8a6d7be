"""A profile: where the time and the memory of a training go, and what would help."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.profiling.gains import Gain, measure_gains
from core.profiling.layers import Trace, trace_steps
from core.profiling.memory import MemoryUse, measure_memory
from core.profiling.phases import Phases, measure_phases
from core.random_state import keeping_random_state

if TYPE_CHECKING:
    from core.session.preparation import Prepared

__all__ = ["Profile", "profile"]

TRACE_SECONDS = 2.0
MAX_TRACED_STEPS = 50


@dataclass(frozen=True)
class Profile:
    """All that was measured on one device.

    Attributes:
        gains: other settings, the best first; empty if none was to be tried.
    """

    phases: Phases
    trace: Trace
    memory: MemoryUse
    gains: tuple[Gain, ...]


def profile(
    prepared: "Prepared",
    *,
    seconds: float,
    alternatives: tuple[str, ...] = (),
    trace_file: Path | None = None,
    on_progress: Callable[[str], None],
    should_stop: Callable[[], bool],
) -> Profile | None:
    """Train copies for a while, and measure; None once it is to stop.

    Neither the model nor the random state changes, and nothing is written but the trace.

    Args:
        seconds: of steps that are timed, and of each alternative.
        alternatives: what to try, of `core.profiling.names.ALTERNATIVES`.
        trace_file: takes a trace of some steps for Perfetto.
        on_progress: takes what is done next.
    """
    with keeping_random_state(prepared.device):
        on_progress("steps are timed")
        phases = measure_phases(prepared, seconds, should_stop)
        if phases is None:
            return None
        on_progress("layers are timed")
        steps = max(1, min(MAX_TRACED_STEPS, int(TRACE_SECONDS / phases.step)))
        trace = trace_steps(prepared, steps, trace_file)
        memory = measure_memory(prepared)
        if alternatives:
            on_progress("other settings are tried")
        gains = measure_gains(prepared, alternatives, seconds / 2, should_stop)
    return None if should_stop() else Profile(phases, trace, memory, tuple(gains))
