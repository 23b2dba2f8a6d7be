"""Problems of the files of a run, found without torch: missing, cut, damaged."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from core.config.schema import TrainConfig, to_dict
from core.errors import RunDamaged, TorchtuiError
from core.evaluation.report import Report
from core.files.atomic import archive_damage
from core.files.reading import open_regular, read_bytes
from core.runs.data_facts import read_facts
from core.runs.folder import Run
from core.runs.history.outline import Outline
from core.runs.lock import is_held
from core.runs.summary import RunSummary, summarise

__all__ = ["LENGTHS", "changed_settings", "problems"]

LENGTHS = {"epochs", "max_minutes", "patience"}
"""Fields of the training section that may change when a run is resumed."""


def problems(run: Run) -> list[str]:
    """One line for each file of `run` that is missing or damaged, each with what that costs; reads all of them."""
    return [*_of_settings(run), *_of_log(run), *_of_checkpoints(run), *_of_evaluations(run)]


def changed_settings(config: TrainConfig, summary: RunSummary) -> str:
    """Describe how a configuration differs from the one a run was started with, except its length; else empty."""
    changes = [
        f"{section}.{field} is {value}, was {summary.config[section][field]}"
        for section, fields in to_dict(config).items()
        for field, value in fields.items()
        if summary.config.get(section, {}).get(field, value) != value
        and not (section == "training" and field in LENGTHS)
    ]
    return ", ".join(changes)


def _of_settings(run: Run) -> Iterator[str]:
    summary = summarise(run)
    try:
        changes = "" if summary.script else changed_settings(run.config(), summary)
    except TorchtuiError as error:
        yield f"{error.message}; the run cannot be resumed or evaluated"
    else:
        if changes:
            yield f"{run.config_file.name} is not what the run was started with: {changes}"
    try:
        read_facts(run)
    except RunDamaged as error:
        yield f"{error.message}; predicting new samples needs it"
    try:
        json.loads(read_bytes(run.environment_file))
    except FileNotFoundError:
        yield f"{run.environment_file.name} is missing; it only documents how the run was made"
    except (OSError, ValueError, RecursionError):
        yield f"{run.environment_file.name} cannot be read; it only documents how the run was made"


def _of_log(run: Run) -> Iterator[str]:
    log = Outline(run)
    while log.read():
        pass
    if log.history.started is None:
        yield f"{run.log_file.name} lacks the start of the run"
    if log.damaged:
        lines = "line, which is" if log.damaged == 1 else "lines, which are"
        yield f"{run.log_file.name} has {log.damaged} damaged {lines} left out"
    if _is_torn(run):
        yield f"{run.log_file.name} ends in the middle of a line, which is left out"


def _is_torn(run: Run) -> bool:
    try:
        with open_regular(run.log_file) as log:
            end = log.seek(0, os.SEEK_END)
            log.seek(max(0, end - 1))
            return end > 0 and log.read() != b"\n" and not is_held(run)
    except OSError:
        return False


def _of_checkpoints(run: Run) -> Iterator[str]:
    summary = summarise(run)
    status = "" if summary.script else summary.status  # a script saves what it likes
    needed = {"last": status in ("stopped", "completed"), "previous": False, "best": status == "completed"}
    loss = {
        "last": "the run resumes from previous.pt if that exists",
        "previous": "it is used when last.pt is damaged",
        "best": "it is rewritten when the run resumes",
    }
    for epoch in run.kept_epochs():
        name = f"epoch-{epoch}"
        needed[name], loss[name] = False, "that epoch cannot be returned to"
    for kind, is_needed in needed.items():
        path = run.checkpoint_file(kind)
        if path.exists() or is_needed:
            yield from _damage(run, path, loss[kind])


def _of_evaluations(run: Run) -> Iterator[str]:
    for report in sorted(run.path.glob("evaluation/*/report.json")):
        try:
            Report.load(report)
        except RunDamaged as error:
            yield f"{error.message}; evaluating the run makes it again"
    for predictions in sorted(run.path.glob("evaluation/*/predictions.npz")):
        yield from _damage(run, predictions, "evaluating the run makes it again")


def _damage(run: Run, path: Path, costs: str) -> Iterator[str]:
    damage = archive_damage(path)
    if damage:
        yield f"{path.relative_to(run.path)}: {damage}; {costs}"
