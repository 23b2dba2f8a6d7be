"""Numbers of an event, by the names that other trackers show."""

from collections.abc import Mapping

from core.events import EpochFinished, EvaluationFinished, Event, StepLogged, SystemSampled

__all__ = ["scalars"]


def scalars(event: Event) -> dict[str, float]:
    """``train/loss``, ``validation/loss``, ``lr``, ``test/accuracy``, ``system/cpu`` ...; undefined ones left out."""
    match event:
        case StepLogged():
            return {**_grouped("train", event.train), "lr": event.lr}
        case EpochFinished():
            of_train = {f"{name}_epoch": value for name, value in event.train.items()}
            validation = _grouped("validation", event.validation)
            return {**validation, **_grouped("train", of_train), "epoch": float(event.epoch)}
        case EvaluationFinished():
            return _grouped(event.split, event.metrics)
        case SystemSampled():
            return _grouped("system", event.shares())
    return {}


def _grouped(group: str, values: Mapping[str, float | None]) -> dict[str, float]:
    return {f"{group}/{name}": value for name, value in values.items() if value is not None}
