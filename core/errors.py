"""Every error the product raises on purpose.

    TorchtuiError               1  something went wrong during a run
    |-- ConfigError             2  a field of the configuration is wrong or unknown
    |-- DataError               2  a data set cannot be loaded or does not fit
    |-- ModelError              2  a model cannot be built for this data
    |-- UserCodeError           2  a user's Python file cannot be read, or fails
    |   `-- UntrustedCode       2  it was neither named by the user nor run before
    |-- DeviceError             2  a device is not there or cannot do what was asked
    |-- DependencyError         2  an installed package is missing or does not work
    |-- OutOfMemory             1  memory of a device is full
    |-- ProcessLost             1  another process that trained this run is gone
    |-- RunError                2  a run cannot be found, made or written
    |   |-- RunLocked           2  another process trains this run
    |   |-- StorageNotGiven     2  a study is kept where the user has not said that it may be read
    |   `-- RunDamaged          2  a file of a run cannot be read
    `-- InputError              2  a file or argument given for reading is wrong

The number is the exit code of the command line. The text is one line for people: what was wrong, what was
given; ``hint`` says what to do next, in words that each front end chooses: see `core.remedies`.
"""

from core.remedies import Hint, Words, plain, worded

__all__ = [
    "ConfigError",
    "DataError",
    "DependencyError",
    "DeviceError",
    "InputError",
    "ModelError",
    "OutOfMemory",
    "ProcessLost",
    "RunDamaged",
    "RunError",
    "RunLocked",
    "StorageNotGiven",
    "TorchtuiError",
    "UntrustedCode",
    "UserCodeError",
]


class TorchtuiError(Exception):
    """Base of all errors raised on purpose.

    Args:
        message: one line: what was wrong and what was given.
        hint: one line: what to do; empty when the message says it all.
    """

    exit_code = 1
    trace = ""

    def __init__(self, message: str, hint: Hint = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def worded(self, words: Words = plain) -> str:
        """Return message and hint as one line, remedies in the words of a front end."""
        return f"{self.message}. {worded(self.hint, words)}" if self.hint else self.message

    def __str__(self) -> str:
        return self.worded()


class ConfigError(TorchtuiError):
    """A field of the configuration is wrong or unknown.

    Args:
        message: one line: what was wrong and what was given.
        hint: one line: what to do.
        field: dotted path of the first field concerned, such as ``optimizer.lr``; empty when none is.
    """

    exit_code = 2

    def __init__(self, message: str, hint: Hint = "", field: str = "") -> None:
        super().__init__(message, hint)
        self.field = field


class DataError(TorchtuiError):
    """A data set cannot be loaded, or does not fit what was asked of it."""

    exit_code = 2


class ModelError(TorchtuiError):
    """A model cannot be built for this data."""

    exit_code = 2


class UserCodeError(TorchtuiError):
    """A user's Python file cannot be read, or fails.

    Args:
        message: one line, with the file and the line where it failed.
        hint: one line: what to do.
        trace: the traceback through the user's lines; empty when none of them ran.
    """

    exit_code = 2

    def __init__(self, message: str, hint: Hint = "", trace: str = "") -> None:
        super().__init__(message, hint)
        self.trace = trace


class UntrustedCode(UserCodeError):
    """A Python file was neither named by the user nor run before; it has not been run."""


class DeviceError(TorchtuiError):
    """A device is not there, or cannot do what was asked."""

    exit_code = 2


class DependencyError(TorchtuiError):
    """An installed package is missing or does not work."""

    exit_code = 2


class OutOfMemory(TorchtuiError):
    """Memory of a device is full; the text says what should fit."""


class ProcessLost(TorchtuiError):
    """Another process that trained this run is gone."""


class RunError(TorchtuiError):
    """A run cannot be found, made or written."""

    exit_code = 2


class RunLocked(RunError):
    """Another process trains this run."""


class StorageNotGiven(RunError):
    """A study is kept elsewhere: its folder says where, but the user does not.

    Args:
        message, hint: as for all errors.
        url: what the folder says.
    """

    def __init__(self, message: str, hint: Hint = "", url: str = "") -> None:
        super().__init__(message, hint)
        self.url = url


class RunDamaged(RunError):
    """A file of a run cannot be read; the message names the file."""


class InputError(TorchtuiError):
    """A file or an argument given for reading is wrong."""

    exit_code = 2
