"""Settings of the observers. They are not part of a configuration: results do not depend on them, and
the address of a notification is often a secret. The environment carries them to every process that trains.
"""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator

from core.errors import DependencyError, InputError
from core.observers.alerts import SYSTEM, parse_rule
from core.options import Options, Unit

__all__ = ["ALONE", "Extras", "Tracker", "ensure_possible"]

Tracker = Literal["tensorboard", "mlflow"]


class Extras(Options):
    """Observers of a training. The environment variable of a field is its name after ``TUI_``."""

    log: tuple[Tracker, ...] = ()
    """Trackers to log to as well: tensorboard in the run's folder, mlflow at its tracking URI."""
    notify: str = ""
    """URL that gets a POST of JSON, or a command, when the run finishes, fails, diverges or stalls."""
    alert: tuple[str, ...] = ()
    """Rule such as 'validation loss > 2' or 'gpu idle for 5 minutes' that warns, and notifies; repeatable."""
    stall_minutes: Annotated[float, Field(gt=0), Unit("minutes")] = 10.0
    """Time without a step after which a run counts as stalled."""
    system: bool = True
    """Whether CPU, memory and GPU usage is recorded."""
    media: Annotated[int, Field(ge=0, le=1_000_000)] = 1000
    """Images, texts and histograms that are kept of one name, and megabytes of all; 0 keeps none."""

    @field_validator("log", mode="before")
    @classmethod
    def _separate(cls, given: Any) -> Any:
        """Names in one text are separated by commas."""
        return [name for name in given.split(",") if name] if isinstance(given, str) else given

    @field_validator("alert", mode="before")
    @classmethod
    def _ruled(cls, given: Any) -> Any:
        """Rules in one text are separated by semicolons; each must be one."""
        texts = given.split(";") if isinstance(given, str) else given
        return tuple(parse_rule(text).text for text in texts if text.strip())

    @classmethod
    def variables(cls) -> tuple[str, ...]:
        """Return the names of the environment variables."""
        return tuple(f"TUI_{name.upper()}" for name in cls.model_fields)

    @classmethod
    def from_environment(cls, over: Mapping[str, Any] | None = None) -> Self:
        """Return the settings of the environment, with some fields replaced.

        Raises:
            InputError: a variable or an option has a value that does not fit.
        """
        over = over or {}
        told = dict(zip(cls.model_fields, map(os.environ.get, cls.variables()), strict=True))
        given = {**{name: value for name, value in told.items() if value}, **over}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = str(first["loc"][0])
            place = f"--{name.replace('_', '-')}" if name in over else f"TUI_{name.upper()}"
            if first["type"] == "value_error":
                problem, _, hint = str(first["msg"]).removeprefix("Value error, ").partition("; ")
                raise InputError(f"{place}: {problem}", hint) from None
            raise InputError(
                f"{place}: got '{first['input']}'", str(first["msg"]).removeprefix("Input ").capitalize()
            ) from None

    def to_environment(self) -> None:
        """Make `from_environment` give this, here and in the processes that are started from here."""
        os.environ["TUI_LOG"] = ",".join(self.log)
        os.environ["TUI_NOTIFY"] = self.notify
        os.environ["TUI_ALERT"] = ";".join(self.alert)
        os.environ["TUI_STALL_MINUTES"] = str(self.stall_minutes)
        os.environ["TUI_SYSTEM"] = "1" if self.system else "0"
        os.environ["TUI_MEDIA"] = str(self.media)


ALONE = Extras(system=False, media=0)
"""No observers, and nothing to look at: a trial of a study is one of many."""
PACKAGES: Mapping[str, str] = {"tensorboard": "tensorboard", "mlflow": "mlflow"}


def ensure_possible(extras: Extras) -> None:
    """Check before a run starts that the requested observers work here.

    Raises:
        DependencyError: a package is not installed.
        InputError: the notification command does not exist, or an alert watches what is not recorded.
    """
    for tracker in extras.log:
        if find_spec(PACKAGES[tracker]) is None:
            raise DependencyError(
                f"log {tracker}: {PACKAGES[tracker]} is not installed", f'pip install "torchtui[{tracker}]"'
            )
    sampled = [rule for rule in extras.alert if parse_rule(rule).name in SYSTEM]
    if sampled and not extras.system:
        raise InputError(f"alert: '{sampled[0]}' needs the load of the machine", "Let it be recorded")
    if extras.notify:
        from core.observers.notify import check_target

        check_target(extras.notify)
