"""A run that stands for several others: evaluated by the mean of their scores, kept and compared like any run."""

import os
import socket
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from core.config import schema as configuration
from core.config.yaml_files import read_yaml
from core.data.dataset import Progress
from core.errors import ConfigError, InputError
from core.evaluation.predictions import Predictions
from core.events import EvaluationFinished, RunFinished
from core.inference.chosen import decided_by
from core.inference.predict import predict
from core.inference.saving import save_evaluation
from core.inference.stored import Evaluation, load_evaluation
from core.inference.together import averaged, ensure_alike
from core.interop.script_files import make_folder
from core.runs.folder import Run, all_runs
from core.runs.log import EventLog
from core.runs.script import bare_start, script_sections
from core.runs.together import BY, SECTION, members_of
from core.session.evaluation import evaluate_run, trained_model
from core.session.together import trained_together
from core.tasks.evaluation import evaluate

__all__ = ["evaluate_together", "run_of"]

NAME = "together"
"""Part of the name of such a run's folder."""


def evaluate_together(
    runs: Sequence[Run], split: str, *, runs_dir: Path, data_root: Path | None, progress: Progress
) -> Evaluation:
    """Return the evaluation of several runs as one model, in a run of its own, which is made the first time.

    Raises:
        InputError: these are fewer than two runs.
        TorchtuiError: one of them cannot be evaluated, or they do not answer the same question about the same samples.
    """
    members = _expanded(runs)
    parts = [evaluate_run(member, split, data_root=data_root, progress=progress) for member in members]
    ensure_alike([(part.predictions, part.report) for part in parts])
    if not parts[0].predictions.has_scores:  # answers alone have no mean
        progress("predicting", 0, 0)
        predictions = _predicted(members, split, data_root, progress)
    else:
        predictions = averaged([part.predictions for part in parts])
    first = parts[0].report
    run = run_of(members, runs_dir)
    predictions, rule = decided_by(run, predictions, first.class_names)
    report = evaluate(predictions, task=first.task, class_names=first.class_names, split=split)
    report = replace(
        report, chosen_by=(rule or first.chosen_by) if predictions.thresholds is not None else ""
    )
    save_evaluation(run, predictions, report)
    with closing(EventLog(run)) as log:
        log.write(EvaluationFinished(split=split, metrics=report.metrics))
        log.write(RunFinished(status="completed"))
    return load_evaluation(run, split)


def _predicted(members: Sequence[Run], split: str, data_root: Path | None, progress: Progress) -> Predictions:
    """Return what several networks predict together, from their scores of each sample."""
    trained = trained_together(
        [trained_model(member, data_root=data_root, progress=progress) for member in members]
    )
    return predict(trained.model, split, trained.data, trained.scorer, trained.device)


def run_of(members: Sequence[Run], runs_dir: Path) -> Run:
    """Return the run that stands for some others: the one that is there, or a new one.

    Raises:
        RunError: it cannot be written.
    """
    names = _names(members, runs_dir)
    for run in all_runs(runs_dir):
        if f"_{NAME}_" in run.id and sorted(_named_in(run)) == sorted(names):
            return run
    sections = configuration.to_dict(members[0].config())
    known = script_sections({**sections, SECTION: {"runs": names}}, BY)
    run = make_folder(runs_dir, NAME, known)
    started = bare_start(known, pid=os.getpid(), host=socket.gethostname())
    with closing(EventLog(run)) as log:
        log.write(started)
    return run


def _expanded(runs: Sequence[Run]) -> list[Run]:
    """The runs, in place of those that stand for others their members; each once."""
    found = {member.path.resolve(): member for run in runs for member in members_of(run) or [run]}
    if len(found) < 2:
        raise InputError("one run alone is no group", "Give two runs or more")
    return list(found.values())


def _names(members: Sequence[Run], runs_dir: Path) -> list[str]:
    """How the members are found again from the folder of runs: by id, or by path where they lie elsewhere."""
    inside = runs_dir.resolve()
    return [
        member.id if member.path.resolve().parent == inside else str(member.path.resolve())
        for member in members
    ]


def _named_in(run: Run) -> list[str]:
    try:
        section = read_yaml(run.config_file, follow_links=False).get(SECTION)
    except ConfigError:
        return []
    return section.get("runs", []) if isinstance(section, dict) else []
