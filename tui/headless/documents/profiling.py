"""The document of a profile."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tui.headless.documents.envelope import Document

if TYPE_CHECKING:
    from core.profiling.profile import Profile
    from core.profiling.together import Together

__all__ = ["ProfileDocument", "TogetherDocument", "profile_document", "together_document"]


@dataclass(frozen=True, kw_only=True)
class ProfileDocument(Document):
    """Where the time and the memory of a training go.

    Attributes:
        step: seconds of a step. phases: of which each takes so many. samples_per_second: that are trained on.
        validation: seconds of one; null without one, or where it was not finished.
        cores: processor cores that were busy. gpu_idle: fraction of the time; null without a GPU.
        layers: each ``path kind forward backward`` in seconds a step, the costliest first.
        memory: bytes by what holds them, and the ``peak``.
        gains: each ``field value times note``: samples a second with it, divided by those without; null if it failed.
        trace: path of the file for Perfetto; empty without one.
    """

    kind = "profile"
    device: str
    step: float
    phases: dict[str, float]
    samples_per_second: float
    validation: float | None
    cores: float
    gpu_idle: float | None
    layers: list[dict[str, Any]]
    memory: dict[str, int]
    gains: list[dict[str, Any]]
    trace: str


def profile_document(profile: "Profile", device: str, trace: str) -> ProfileDocument:
    """Return the document of a profile."""
    phases = profile.phases
    return ProfileDocument(
        device=device,
        step=phases.step,
        phases=phases.seconds,
        samples_per_second=phases.samples_per_second,
        validation=phases.validation,
        cores=phases.cores,
        gpu_idle=profile.trace.idle,
        layers=[asdict(layer) for layer in profile.trace.layers],
        memory=asdict(profile.memory),
        gains=[asdict(gain) for gain in profile.gains],
        trace=trace,
    )


@dataclass(frozen=True, kw_only=True)
class TogetherDocument(Document):
    """Where the time of a step in several processes goes.

    Attributes:
        device: of the first. step: seconds of a step of all. steps: that were timed.
        samples_per_second: that are trained on by all. adding_up: seconds of a step in which gradients are sent.
        processes: each ``data computing waiting``: seconds of a step in which it waits for data, computes, and waits
            for others; null if unknown.
    """

    kind = "profile_together"
    device: str
    step: float
    steps: int
    samples_per_second: float
    adding_up: float | None
    processes: list[dict[str, float | None]]


def together_document(found: "Together", device: str) -> TogetherDocument:
    """Return the document of a profile of several processes."""
    return TogetherDocument(
        device=device,
        step=found.step,
        steps=found.steps,
        samples_per_second=found.samples_per_second,
        adding_up=found.adding_up,
        processes=[
            {"data": one.data, "computing": one.computing, "waiting": found.waiting(rank)}
            for rank, one in enumerate(found.processes)
        ],
    )
