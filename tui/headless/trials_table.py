"""The trials of a study as a table."""

from rich.cells import cell_len

from core.runs.labels import read_labels
from core.tuning.study.study import TuningStudy
from tui.headless.trial_states import state_text
from tui.terminal.text import UNKNOWN, clean, fit, number, setting

__all__ = ["print_trials"]


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
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(fit(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip())
    labels = read_labels(study.folder.path)
    for label, text in (("name", labels.name), ("tags", " ".join(labels.tags)), ("note", labels.note)):
        for line in text.splitlines():
            print(f"{label:7} {clean(line)}")
    print(f"study   {clean(str(study.folder.path))}")
