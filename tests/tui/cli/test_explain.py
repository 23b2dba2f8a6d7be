"""`tui explain`: slices, importance of columns and targets that look wrong, as text and as JSON."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Tui = Callable[..., Any]


@pytest.fixture
def run(tui: Tui) -> None:
    """Trains on a table in which one column alone says the target, except for the rows of one city."""
    rng = np.random.default_rng(0)
    rows = ["height,noise,city,target"]
    for place in range(600):
        height, city = rng.normal(), ("Ulm", "Bonn", "Kiel")[place % 3]
        right = height > 0 if city != "Kiel" else rng.random() < 0.5
        rows.append(f"{height:.4f},{rng.normal():.4f},{city},{'tall' if right else 'short'}")
    Path("rows.csv").write_text("\n".join(rows))
    answer = tui(
        "train --no-ui --data rows.csv --set data.target=target --epochs 8 --lr 0.05 --device cpu --threads 1 -q"
        " --set data.validation=0.4"
    )
    assert answer.code == 0


@pytest.mark.slow
@pytest.mark.usefixtures("run")
def test_the_city_and_the_column_that_matter_come_first(tui: Tui) -> None:
    told = json.loads(tui("explain latest --json").out)
    worst = told["slices"][0]
    assert (worst["column"], worst["value"], worst["is_worse"]) == ("city", "Kiel", True)
    assert worst["score"] < 0.75 < worst["rest"]
    assert told["importances"][0]["column"] == "height"
    assert told["importances"][0]["fall"] > 0.2
    assert abs(told["importances"][-1]["fall"]) < 0.1
    text = tui("explain latest").out
    assert "▼   city = Kiel" in text
    assert "fall of accuracy" in text


@pytest.mark.slow
def test_pictures_have_no_slices_but_targets_that_may_look_wrong(tui: Tui) -> None:
    tui("train --no-ui --data digits --epochs 2 --device cpu --threads 1 -q")
    answer = tui("explain latest")
    assert answer.code == 0
    assert "its samples have no columns" in answer.out
