"""Simple models stored beside a run, and how its network compares with them on the same samples.

runs/.../baselines/
  baselines.json             what they are, and their reports by split
  boosting-test.npz          the predictions of each, for paired comparisons
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.config.schema import TrainConfig, to_dict
from core.errors import RunDamaged, TorchtuiError
from core.evaluation.paired import MAX_CELLS, Difference, paired_differences, same_samples
from core.evaluation.predictions import Predictions
from core.evaluation.report import Report
from core.files.atomic import creating, write_atomically
from core.files.reading import read_bytes
from core.inference.stored import Evaluation
from core.metrics import COMPARED, label_of, lower_is_better, number, signed
from core.runs.folder import Run, ensure_plain

__all__ = [
    "BOOSTING",
    "Baseline",
    "Baselines",
    "Compared",
    "as_dict",
    "compared",
    "key_of",
    "load_baselines",
    "models_beside",
    "not_better_than_boosting",
    "save_baselines",
]

BOOSTING = "boosting"
FOLDER, FILE, TRIALS = "baselines", "baselines.json", "trials"
VERSION = 1
MAX_BYTES = 1 << 26
WRONG = (OSError, ValueError, KeyError, TypeError, AttributeError)


@dataclass(frozen=True)
class Baseline:
    """A simple model that was trained on the training samples of a run.

    Attributes:
        title: such as ``gradient boosting``.
        how: how it was made.
        rows: training samples that it learnt from.
        reports: its evaluation by split.
        predictions: of each split, until they are stored.
    """

    name: str
    title: str
    how: str
    rows: int
    seconds: float
    reports: Mapping[str, Report]
    predictions: Mapping[str, Predictions] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Baselines:
    """All simple models beside a run.

    Attributes:
        notes: why there are none, or not some, a line each.
        key: the settings that they depend on.
    """

    models: tuple[Baseline, ...] = ()
    notes: tuple[str, ...] = ()
    key: str = ""


@dataclass(frozen=True)
class Compared:
    """A simple model beside a network.

    Attributes:
        metric: the first one of an evaluation: accuracy, or R2.
        difference: the network's value minus this model's, on the same samples; None where these are not known, or
            show nothing of chance, as those of few groups.
        is_better: the network's value is the better one.
    """

    model: Baseline
    metric: str
    value: float
    interval: tuple[float, float] | None
    difference: Difference | None
    is_better: bool

    @property
    def verdict(self) -> str:
        """Return whether the network is better, as far as these samples tell."""
        if self.difference is None:
            return "not tested"
        if not self.difference.is_clear:
            return "not clearly different"
        return "network better" if self.is_better else "network worse"


def key_of(config: TrainConfig) -> str:
    """Return a digest of the settings that simple models depend on."""
    plain = to_dict(config)
    parts = (plain["data"], plain["loss"].get("class_weights"), plain["training"]["sampling"])
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def save_baselines(run: Run, found: Baselines) -> None:
    """Write all of them into the run's folder.

    Raises:
        RunError: they cannot be written.
    """
    ensure_plain(run)
    folder = run.path / FOLDER
    with creating(folder):
        folder.mkdir(exist_ok=True)
    for model in found.models:
        for split, predictions in model.predictions.items():
            if predictions.scores.size <= MAX_CELLS:
                predictions.save(folder / f"{model.name}-{split}.npz")
    text = json.dumps(_plain(found), allow_nan=False)
    write_atomically(folder / FILE, lambda file: file.write(text.encode()))


def _plain(found: Baselines) -> dict[str, Any]:
    models = [
        {
            "name": model.name,
            "title": model.title,
            "how": model.how,
            "rows": model.rows,
            "seconds": round(model.seconds, 3),
            "reports": {split: report.to_dict() for split, report in model.reports.items()},
        }
        for model in found.models
    ]
    return {"v": VERSION, "key": found.key, "notes": list(found.notes), "models": models}


def load_baselines(run: Run) -> Baselines | None:
    """Return the simple models beside a run, or of its study; None where there are none, or their file is damaged."""
    holder = _holder(run)
    return _stored(holder) if holder else None


def _holder(run: Run) -> Run | None:
    """The folder with the simple models of a run: its own, or of a trial that of its study, if data is the same."""
    if _file(run).is_file():
        return run
    study = Run(run.path.parent.parent)
    stored = _stored(study) if run.path.parent.name == TRIALS else None
    try:
        return study if stored is not None and stored.key == key_of(run.config()) else None
    except TorchtuiError:
        return None


def _file(run: Run) -> Path:
    return run.path / FOLDER / FILE


def _stored(run: Run) -> Baselines | None:
    path = _file(run)
    try:
        return _load(path, path.stat().st_mtime_ns)
    except WRONG:
        return None


@lru_cache(maxsize=64)
def _load(path: Path, stamp: int) -> Baselines:
    values = json.loads(read_bytes(path, limit=MAX_BYTES))
    models = tuple(
        Baseline(
            name=str(each["name"]),
            title=str(each["title"]),
            how=str(each["how"]),
            rows=int(each["rows"]),
            seconds=float(each["seconds"]),
            reports={str(split): Report.from_dict(report) for split, report in each["reports"].items()},
        )
        for each in values["models"]
    )
    return Baselines(models, tuple(map(str, values["notes"])), str(values["key"]))


def compared(evaluation: Evaluation) -> list[Compared]:
    """Return the simple models beside the run of an evaluation, on its split, best first.

    Differences are corrected for the number of these models.
    """
    found, report = load_baselines(evaluation.run), evaluation.report
    metric = next((name for name in COMPARED if report.metrics.get(name) is not None), None)
    value = report.metrics.get(metric) if metric else None
    if found is None or metric is None or value is None:
        return []
    lower = lower_is_better(metric)
    there = [model for model in found.models if _value(model, report.split, metric) is not None]
    rows = []
    for model in there:
        theirs = _value(model, report.split, metric)
        assert theirs is not None
        interval = model.reports[report.split].intervals.get(metric)
        rows.append(
            Compared(
                model,
                metric,
                theirs,
                (interval[0], interval[1]) if interval else None,
                _difference(evaluation, model.name, metric, value - theirs, len(there)),
                value < theirs if lower else value > theirs,
            )
        )
    return sorted(rows, key=lambda row: row.value if lower else -row.value)


def _value(model: Baseline, split: str, metric: str) -> float | None:
    report = model.reports.get(split)
    return report.metrics.get(metric) if report else None


def _difference(
    evaluation: Evaluation, name: str, metric: str, value: float, comparisons: int
) -> Difference | None:
    mine, holder = evaluation.predictions, _holder(evaluation.run)
    if holder is None:
        return None
    path = holder.path / FOLDER / f"{name}-{evaluation.split}.npz"
    try:
        theirs = _predictions(path, path.stat().st_mtime_ns)
    except (OSError, RunDamaged):
        return None
    if mine.scores.size > MAX_CELLS or not same_samples(mine, theirs):
        return None
    return paired_differences(mine, theirs, {metric: value}, comparisons).get(metric)


@lru_cache(maxsize=16)
def _predictions(path: Path, stamp: int) -> Predictions:
    return Predictions.load(path)


def not_better_than_boosting(evaluation: Evaluation, rows: list[Compared]) -> str:
    """Return a line where the network is not clearly better than boosting; empty where it is, or there is none.

    Where nothing shows how much chance is in the difference, the network is better if its value is.
    """
    found = next((row for row in rows if row.model.name == BOOSTING), None)
    if found is None or (found.is_better and (found.difference is None or found.difference.is_clear)):
        return ""
    value = evaluation.report.metrics[found.metric]
    if found.difference is None:
        how, more = "not better than", ", not tested"
    else:
        how = "worse than" if found.difference.is_clear else "not clearly better than"
        low_high = " to ".join(map(signed, found.difference.interval))
        more = f", difference {signed(found.difference.value)}, 95 % {low_high}"
    return (
        f"the network is {how} gradient boosting on {evaluation.split}: {label_of(found.metric)} "
        f"{number(value)} against {number(found.value)}{more}"
    )


def models_beside(runs: Iterable[Run], split: str) -> list[Baseline]:
    """Return the simple models beside the first run that has some, those that were evaluated on a split.

    Args:
        runs: on the same data.
    """
    found = next((stored for run in runs if (stored := load_baselines(run)) is not None), Baselines())
    return [model for model in found.models if split in model.reports]


def as_dict(row: Compared) -> dict[str, Any]:
    """Return a comparison as plain values for JSON."""
    difference = row.difference
    found = {"metric": row.metric, "value": row.value, "verdict": row.verdict}
    if difference is not None:
        found["difference"] = {
            "value": difference.value,
            "interval": list(difference.interval),
            "p": difference.p,
        }
    return {"name": row.model.name, "title": row.model.title, "how": row.model.how} | found
