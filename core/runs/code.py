"""The user's own Python files, as a run's folder keeps them: used in place of the originals, if the user agrees."""

from core.config.schema import TrainConfig
from core.errors import UserCodeError
from core.runs.folder import Run
from core.user_code.loading import parse, program_of, references
from core.user_code.source import Program, copied
from core.user_code.trust import agree, is_trusted

__all__ = ["agreed_code", "from_copies", "programs_of", "trust_config", "unknown_code"]


def from_copies(config: TrainConfig, run: Run | None) -> TrainConfig:
    """The configuration with the copies in a run's folder, if it has any, in place of the files they were made of."""
    if run is None:
        return config
    for used in references(config):
        file, name = parse(used.reference)
        copy = copied(run.code_folder / used.folder, file.name)
        if copy is not None:
            part, now = getattr(config, used.section), f"{copy.resolve()}:{name}"
            given = getattr(part, used.field)
            one_or_all = now if given == used.reference else _replaced(given, used.reference, now)
            part = part.model_copy(update={used.field: one_or_all})
            config = config.model_copy(update={used.section: part})
    return config


def _replaced(values: tuple[str, ...], old: str, new: str) -> tuple[str, ...]:
    return tuple(new if value == old else value for value in values)


def programs_of(config: TrainConfig, run: Run | None = None) -> list[Program]:
    """Return the programs that a configuration names as they are now, those of a run being its copies.

    Raises:
        UserCodeError: one cannot be read.
    """
    return [program_of(used.reference) for used in references(from_copies(config, run))]


def unknown_code(config: TrainConfig, run: Run | None = None) -> list[Program]:
    """Return those programs that the user has neither named, nor agreed to, nor run before.

    Raises:
        UserCodeError: one cannot be read.
    """
    return [program for program in programs_of(config, run) if not is_trusted(program)]


def agreed_code(config: TrainConfig, run: Run | None = None) -> tuple[str, ...]:
    """Return the digests of those programs that may run: what is handed over with a run.

    The process that takes it over compares them with what it finds then.
    """
    try:
        return tuple(program.digest for program in programs_of(config, run) if is_trusted(program))
    except UserCodeError:  # reported when the run is resumed
        return ()


def trust_config(config: TrainConfig, run: Run | None = None) -> None:
    """Note that the user agrees to these programs as they are now.

    Raises:
        UserCodeError: one cannot be read.
    """
    agree(programs_of(config, run))
