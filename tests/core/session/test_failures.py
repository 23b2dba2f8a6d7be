"""Where a model fails, of a stream: from a bounded part of a split, which is reported."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from core.data.dataset import no_progress
from core.session import failures as failures_module
from core.session.evaluation import RunData, evaluate_run
from core.session.failures import failures_of


@pytest.mark.slow
def test_slices_of_a_stream_come_from_samples_that_are_drawn(
    tmp_path: Path, train_run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = np.random.default_rng(0)
    a, b = draw.normal(size=(2, 400))
    frame = pl.DataFrame(
        {"a": a, "b": b, "colour": ["red", "blue"] * 200, "label": np.where(a > 0, "no", "yes")}
    )
    frame.write_parquet(tmp_path / "t.parquet")
    values = {
        "data": {"name": "csv", "path": str(tmp_path / "t.parquet"), "feed": "stream"},
        "model": {"name": "linear"},
        "training": {"epochs": 1, "baselines": "none"},
    }
    run = train_run(values).run
    evaluation = evaluate_run(run, "test")
    whole = failures_of(evaluation, RunData(run, None), no_progress)
    assert (whole.slices_of, whole.shuffled_in) == ("", "")
    total = len(evaluation.predictions)
    assert sum(one.samples for one in whole.slices if one.column == "colour") == total
    monkeypatch.setattr(failures_module, "MAX_STREAMED", 50)
    some, again = (failures_of(evaluation, RunData(run, None), no_progress) for _ in range(2))
    assert some.slices_of == f"50 of {total} samples, drawn at random"
    assert sum(one.samples for one in some.slices if one.column == "colour") == 50
    assert some.slices == again.slices
    assert len(some.label_errors) == len(whole.label_errors)
