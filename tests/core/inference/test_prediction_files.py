"""Saved predictions come back whole, or the file is named as damaged."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import DataError, RunDamaged, RunError
from core.evaluation import Predictions


def example(n: int = 5) -> Predictions:
    rng = np.random.default_rng(0)
    scores = rng.random((n, 3), dtype=np.float32)
    return Predictions(scores, rng.integers(0, 3, n), rng.permutation(n), probabilities=False)


def same(a: Predictions, b: Predictions) -> bool:
    arrays = ("scores", "targets", "indices")
    return a.probabilities == b.probabilities and all(
        getattr(a, name).dtype == getattr(b, name).dtype
        and np.array_equal(getattr(a, name), getattr(b, name))
        for name in arrays
    )


def test_saved_predictions_come_back_and_no_other_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "evaluation" / "test" / "predictions.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    example().save(path)
    example(9).save(path)

    assert same(Predictions.load(path), example(9))
    assert [file.name for file in path.parent.iterdir()] == ["predictions.npz"]


def test_a_failed_save_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "predictions.npz"
    example().save(path)

    def full(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full)
    with pytest.raises(RunError, match="no space"):
        example(9).save(path)

    assert same(Predictions.load(path), example())
    assert [file.name for file in tmp_path.iterdir()] == ["predictions.npz"]


@pytest.mark.parametrize("keep", [0, 1, 30, 0.5, 0.9, -1])
def test_a_cut_file_is_damaged(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "predictions.npz"
    example().save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole)) if isinstance(keep, float) else keep])

    with pytest.raises(RunDamaged, match=r"predictions\.npz"):
        Predictions.load(path)


def refused_or_same(path: Path) -> bool:
    """Return whether the file is refused; if not, it holds the example."""
    try:
        loaded = Predictions.load(path)
    except RunDamaged:
        return True
    assert same(loaded, example())
    return False


@pytest.mark.slow
def test_a_flipped_bit_is_damage_or_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "predictions.npz"
    example().save(path)
    whole = path.read_bytes()
    damaged = 0
    for position in range(len(whole)):
        changed = bytearray(whole)
        changed[position] ^= 1 << (position % 8)
        path.write_bytes(changed)
        damaged += refused_or_same(path)
    assert damaged > len(whole) / 3


@pytest.mark.parametrize(
    "change",
    [
        {"targets": None},
        {"probabilities": None},
        {"probabilities": np.array([True, False])},
        {"targets": np.zeros(4, dtype=np.int64)},
        {"targets": np.zeros(5, dtype=np.float32)},
        {"scores": np.zeros((5, 3), dtype=np.int32)},
        {"scores": np.zeros((5, 3, 1), dtype=np.float32)},
        {"scores": np.float32(1.0)},
        {"indices": np.zeros((5, 1), dtype=np.int64)},
    ],
    ids=lambda change: "-".join(
        f"{key}-{getattr(value, 'shape', 'missing')}" for key, value in change.items()
    ),
)
def test_a_file_with_missing_or_unfit_arrays_is_damaged(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "predictions.npz"
    arrays = {**vars(example()), **change}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})

    with pytest.raises(RunDamaged, match=r"predictions\.npz"):
        Predictions.load(path)


def test_pickles_are_never_loaded(tmp_path: Path) -> None:
    path = tmp_path / "predictions.npz"
    np.savez(path, **{**vars(example()), "scores": np.array([[Path("x")]] * 5, dtype=object)})

    with pytest.raises(RunDamaged, match="allow_pickle"):
        Predictions.load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunDamaged, match=r"gone\.npz"):
        Predictions.load(tmp_path / "gone.npz")


def test_unfit_arrays_are_named_with_their_kinds_and_shapes() -> None:
    with pytest.raises(DataError, match=r"targets int64 \(2,\)"):
        Predictions(np.zeros((3, 2)), np.zeros(2, np.int64), np.arange(3), True)


def test_of_two_equal_scores_the_positive_class_is_predicted() -> None:
    scores = np.array([[0.5, 0.5], [0.2, 0.8]])

    assert Predictions(scores, np.array([1, 1]), np.arange(2), True).predicted.tolist() == [1, 1]
