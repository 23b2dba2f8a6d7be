"""Documents of what can be chosen, what a configuration is, and whether this machine can train it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from core.options import Options, default_of, unit_of
from core.remedies import worded
from tui.forms.remedies import command_line_words
from tui.headless.documents.envelope import Document

if TYPE_CHECKING:
    from core.doctor.check import Check
    from core.observers.machine_state import MachineState
    from core.session.preflight.finding import Finding

__all__ = [
    "ChoicesDocument",
    "ConfigDocument",
    "DoctorDocument",
    "SystemDocument",
    "choices_document",
    "doctor_document",
    "preflight_document",
    "system_document",
]


@dataclass(frozen=True, kw_only=True)
class ChoiceField:
    """One setting of a choice; `unit` is empty where it has none."""

    name: str
    default: Any
    unit: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One thing that can be chosen by its name."""

    name: str
    text: str
    fields: list[ChoiceField]


@dataclass(frozen=True, kw_only=True)
class ChoicesDocument(Document):
    """The data sets, models, losses, optimizers or schedules, with their settings.

    Attributes:
        family: the section of the configuration that the name stands in.
    """

    kind = "choices"
    family: str
    choices: list[Choice]


@dataclass(frozen=True, kw_only=True)
class ConfigDocument(Document):
    """A whole configuration, with every default."""

    kind = "config"
    config: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class DoctorDocument(Document):
    """Checks of this machine, or of a network with its data.

    Attributes:
        ok: whether nothing is wrong.
        checks: of the machine each ``name ok found advice``; of a network each ``name level message hint seconds``.
    """

    kind = "doctor"
    ok: bool
    checks: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class SystemDocument(Document):
    """The machine at one moment; sizes in bytes.

    Attributes:
        cores: that this process may use. cpu: per cent of all cores; per_core: of each.
        load: over 1, 5 and 15 minutes. memory_used, memory_total: within the limits of this process.
        disks: each with ``path free total``. gpu_note: why there are no GPUs; empty where there are some.
        gpus: each with ``index name use memory_used memory_total temperature power``: per cent, bytes, Celsius, watts.
        processes: each with ``pid user cpu memory gpu_memory command``, those on a GPU first, then by CPU.
    """

    kind = "system"
    host: str
    cores: int
    cpu: float
    per_core: Sequence[float]
    load: Sequence[float]
    memory_used: int
    memory_total: int
    swap_used: int
    swap_total: int
    disks: list[dict[str, Any]]
    gpus: list[dict[str, Any]]
    gpu_note: str
    processes: list[dict[str, Any]]


def choices_document(family: str, options: Mapping[str, type[Options]]) -> ChoicesDocument:
    """Return the document of one family of choices."""
    return ChoicesDocument(family=family, choices=[_choice(name, each) for name, each in options.items()])


def doctor_document(checks: "Iterable[Check]") -> DoctorDocument:
    """Return the document of checks of this machine, whose advice is worded already."""
    found = list(checks)
    return DoctorDocument(ok=all(check.ok for check in found), checks=[asdict(check) for check in found])


def preflight_document(findings: "Iterable[Finding]") -> DoctorDocument:
    """Return the document of what pre-flight found."""
    from core.session.preflight.finding import first_error

    found = list(findings)
    return DoctorDocument(ok=first_error(found) is None, checks=[_finding(each) for each in found])


def system_document(state: "MachineState", processes: int) -> SystemDocument:
    """Return the document of the machine, with so many of its processes."""
    values: dict[str, Any] = asdict(state)
    for name in ("disks", "gpus", "processes"):
        values[name] = list(values[name])
    return SystemDocument(**{**values, "processes": values["processes"][:processes]})


def _choice(name: str, option: type[Options]) -> Choice:
    fields = [
        ChoiceField(name=key, default=default_of(field), unit=unit_of(field), text=field.description or "")
        for key, field in option.model_fields.items()
        if key != "name"
    ]
    return Choice(name=name, text=(option.__doc__ or "").strip(), fields=fields)


def _finding(finding: "Finding") -> dict[str, Any]:
    hint = worded(finding.hint, command_line_words)
    told = {"name": finding.name, "level": finding.level, "message": finding.message, "hint": hint}
    return {**told, "seconds": round(finding.seconds, 4)}
