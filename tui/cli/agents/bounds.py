"""Bounds of agents, who may not move the test split, name files elsewhere, run code that the user has not agreed to."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from core.config import schema as configuration
from core.config.schema import FAMILIES, TrainConfig
from core.errors import ConfigError, InputError, RunError, UntrustedCode
from core.options import Code
from core.runs.code import unknown_code
from core.runs.folder import Run
from core.runs.summary import RunSummary
from core.user_code.loading import program_of
from core.user_code.trust import is_trusted
from tui.cli.agents.agent import Place
from tui.forms.flags import SHORT_NAMES

__all__ = [
    "config_of",
    "ensure_agreed",
    "ensure_here",
    "ensure_unlocked",
    "is_of_test",
    "reference_of",
    "without_test",
]

LOCKED: Final = frozenset(
    {"evaluation.test"}
    | {
        f"data.{field}"
        for field in ("test", "test_path", "split_seed", "split", "group", "time", "gap", "part")
    }
)
"""Settings that decide which samples are test samples, and whether they are looked at."""
PATH: Final = re.compile(r"[A-Za-z_]\w*(\.\w+)*")
NEVER: Final = {"evaluation": {"test": "never"}}


def config_of(base: Mapping[str, Any], settings: Mapping[str, Any], place: Place) -> TrainConfig:
    """Return the configuration that settings on top of others make, as `--set` lays them on; its test split is locked.

    Args:
        base: nested values of the run that it is to be like; may be empty.
        settings: values by path, such as ``optimizer.lr``, or by the name of a flag, such as ``lr``.

    Raises:
        ConfigError: a setting is unknown, does not fit, or is locked.
        InputError: a file lies elsewhere.
        UntrustedCode: code would run that the user has not agreed to.
    """
    values = dict(base)
    for path, value in sorted(_flat(settings), key=lambda one: _is_of_a_field(one[0])):
        ensure_unlocked(path)
        ensure_here(value, place)
        values = configuration.set_path(values, f"{path}={json.dumps(value)}")
    config = configuration.from_dict(configuration.merge(values, NEVER))
    ensure_agreed(config)
    return config


def ensure_unlocked(path: str) -> None:
    """Make sure that a setting leaves the test split alone.

    Raises:
        ConfigError: it does not, or is no path.
    """
    if not PATH.fullmatch(path):
        raise ConfigError(f"'{path}' is not a setting", "Give a path such as optimizer.lr")
    if path in LOCKED:
        raise ConfigError(
            f"{path} is locked: the test split stays as the user has it",
            "Leave it out; start like a run of the user that splits its data so",
        )


def ensure_here(value: Any, place: Place) -> None:
    """Make sure that a value names no file outside the folders that the user allows.

    Raises:
        InputError: it does.
    """
    for text in _texts(value):
        path = re.sub(r":[A-Za-z_]\w*$", "", text) if re.match(Code.PATTERN, text) else text
        try:
            found = Path(path).expanduser().resolve()
            leads_away = path.startswith(("/", "~")) or ".." in path or found.exists()
        except (OSError, ValueError, RuntimeError):  # too long, or of no user: not a path
            continue
        if leads_away and not any(found.is_relative_to(folder) for folder in place.files):
            raise InputError(
                f"{path} lies outside the folders whose files you may name",
                f"Those are {', '.join(map(str, place.files)) or 'none'}; the user can allow more with --files",
            )


def ensure_agreed(config: TrainConfig, run: Run | None = None, also: Any = ()) -> None:
    """Make sure that only code runs that the user has agreed to; an agent cannot agree.

    Args:
        run: whose copies of the code are used. also: values that may name code, too.

    Raises:
        UntrustedCode: other code would run.
    """
    named = [text for text in _texts(also) if re.match(Code.PATTERN, text)]
    unknown = unknown_code(config, run) or [
        program for program in map(program_of, named) if not is_trusted(program)
    ]
    if unknown:
        raise UntrustedCode(
            f"{unknown[0]} is a program that the user has neither agreed to nor run before",
            "Ask the user to read it and to train with it once",
        )


def reference_of(text: str, place: Place) -> str:
    """Return a reference to a run, a trial or a study in the folder of runs.

    Raises:
        RunError: it leads elsewhere.
    """
    if os.sep not in text:
        return text
    path = Path(text).resolve()
    if path == place.runs_dir or not path.is_relative_to(place.runs_dir):
        raise RunError(
            f"'{text}' is not in the folder of runs", "Give the id of a run, its last letters, or its name"
        )
    return str(path)


def without_test(summary: RunSummary) -> RunSummary:
    """Return a run as agents know it: without test numbers, also where the user has opened them."""
    kept = {split: metrics for split, metrics in summary.evaluation.items() if not is_of_test(split)}
    metrics = {name: value for name, value in summary.metrics.items() if not is_of_test(name)}
    return replace(summary, evaluation=kept, metrics=metrics, test_opened=False)


def is_of_test(name: str) -> bool:
    """Return whether a name of a split, a metric or a curve speaks of test data."""
    return bool({"test", "testing"}.intersection(re.split(r"[^a-z]+", name.casefold())))


def _flat(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield settings by their paths; a section may be given with its fields in it."""
    for given, value in settings.items():
        if given in TrainConfig.model_fields and isinstance(value, Mapping):
            yield from ((f"{given}.{field}", inner) for field, inner in value.items())
        else:
            yield SHORT_NAMES.get(given, given), value


def _is_of_a_field(path: str) -> bool:
    return path not in FAMILIES and not path.endswith(".name")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from (*_texts(key), *_texts(inner))
    elif isinstance(value, list | tuple | set):
        for inner in value:
            yield from _texts(inner)
