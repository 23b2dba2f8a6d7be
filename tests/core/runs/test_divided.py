"""Checkpoints that several processes write, each its part: whole or not there at all, and read as one."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from core.config.checkpoints import KeptCheckpoints
from core.errors import RunDamaged, RunError
from core.files.atomic import write_atomically
from core.runs.checkpoints import FolderCheckpoints, load_checkpoint, load_latest, load_weights
from core.runs.divided.files import OtherParts, size_of
from core.runs.folder import Run

SIZE = 3
LONG = 60.0
WEIGHT = torch.arange(8.0).reshape(4, 2)
"""Three processes have 2, 2 and no rows of it."""


class Together:
    """Threads in place of processes: each call waits for the others."""

    def __init__(self, rank: int, barrier: threading.Barrier, said: list[int]) -> None:
        self.rank, self.size = rank, SIZE
        self._barrier, self._said = barrier, said

    def first(self, value: int) -> int:
        return self._exchanged(value)[0]

    def all_did(self, done: bool) -> bool:
        return all(self._exchanged(int(done)))

    def _exchanged(self, value: int) -> list[int]:
        self._said[self.rank] = value
        self._barrier.wait(LONG)
        said = list(self._said)
        self._barrier.wait(LONG)
        return said


def part(tensor: torch.Tensor, rank: int) -> dict[str, Any]:
    chunks = tensor.chunk(SIZE)
    rows = chunks[rank] if rank < len(chunks) else tensor[:0]
    key = ("model", "weight")
    return {"model": {"weight": None, "buffer": torch.ones(1)}, "divided": {key: 4}, "parts": {key: rows}}


def state_of(rank: int, epoch: int, value: float = 1.0) -> dict[str, Any]:
    weight, best = WEIGHT + epoch, WEIGHT * 10 + epoch
    progress = {"epoch": epoch, "step": epoch * 10, "top": []}
    return {
        **part(weight, rank),
        "optimizer": {},
        "rng": {},
        "progress": progress,
        "best": {**part(best, rank), "epoch": epoch, "step": epoch * 10, "value": value},
    }


class Three:
    """The checkpoints of three processes of one run."""

    def __init__(self, run: Run, kept: KeptCheckpoints | None = None) -> None:
        barrier, said = threading.Barrier(SIZE), [0] * SIZE
        writers = [Together(rank, barrier, said) for rank in range(SIZE)]
        first = FolderCheckpoints(run, kept or KeptCheckpoints(), writers[0])
        self.all: list[Any] = [first, *(OtherParts(run, each) for each in writers[1:])]

    def save(self, kind: Any, epoch: int, value: float = 1.0) -> list[RunError | None]:
        """Save in all of them; return what each raised."""
        errors: list[RunError | None] = [None] * SIZE

        def save(rank: int) -> None:
            state = state_of(rank, epoch, value)
            try:
                self.all[rank].save(state["best"] if kind == "best" else state, kind)
            except RunError as error:
                errors[rank] = error

        threads = [threading.Thread(target=save, args=(rank,)) for rank in range(SIZE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LONG)
        return errors


def folders(run: Run) -> list[str]:
    return sorted(path.name for path in (run.path / "checkpoints").iterdir() if path.is_dir())


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "run").mkdir()
    return Run(tmp_path / "run")


def test_parts_are_read_as_one_state(run: Run) -> None:
    three = Three(run)
    assert three.save("last", 1) == three.save("best", 1) == [None] * SIZE
    state = load_checkpoint(run, "last")
    assert state.keys().isdisjoint({"divided", "parts", "folder", "processes"})
    assert torch.equal(state["model"]["weight"], WEIGHT + 1)
    assert torch.equal(state["best"]["model"]["weight"], WEIGHT * 10 + 1)
    assert torch.equal(load_weights(run)[0]["weight"], WEIGHT * 10 + 1)
    assert list(state["model"]) == ["weight", "buffer"]
    assert size_of(run, "last") > run.checkpoint_file("last").stat().st_size


def test_folders_stay_as_long_as_a_checkpoint_names_them(run: Run) -> None:
    three = Three(run, KeptCheckpoints(every=2))
    for epoch in (1, 2, 3):
        three.save("last", epoch)
    three.save("epoch", 2)
    assert three.save("best", 3, value=0.5) == three.save("best", 4, value=0.9) == [None] * SIZE
    assert len(folders(run)) == 4
    assert [load_checkpoint(run, kind)["progress"]["epoch"] for kind in ("last", "previous", "epoch-2")] == [
        3,
        2,
        2,
    ]
    FolderCheckpoints(run).save(
        {**joined_state(run), "progress": {"epoch": 4, "step": 40, "top": []}}, "last"
    )
    assert len(folders(run)) == 3
    assert torch.equal(load_checkpoint(run, "previous")["model"]["weight"], WEIGHT + 3)


def joined_state(run: Run) -> dict[str, Any]:
    return {key: value for key, value in load_checkpoint(run, "last").items() if key != "format"}


@pytest.mark.parametrize("rank", range(SIZE))
def test_a_process_that_cannot_write_leaves_the_earlier_checkpoint(
    rank: int, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    three = Three(run)
    three.save("last", 1)
    real = write_atomically

    def full(path: Path, write: Callable[..., object], **more: Any) -> None:
        if path.name.startswith(f"{rank + 1}-of-"):
            raise RunError(f"cannot write {path}: no space left")
        real(path, write, **more)

    monkeypatch.setattr("core.runs.divided.files.write_atomically", full)
    errors = three.save("last", 2)
    assert all(errors)
    assert "no space left" in str(errors[rank])
    assert load_checkpoint(run, "last")["progress"]["epoch"] == 1
    assert len(folders(run)) == 1
    monkeypatch.undo()
    assert three.save("last", 3) == [None] * SIZE


def test_a_kill_before_all_is_written_leaves_the_earlier_checkpoint(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All parts are there, and the file that names them is not: the next session removes them."""
    three = Three(run)
    three.save("last", 1)

    def killed(*arguments: Any, **more: Any) -> None:
        raise RunError("killed")

    monkeypatch.setattr("core.runs.checkpoints.write_atomically", killed)
    assert all(three.save("last", 2))
    monkeypatch.undo()
    assert len(folders(run)) == 2
    assert load_latest(run)[0] is not None
    assert load_checkpoint(run, "last")["progress"]["epoch"] == 1
    again = Three(run)
    again.save("last", 2)
    again.save("last", 3)
    assert len(folders(run)) == 2


def test_damage_of_a_part_is_found(run: Run) -> None:
    three = Three(run)
    three.save("last", 1)
    three.save("last", 2)
    folder = run.path / "checkpoints" / "parts-2"
    file = folder / "2-of-3.pt"
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(RunDamaged, match=r"2-of-3\.pt"):
        load_checkpoint(run, "last")
    state, problem = load_latest(run)
    assert state is not None
    assert state["progress"]["epoch"] == 1
    assert "2-of-3.pt" in problem
    (folder / "1-of-3.pt").write_bytes((folder / "3-of-3.pt").read_bytes())
    file.write_bytes((folder / "3-of-3.pt").read_bytes())
    with pytest.raises(RunDamaged, match=r"model.weight is not complete"):
        load_checkpoint(run, "last")


@pytest.mark.parametrize("folder", ["../../elsewhere", "parts-x", 3])
def test_a_folder_of_another_kind_is_refused(folder: Any, run: Run) -> None:
    state = {**joined_like(), "folder": folder, "processes": 1}
    (run.path / "checkpoints").mkdir()
    torch.save(state, run.checkpoint_file("last"))
    with pytest.raises(RunDamaged, match="names no folder"):
        load_checkpoint(run, "last")


def joined_like() -> dict[str, Any]:
    return {"model": {}, "progress": {"epoch": 1, "step": 1}, "divided": {}}
