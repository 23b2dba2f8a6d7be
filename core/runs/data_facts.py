"""Facts that a run keeps of its data: all but the samples, so that new ones can be predicted without the old."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.data.dataset import Dataset, Split
from core.data.division.facts import digests
from core.data.fingerprint import OWN, fingerprint, same
from core.data.registry import DataConfig
from core.errors import DataError, RunDamaged
from core.files.atomic import write_atomically
from core.files.reading import read_bytes
from core.runs.folder import Run
from core.tasks.registry import task_of

__all__ = [
    "are_checked",
    "as_padded",
    "ensure_same_data",
    "keep_warnings",
    "kept_warnings",
    "known_data",
    "read_facts",
    "write_data_facts",
]

PLAIN = ("name", "kind", "task", "class_names", "feature_names", "target_mean", "target_std", "value_range")
OPTIONAL = (
    "deep_range",
    "target_names",
    "whole",
    "min_length",
)
"""Fields that older runs did not keep."""


def write_data_facts(run: Run, data: Dataset, *, checked: bool = True) -> None:
    """Write ``data.json``, unless it is there.

    Args:
        checked: false if the splits are to be checked later; see `keep_warnings`.

    Raises:
        RunError: it cannot be written.
    """
    if run.data_file.exists():
        return
    facts: dict[str, Any] = {key: getattr(data, key) for key in (*PLAIN, *OPTIONAL)}
    facts |= {"mean": data.mean.tolist(), "std": data.std.tolist(), "sample_shape": data.sample_shape}
    facts["dtype"] = "" if data.fields else str(data.train.inputs.dtype).removeprefix("torch.")
    facts["fields"] = [field.plain() for field in data.fields]
    facts["documents"] = {"encoding": data.documents.encoding} if data.documents else None
    facts["vocabulary"] = data.vocabulary.plain() if data.vocabulary else None
    facts["conditioning"] = data.conditioning.plain() if data.conditioning else None
    facts["split"] = digests(data)
    facts["warnings"], facts["checked"] = data.warnings, checked
    facts["table"] = data.table.plain() if data.table else None
    facts["fingerprint"] = fingerprint(data) if data.name in OWN and not data.table else None
    _write(run, facts)


def _write(run: Run, facts: dict[str, Any]) -> None:
    text = json.dumps(facts, indent=1, ensure_ascii=False)
    write_atomically(run.data_file, lambda file: file.write(text.encode("utf-8", "surrogateescape")))


def read_facts(run: Run) -> dict[str, Any] | None:
    """The plain values of ``data.json``; None when the run did not keep it.

    Raises:
        RunDamaged: the file cannot be read.
    """
    try:
        facts = json.loads(read_bytes(run.data_file))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(run, error) from None
    if not isinstance(facts, dict):
        raise _damaged(run, TypeError("it is not a mapping"))
    return facts


def are_checked(run: Run) -> bool:
    """Return whether the splits of a run were checked, or never will be.

    Raises:
        RunDamaged: ``data.json`` cannot be read.
    """
    return (read_facts(run) or {}).get("checked", True) is not False


def keep_warnings(run: Run, lines: Sequence[str]) -> None:
    """Keep what looked suspicious about the splits of a run that were checked after it was started.

    Raises:
        RunError: ``data.json`` cannot be written, or read.
    """
    if (facts := read_facts(run)) is not None:
        _write(run, {**facts, "warnings": list(lines), "checked": True})


def kept_warnings(run: Run) -> list[str]:
    """Return what looked suspicious about a run's splits; empty where that is not known."""
    try:
        found = (read_facts(run) or {}).get("warnings")
    except RunDamaged:
        return []
    return [str(line) for line in found] if isinstance(found, list) else []


def known_data(run: Run) -> Dataset | None:
    """A run's data without samples; None when the run did not keep it.

    Raises:
        RunDamaged: the file cannot be read.
    """
    facts = read_facts(run)
    if facts is None:
        return None
    import numpy as np
    import torch

    from core.data.conditioning import Conditioning
    from core.data.inputs import Fields, InputField
    from core.data.tables.table import Table
    from core.data.text.documents import Documents
    from core.data.text.plain import vocabulary_from_plain

    try:
        fields = tuple(map(InputField.from_plain, facts.get("fields", ())))
        inputs: Any = Fields({field.name: field.empty() for field in fields})
        if not fields:
            inputs = torch.zeros((0, *facts["sample_shape"]), dtype=getattr(torch, facts["dtype"]))
        plain: dict[str, Any] = {key: facts[key] for key in PLAIN}
        plain |= {key: facts[key] for key in OPTIONAL if key in facts}
        plain |= {key: _listed(facts[key]) for key in ("target_mean", "target_std")}
        empty = Split(
            inputs,
            task_of(facts["task"]).unknown_targets(0, len(facts["class_names"]) or len(plain["target_mean"])),
            np.zeros(0, dtype=np.int64),
        )
        plain = {key: tuple(value) if isinstance(value, list) else value for key, value in plain.items()}
        plain |= {key: torch.tensor(facts[key], dtype=torch.float32) for key in ("mean", "std")}
        plain["fields"] = fields
        documents = facts.get("documents")
        plain["documents"] = Documents(documents["encoding"]) if documents else None
        plain["vocabulary"] = vocabulary_from_plain(facts.get("vocabulary"))
        plain["ids"] = plain["vocabulary"] is not None and not fields
        made = facts.get("conditioning")
        plain["conditioning"] = Conditioning.from_plain(made) if made else None
        plain["table"] = Table.from_plain(facts["table"]) if facts["table"] else None
        return Dataset(train=empty, validation=empty, test=empty, **plain)
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:
        raise _damaged(run, error) from None


def as_padded(run: Run, data: Dataset) -> Dataset:
    """Return data whose batches of filled ids have as many steps as when the run was started.

    Older runs padded them all to the longest sequence of train.

    Raises:
        RunDamaged: what the run kept of it cannot be read.
    """
    if data.padding is None:
        return data
    return replace(data, min_length=int((read_facts(run) or {}).get("min_length", data.longest)))


def ensure_same_data(run: Run, data: Dataset) -> None:
    """Make sure that what a run learns from is what it was when the run began, as far as the run kept that.

    Raises:
        DataError: it has changed.
        RunDamaged: what the run kept of it cannot be read.
    """
    facts = read_facts(run) if len(data.train) else None
    if facts is None:
        return  # without samples it is what the run kept
    config = run.config().data
    if (data.table or data.name in OWN) and not _is_same(run, facts, data):
        raise _changed(run, config)
    kept, now = facts.get("split") or {}, digests(data)
    if isinstance(kept, dict) and any(kept[name] != now[name] for name in kept.keys() & now.keys()):
        what = next((f"data.{key}" for key in ("split", "group", "time") if getattr(config, key)), "data")
        raise DataError(
            f"{what}: the samples of train, validation and test are not those that {run.id} was started with",
            "Restore the old file, or start a new run",
        )


def _changed(run: Run, config: DataConfig) -> DataError:
    to_do = "Make it return what it returned then" if config.name == "python" else "Restore the old one"
    return DataError(
        f"data.path: {Path(getattr(config, 'path', '')).name} has changed since {run.id} was started",
        f"{to_do}, or start a new run; new samples can be predicted as before",
    )


def _is_same(run: Run, facts: dict[str, Any], data: Dataset) -> bool:
    """Return whether data is that of which a run kept these facts; True where an old run did not keep enough."""
    try:
        if data.table is not None:
            return not facts["table"] or bool(facts["table"]["digest"] == data.table.digest)
        before = facts.get("fingerprint")
        return before is None or same(before, fingerprint(data))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _damaged(run, error) from None


def _listed(value: Any) -> list[float]:
    """Return the numbers of each target; older runs kept that of the only one."""
    return value if isinstance(value, list) else [value]


def _damaged(run: Run, error: Exception) -> RunDamaged:
    reason = str(error).partition("\n")[0]
    return RunDamaged(f"{run.data_file} cannot be read: {reason}", "Restore it from a copy")
