"""The user's own Python files, as a run's folder keeps them: used in place of the originals, if the user agrees."""

from pathlib import Path

from core.config.schema import TrainConfig
from core.runs.folder import Run
from core.user_code.loading import parse, references, source_of
from core.user_code.trust import check, is_trusted, trust

__all__ = ["from_copies", "trust_config", "unknown_code"]


def from_copies(config: TrainConfig, run: Run | None) -> TrainConfig:
    """The configuration with the copies in a run's folder, if it has any, in place of the files they were made of."""
    if run is None:
        return config
    changed = {}
    for section, (field, reference) in references(config).items():
        file, name = parse(reference)
        copy = run.code_folder / section / file.name
        if copy.is_file():
            part = getattr(config, section)
            changed[section] = part.model_copy(update={field: f"{copy.resolve()}:{name}"})
    return config.model_copy(update=changed) if changed else config


def unknown_code(config: TrainConfig, run: Run | None = None) -> list[Path]:
    """The files, those of a run being its copies, that the user has neither named nor run before.

    Raises:
        UserCodeError: one cannot be read.
    """
    named = references(from_copies(config, run)).values()
    sources = [source_of(reference) for _, reference in named]
    return [source.path for source in sources if not is_trusted(source)]


def trust_config(config: TrainConfig, run: Run | None = None) -> None:
    """The user agrees that the files which a configuration names run, those of a run being its copies.

    Raises:
        UserCodeError: one cannot be read.
    """
    for _, reference in references(from_copies(config, run)).values():
        trust(parse(reference)[0])
        check(source_of(reference))  # remembers it for other processes
