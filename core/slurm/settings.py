"""Settings of a Slurm job: what it asks for, and the environment that it loads."""

import re
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field

from core.options import Lines, Options, Unit

__all__ = ["OF_SEVERAL", "OURS", "SlurmSettings", "in_one_process", "seconds_of"]

TIME = re.compile(
    r"(?:(?P<days>\d+)-(?P<dh>\d+)(?::(?P<dm>\d+))?(?::(?P<ds>\d+))?)"
    r"|(?:(?:(?P<h>\d+):)?(?P<m>\d+):(?P<s>\d+))"
    r"|(?P<minutes>\d+)"
)
"""The ways in which Slurm writes durations, see ``man sbatch``, option ``time``."""

OURS = (
    *(
        "signal",
        "output",
        "error",
        "open-mode",
        "array",
        "wrap",
        "requeue",
        "no-requeue",
        "export",
        "test-only",
    ),
    *("chdir", "parsable", "wait", "nodes", "ntasks", "ntasks-per-node"),
)
"""Options of sbatch that a run depends on, or that are fields of their own."""


OF_SEVERAL = ("nodes", "processes_per_node")
"""Settings of a job that does its work in several processes."""


def seconds_of(time: str) -> int:
    """Return the seconds of a duration as Slurm writes it, such as ``04:00:00``, ``90`` minutes or ``2-12``.

    Raises:
        ValueError: it is no such duration.
    """
    match = TIME.fullmatch(time)
    if match is None:
        raise ValueError(f"'{time}' is not a duration; Give hours:minutes:seconds, days-hours, or minutes")
    parts = {name: int(text or 0) for name, text in match.groupdict().items()}
    hours = parts["days"] * 24 + parts["dh"] + parts["h"]
    minutes = hours * 60 + parts["dm"] + parts["m"] + parts["minutes"]
    return minutes * 60 + parts["ds"] + parts["s"]


def _a_duration(time: str) -> str:
    if time and not seconds_of(time):
        raise ValueError(f"'{time}' is no time at all; Give hours:minutes:seconds, days-hours, or minutes")
    return time


def _an_option(text: str) -> str:
    text = text.removeprefix("#SBATCH").strip()
    name = re.match(r"--([a-z][a-z-]*)(?=[=\s]|$)|-([A-Za-z])(?=[=\s\w]|$)", text)
    if name is None:
        raise ValueError(f"'{text}' is not an option of sbatch; Write it as in a job script")
    if name[1] in OURS or name[2] in tuple("oeaDWNn"):
        raise ValueError(f"'{text}': a run sets this itself; Leave it out")
    return text


def _a_word(text: str) -> str:
    if not re.fullmatch(r"[\w.,:+@%/=-]*", text):
        raise ValueError(f"'{text}' is not one word; Use letters, digits and . , : + @ % / = - _")
    return text


def _an_amount(memory: str) -> str:
    if not re.fullmatch(r"([0-9]+[KMGT]?)?", memory):
        raise ValueError(
            f"'{memory}' is not an amount of memory; Give MB, or a number with K, M, G or T, such as 32G"
        )
    return memory


PlainWord = Annotated[str, AfterValidator(_a_word)]
Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$", max_length=2000)]
"""One line of a script: nothing in it begins another one."""
OptionLine = Annotated[Line, AfterValidator(_an_option)]


class SlurmSettings(Options):
    """Resources of a Slurm job, and the environment that it loads."""

    partition: PlainWord = ""
    """Partition to run in; empty takes the cluster's own choice."""
    nodes: Annotated[int, Field(ge=1, le=100_000)] = 1
    """Machines that train one run together."""
    gpus_per_node: Annotated[int, Field(ge=0, le=64)] = 0
    """GPUs of each node."""
    processes_per_node: Annotated[int, Field(ge=0, le=1024)] = 0
    """Processes of each node; 0 is one for each GPU, or one without GPUs."""
    cores: Annotated[int, Field(ge=0, le=4096)] = 0
    """Processor cores of each node; 0 takes the cluster's own choice."""
    memory: Annotated[str, AfterValidator(_an_amount)] = ""
    """Memory of each node, such as 32G; empty takes the cluster's own choice."""
    time: Annotated[str, AfterValidator(_a_duration)] = ""
    """Time limit, such as 04:00:00 or 2-12 for days and hours; empty takes the partition's."""
    warning: Annotated[int, Field(ge=10, le=3600), Unit("seconds")] = 120
    """Seconds before the time limit at which a run saves and requeues itself."""
    account: PlainWord = ""
    """Account to charge; empty takes the user's own."""
    sbatch: Annotated[tuple[OptionLine, ...], Lines()] = ()
    """Further options of sbatch, such as --constraint=a100 or --mail-type=END."""
    setup: Annotated[tuple[Line, ...], Lines()] = ()
    """Lines of the shell before the run starts, such as: module load cuda."""

    @property
    def launched_per_node(self) -> int:
        """How many processes of a node train together, at least 1."""
        return self.processes_per_node or max(1, self.gpus_per_node)


Settings = TypeVar("Settings", bound=SlurmSettings)


def in_one_process(settings: Settings) -> Settings:
    """Return the settings of a job that does its work in one process."""
    usual = {key: SlurmSettings.model_fields[key].default for key in OF_SEVERAL}
    return settings.model_copy(update=usual)
