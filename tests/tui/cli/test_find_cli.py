"""`tui lr-find` and `tui batch-find`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.training import batch_finder
from core.training.batch_finder import BatchTest, TriedBatch
from core.training.lr_finder import RangeTest
from tui.headless.finder_report import batch_sentence, rate_chart, rate_sentence

Tui = Callable[..., Any]
SMALL = "--data iris --model mlp --device cpu --threads 1"


def test_a_learning_rate_is_shown_with_its_reason(tui: Tui) -> None:
    answer = tui(f"lr-find {SMALL} --optimizer adam")
    assert (answer.code, answer.err) == (0, "")
    assert "The loss falls fastest at a learning rate of" in answer.out
    assert "Smith 2017" in answer.out
    assert answer.out.startswith("loss over the learning rate\n")
    suggestion = answer.out.split("--lr ")[1].strip()
    assert tui(f"config --optimizer adam --lr {suggestion}").code == 0
    assert list(Path().iterdir()) == [], "nothing is written"


def test_a_learning_rate_as_json(tui: Tui) -> None:
    told = json.loads(tui(f"lr-find {SMALL} --json").out)
    assert {"suggestion", "bolder", "lowest", "blew_up", "points"} < set(told)
    assert set(told["points"][0]) == {"lr", "loss", "smoothed"}
    assert told["points"][0]["lr"] == pytest.approx(1e-6)
    assert told["suggestion"] < told["lowest"]


def test_a_batch_size_is_shown_with_its_reason(tui: Tui, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_finder, "TEST_SECONDS", 0.0)
    answer = tui(f"batch-find {SMALL}")
    assert (answer.code, answer.err) == (0, "")
    sizes = [int(line.split()[0]) for line in answer.out.splitlines() if "samples/s" in line]
    assert sizes == [8, 16, 32, 64]
    assert "--batch-size" in answer.out


def test_a_batch_size_as_json(tui: Tui, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_finder, "TEST_SECONDS", 0.0)
    told = json.loads(tui(f"batch-find {SMALL} --json").out)
    assert {"suggestion", "ended", "room", "sizes", "steps_per_epoch"} < set(told)
    assert [set(size) for size in told["sizes"]] == [{"batch_size", "samples_per_second", "memory"}] * 4
    assert told["ended"] == "data"


@pytest.mark.parametrize("command", ["lr-find", "batch-find"])
def test_what_does_not_fit_is_refused(tui: Tui, command: str) -> None:
    answer = tui(f"{command} --data iris --loss l1")
    assert answer.code == 2
    assert "the l1 loss does not work for classes" in answer.err
    assert tui(f"{command} --optimizer adan").code == 2


def test_a_loss_that_blows_up_does_not_flatten_the_chart() -> None:
    test = RangeTest([10.0**n for n in range(-6, 1)], [2.0, 2.0, 1.5, 1.0, 1.2, 2.0, 1e6], blew_up=True)
    assert rate_chart(test).y_range[1] == pytest.approx(1.3 * 2, rel=0.1)


def test_sentences() -> None:
    never = RangeTest([1e-6, 1e-5], [1.0, 1.0], blew_up=False)
    assert "did not fall at any learning rate" in rate_sentence(never)
    too_large = BatchTest([], 0, "out of memory")
    assert "smaller model" in batch_sentence(too_large)
    some = [TriedBatch(8, 10.0, 1), TriedBatch(16, 30.0, 2)]
    assert "more than the allowed 4 KiB" in batch_sentence(BatchTest(some, 4096, "memory"))
    assert "Above 16, memory ran out" in batch_sentence(BatchTest(some, 4096, "out of memory"))
    assert "as the fastest: 3 steps per epoch, ▲ few" in batch_sentence(BatchTest(some, 0, "data", 40))
    assert "as the fastest: 1,000 steps per epoch. 16 also fits" in batch_sentence(
        BatchTest(some, 0, "data", 16_000)
    )
