"""Checkpoints beyond best and last: which are kept, the disk space they may take, and what can be done with each."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from core.control import RunControl
from core.errors import RunDamaged, RunError
from core.events import CheckpointSaved, EpochFinished, Notice
from core.export.export import export
from core.runs.checkpoints import load_checkpoint, load_weights
from core.runs.folder import Run, with_checkpoint
from core.runs.problems import problems
from core.session.evaluation import evaluate_run, score_inputs, trained_model
from core.session.resume import resume_state

Train = Callable[..., Any]
IRIS: dict[str, Any] = {
    "data": {"name": "iris", "validation": 0.3},
    "model": "mlp",
    "optimizer": {"name": "adam", "lr": 0.1},
    "training": {"epochs": 7, "batch_size": 16},
}


def keeping(training: dict[str, Any] | None = None, **checkpoints: Any) -> dict[str, Any]:
    return {**IRIS, "training": {**IRIS["training"], **(training or {})}, "checkpoints": checkpoints}


def ranked(trained: Any, metric: str = "loss") -> list[int]:
    """Epochs, the one with the lowest validation loss or highest other metric first."""
    sign = 1 if metric == "loss" else -1
    epochs = trained.told(EpochFinished)
    return [epoch.epoch for epoch in sorted(epochs, key=lambda epoch: sign * epoch.validation[metric])]


def test_none_is_kept_unasked(train_run: Train) -> None:
    assert train_run(IRIS).run.kept_epochs() == []


def test_every_few_epochs_are_kept_and_reported(train_run: Train) -> None:
    trained = train_run(keeping(every=3))
    assert trained.run.kept_epochs() == [3, 6]
    saved = [event.epoch for event in trained.told(CheckpointSaved) if event.kind == "epoch"]
    assert saved == [3, 6]


def test_the_best_are_kept_by_the_monitored_metric(train_run: Train) -> None:
    trained = train_run(keeping(keep=2))
    assert set(trained.run.kept_epochs()) == set(ranked(trained)[:2])
    trained = train_run(keeping({"monitor": "accuracy", "epochs": 9}, keep=3))
    assert set(trained.run.kept_epochs()) == set(ranked(trained, "accuracy")[:3])


def test_both_rules_together_keep_what_either_wants(train_run: Train) -> None:
    trained = train_run(keeping(every=3, keep=1))
    assert set(trained.run.kept_epochs()) == {3, 6, ranked(trained)[0]}


@pytest.mark.slow
def test_at_the_limit_the_oldest_go_first_which_is_reported_once(train_run: Train) -> None:
    size = train_run(keeping(every=1)).run.checkpoint_file("epoch-7").stat().st_size
    trained = train_run(keeping(every=1, max_gb=2.5 * size / 1e9))
    assert trained.run.kept_epochs() == [6, 7]
    told = [note.message for note in trained.told(Notice) if "max_gb" in note.message]
    assert len(told) == 1
    assert told[0].endswith("deleted epoch-1, and from now on the oldest one each time")


def test_a_checkpoint_that_is_larger_than_the_limit_is_not_kept(train_run: Train) -> None:
    trained = train_run(keeping(every=3, max_gb=1e-6))
    assert trained.run.kept_epochs() == []
    assert any(note.message.endswith("none is kept") for note in trained.told(Notice))


@pytest.mark.slow
def test_an_epoch_is_kept_as_it_was(train_run: Train) -> None:
    """The weights after three epochs are those of a run of three epochs, bit for bit."""
    short, long = train_run(keeping({"epochs": 3})), train_run(keeping(every=3))
    for name, weight in short.weights("last").items():
        assert torch.equal(weight, long.weights("epoch-3")[name])


@pytest.mark.slow
def test_a_run_resumes_from_any_of_them_and_ends_alike(train_run: Train) -> None:
    trained = train_run(keeping(every=2, keep=1))
    expected, files = trained.weights("last"), trained.run.kept_epochs()
    again = train_run(run=with_checkpoint(trained.run, "epoch-2"))
    assert [epoch.epoch for epoch in again.told(EpochFinished)] == [3, 4, 5, 6, 7]
    run = Run(trained.run.path)
    assert run.kept_epochs() == files
    last = load_checkpoint(run, "last")
    assert last["progress"]["epoch"] == 7
    assert "is_chosen" not in last
    assert all(torch.equal(weight, last["model"][name]) for name, weight in expected.items())


def test_one_returned_to_is_the_last_one_at_once(train_run: Train) -> None:
    """A run that is killed right after the return does not jump ahead again."""
    trained = train_run(keeping(every=2))

    def stop(control: RunControl, model: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_run(run=with_checkpoint(trained.run, "epoch-4"), at_step=(1, stop))
    state = resume_state(Run(trained.run.path), trained.run.config())
    assert state is not None
    assert state["progress"]["epoch"] == 4


def test_each_is_evaluated_apart_from_the_best(train_run: Train) -> None:
    run = train_run(keeping(every=1)).run
    best, first = evaluate_run(run, "validation"), evaluate_run(with_checkpoint(run, "epoch-1"), "validation")
    assert first.report.metrics["log_loss"] != best.report.metrics["log_loss"]
    assert evaluate_run(run, "validation").report == best.report
    assert evaluate_run(with_checkpoint(run, "epoch-1"), "validation").made == first.made, "it is stored"


def test_each_predicts_and_is_exported(train_run: Train, tmp_path: Path) -> None:
    run = with_checkpoint(train_run(keeping(every=1)).run, "epoch-2")
    trained = trained_model(run)
    assert torch.equal(
        next(iter(trained.model.state_dict().values())), next(iter(load_weights(run)[0].values()))
    )
    assert score_inputs(trained, torch.zeros(3, 4)).shape == (3, 3)
    written = export(run, "safetensors", tmp_path / "out", data_root=None, progress=lambda *_: None)
    assert written.difference == pytest.approx(0, abs=1e-6)


def test_of_a_moving_average_the_average_is_evaluated(train_run: Train) -> None:
    trained = train_run(keeping({"ema": 0.9}, every=1))
    best = next(epoch.best_epoch for epoch in trained.told(EpochFinished)[::-1])
    weights, _ = load_weights(with_checkpoint(trained.run, f"epoch-{best}"))
    expected = trained.weights("best")
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[name], expected[name]) for name in expected)


def test_an_unknown_name_is_refused_with_the_known_ones(train_run: Train) -> None:
    run = train_run(keeping(every=3)).run
    with pytest.raises(RunError, match="no checkpoint 'epoch-4'") as wrong:
        with_checkpoint(run, "epoch-4")
    assert "It has best, last, previous, epoch-3, epoch-6" in str(wrong.value)
    with pytest.raises(RunError, match="no checkpoint"):
        with_checkpoint(run, "../../other")


def test_weights_alone_are_not_resumed_from(train_run: Train) -> None:
    run = train_run(keeping(every=3)).run
    run.checkpoint_file("epoch-3").write_bytes(run.checkpoint_file("best").read_bytes())
    with pytest.raises(RunDamaged):
        resume_state(with_checkpoint(run, "epoch-3"), run.config())


def test_a_damaged_one_is_listed(train_run: Train) -> None:
    run = train_run(keeping(every=3)).run
    damaged = bytearray(run.checkpoint_file("epoch-3").read_bytes())
    damaged[len(damaged) // 2] ^= 255
    run.checkpoint_file("epoch-3").write_bytes(damaged)
    (problem,) = problems(run)
    assert problem.startswith("checkpoints/epoch-3.pt")
    assert problem.endswith("cannot be returned to")


def test_a_run_of_an_earlier_version_has_the_defaults(train_run: Train) -> None:
    run = train_run(IRIS).run
    text = run.config_file.read_text()
    run.config_file.write_text(text[: text.index("checkpoints:")])
    assert run.config().checkpoints.every == 0
