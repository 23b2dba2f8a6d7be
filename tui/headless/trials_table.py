"""The trials of a study as a table, and as JSON."""

from typing import Any

from core.runs.labels import read_labels
from core.tuning.study.study import TuningStudy
from tui.headless.trial_states import state_text
from tui.terminal.text import UNKNOWN, clean, fit, number, setting

__all__ = ["as_dict", "print_trials"]


def as_dict(study: TuningStudy) -> dict[str, Any]:
    """Return a study and all of its trials as plain values."""
    labels = read_labels(study.folder.path)
    return {
        "v": 1,
        "id": study.name,
        "name": labels.name,
        "tags": labels.tags,
        "note": labels.note,
        "metric": study.plan.metric,
        "direction": study.plan.direction,
        "path": str(study.folder.path.resolve()),
        "trials": [
            {
                "trial": record.number,
                "state": record.state,
                "value": record.value,
                "epochs": record.epochs,
                "params": record.params,
                "seconds": record.seconds,
                "reason": record.reason,
                "run": str(record.run) if record.run else None,
            }
            for record in study.records()
        ],
    }


def print_trials(study: TuningStudy) -> None:
    """Print a line for each trial, in the order of their numbers, then the study's name and folder."""
    paths = list(study.plan.space.domains)
    short = [path.removesuffix(".name").rpartition(".")[2] for path in paths]
    best = study.ranked()[:1]
    rows = [["trial", "state", study.plan.metric, "epochs", *short, "run"]]
    for record in study.records():
        values = [setting(record.params[path]) if path in record.params else UNKNOWN for path in paths]
        star = " *" if record in best else ""
        run = record.run.name.rpartition("_")[2] if record.run else UNKNOWN
        facts = [str(record.number), state_text(record), number(record.value) + star, str(record.epochs)]
        rows.append([clean(cell) for cell in (*facts, *values, run)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(fit(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip())
    labels = read_labels(study.folder.path)
    for label, text in (("name", labels.name), ("tags", " ".join(labels.tags)), ("note", labels.note)):
        for line in text.splitlines():
            print(f"{label:7} {clean(line)}")
    print(f"study   {clean(str(study.folder.path))}")
