"""Learning-rate schedules by name: functions of the training progress, and of what they have seen of validation.

To add one: write a class in a module here and put it into `ScheduleConfig`.
"""

from typing import Annotated

from pydantic import Field

from core.schedules.plateau import Plateau
from core.schedules.progress import Constant, Cosine, OneCycle, Polynomial, Step
from core.schedules.python import PythonSchedule

__all__ = ["Constant", "OneCycle", "ScheduleConfig", "curve"]

CURVE_POINTS = 400

ScheduleConfig = Annotated[
    Constant | Step | Cosine | OneCycle | Polynomial | Plateau | PythonSchedule, Field(discriminator="name")
]


def curve(
    schedule: ScheduleConfig, lr: float, epochs: int, steps_per_epoch: int
) -> tuple[list[float], list[float]]:
    """Return epochs, from 0, and the learning rate that a schedule sets there, for a chart of the whole run.

    Validation is taken to become better with every epoch.
    """
    steps = epochs * steps_per_epoch
    places = sorted({round(point * (steps - 1) / CURVE_POINTS) for point in range(CURVE_POINTS + 1)})
    factors = (schedule.factor(step, steps, steps_per_epoch) for step in places)
    return [step / steps_per_epoch for step in places], [lr * factor for factor in factors]
