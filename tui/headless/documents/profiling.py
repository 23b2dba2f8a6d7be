"""The document of a profile."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tui.headless.documents.envelope import Document

if TYPE_CHECKING:
    from core.profiling.profile import Profile

__all__ = ["ProfileDocument", "profile_document"]


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
