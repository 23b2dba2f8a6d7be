"""Temperature and thresholds of a trained run: chosen on validation and kept with it.

Both belong to the best weights that they were chosen for: when a resumed run has better ones, they are left alone.
Writing either one outdates the evaluations that were stored before.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import RunDamaged
from core.evaluation.predictions import Predictions
from core.evaluation.two_classes.decision import Decision, Rule
from core.evaluation.values import Array
from core.files.atomic import creating, write_atomically
from core.files.reading import read_bytes
from core.runs.folder import Run
from core.runs.summary import summarise

__all__ = [
    "decided_by",
    "decision_of",
    "keep_decision",
    "keep_label_decisions",
    "keep_temperature",
    "label_decisions_of",
    "temperature_of",
    "thresholds_of",
]

MAX_BYTES = 10_000


def temperature_of(run: Run) -> float | None:
    """Return the temperature of a run's best weights; None if there is none for them.

    Raises:
        RunDamaged: its file cannot be read.
    """
    values = _read(run, run.calibration_file, "calibrate the run again")
    if values is None:
        return None
    try:
        temperature = float(values["temperature"])
        if not 0 < temperature < float("inf"):
            raise ValueError(f"its temperature is {temperature}")
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(run.calibration_file, error, "calibrate the run again") from None
    return None if temperature == 1 else temperature


def keep_temperature(run: Run, temperature: float) -> None:
    """Keep a temperature with a run; 1 for none.

    Raises:
        RunError: its file cannot be written.
    """
    _write(run, run.calibration_file, {"temperature": temperature})


def decision_of(run: Run) -> Decision | None:
    """Return the threshold of a run's best weights, for the temperature that they have now; None if there is none.

    A temperature changes no ranking, so that the threshold moves with the scores: its log-odds are divided by it.

    Raises:
        RunDamaged: its file cannot be read.
    """
    values = _read(run, run.threshold_file, "choose the threshold again")
    if values is None or values.get("threshold") is None:
        return None
    try:
        rule, threshold, fitted = (
            Rule(**values["rule"]),
            float(values["threshold"]),
            float(values["temperature"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(run.threshold_file, error, "choose the threshold again") from None
    now = temperature_of(run) or 1.0
    if now != fitted and 0 < threshold < 1:
        odds = np.log(threshold / (1 - threshold)) * fitted / now
        threshold = float(1 / (1 + np.exp(-odds)))
    return Decision(threshold, rule)


def keep_decision(run: Run, decision: Decision | None) -> None:
    """Keep a threshold with a run, chosen for the temperature that it has; None for none.

    Raises:
        RunError: its file cannot be written.
    """
    values: dict[str, Any] = {"threshold": None}
    if decision is not None:
        known = {"rule": asdict(decision.rule), "temperature": temperature_of(run) or 1.0}
        values = {"threshold": decision.threshold, **known}
    _write(run, run.threshold_file, values)


def label_decisions_of(run: Run) -> dict[str, Decision]:
    """Return the thresholds that were chosen by rules for labels of a run's best weights, by name.

    Raises:
        RunDamaged: its file cannot be read.
    """
    values = _read(run, run.threshold_file, "choose the thresholds again") or {}
    try:
        return {
            str(name): Decision(float(each["threshold"]), Rule(**each["rule"]))
            for name, each in values.get("labels", {}).items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(run.threshold_file, error, "choose the thresholds again") from None


def keep_label_decisions(run: Run, decisions: Mapping[str, Decision]) -> None:
    """Keep thresholds of labels with a run, in place of those it has.

    Raises:
        RunError: its file cannot be written.
    """
    labels = {
        name: {"threshold": each.threshold, "rule": asdict(each.rule)} for name, each in decisions.items()
    }
    _write(run, run.threshold_file, {"threshold": None, "labels": labels})


def thresholds_of(run: Run, labels: Sequence[str], usual: Array | None) -> Array | None:
    """Return the thresholds of a run as predictions have them: those that were chosen by a rule, else the usual ones.

    Args:
        labels: names of the labels; empty for two classes, which have one threshold, (1,), or none.
        usual: (1,) or (labels,), of labels always there.

    Raises:
        RunDamaged: its file cannot be read.
    """
    if not labels:
        decision = decision_of(run)
        return usual if decision is None else np.array([decision.threshold])
    known = label_decisions_of(run)
    found = [known.get(name.encode(errors="backslashreplace").decode()) for name in labels]
    if usual is None or not any(found):
        return usual
    pairs = zip(found, usual, strict=True)
    return np.array([before if decision is None else decision.threshold for decision, before in pairs])


def decided_by(run: Run, predictions: Predictions, names: Sequence[str]) -> tuple[Predictions, str]:
    """Return predictions with the thresholds that were chosen for a run by a rule, and the rule in words.

    Args:
        names: of the classes or labels.

    Raises:
        RunDamaged: its file cannot be read.
    """
    if predictions.has_labels:
        rules = {decision.rule.words for decision in label_decisions_of(run).values()}
        if not rules:
            return predictions, ""
        words = rules.pop() if len(rules) == 1 else "several rules"
        return replace(predictions, thresholds=thresholds_of(run, names, predictions.used_thresholds)), words
    decision = decision_of(run)
    if decision is None:
        return predictions, ""
    return replace(predictions, thresholds=np.array([decision.threshold])), decision.rule.words


def _read(run: Run, path: Path, remedy: str) -> dict[str, Any] | None:
    """Return what a file has for the best weights; None if it has nothing, or was written for others."""
    if run.checkpoint != "best" or not path.exists():
        return None
    try:
        values = json.loads(read_bytes(path, limit=MAX_BYTES))
        epoch = int(values["best_epoch"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path, error, remedy) from None
    return values if epoch == summarise(run).best_epoch else None


def _damaged(path: Path, error: Exception, remedy: str) -> RunDamaged:
    return RunDamaged(f"{path} cannot be read ({error})", f"Delete it, or {remedy}")


def _write(run: Run, path: Path, values: dict[str, Any]) -> None:
    text = json.dumps({**values, "best_epoch": summarise(run).best_epoch}).encode()
    with creating(path):
        write_atomically(path, lambda file: file.write(text))
