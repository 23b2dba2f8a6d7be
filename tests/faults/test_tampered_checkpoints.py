"""Weights that somebody has edited: commands refuse them in one sentence, run nothing, and allocate little."""

import io
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from core.errors import RunDamaged
from core.runs.checkpoints import load_checkpoint
from core.runs.folder import Run, all_runs
from tests.support.cost import memory_growth
from tests.tui.cli.conftest import Tui

HUGE = 1 << 42


class Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


def saved(content: object) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def good(run: Run, kind: str) -> dict[str, Any]:
    return load_checkpoint(run, kind)


def with_payload(run: Run, kind: str) -> bytes:
    return saved({**good(run, kind), "optimizer": Payload(run.path.parent.parent / "pwned")})


def bare_pickle(run: Run, kind: str) -> bytes:
    return pickle.dumps(Payload(run.path.parent.parent / "pwned"))


def legacy_format(run: Run, kind: str) -> bytes:
    file = io.BytesIO()
    torch.save(Payload(run.path.parent.parent / "pwned"), file, _use_new_zipfile_serialization=False)
    return file.getvalue()


def truncated(run: Run, kind: str) -> bytes:
    content = run.checkpoint_file(kind).read_bytes()
    return content[: len(content) * 2 // 3]


def huge_by_strides(run: Run, kind: str) -> bytes:
    """Claims terabytes that are one number again and again."""
    state = good(run, kind)
    wide = {name: torch.zeros(1).expand(HUGE) for name in state["model"]}
    return saved({**state, "model": wide})


def bomb(run: Run, kind: str) -> bytes:
    """Holds an entry of 268 MB in a thousandth of that."""
    source, target = zipfile.ZipFile(run.checkpoint_file(kind)), io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for entry in source.infolist():
            archive.writestr(entry.filename, source.read(entry))
        archive.writestr("archive/data/9999", bytes(1 << 28), zipfile.ZIP_DEFLATED)
    return target.getvalue()


def other_types(run: Run, kind: str) -> bytes:
    return saved({**good(run, kind), "model": [1, 2], "progress": "none", "optimizer": None, "best": 3})


def other_shapes(run: Run, kind: str) -> bytes:
    state = good(run, kind)
    return saved({**state, "model": {name: torch.zeros(3, 3, 3) for name in state["model"]}})


def not_numbers(run: Run, kind: str) -> bytes:
    state = good(run, kind)
    full = {name: torch.full_like(weight, float("nan")) for name, weight in state["model"].items()}
    return saved({**state, "model": full})


Tampering = Callable[[Run, str], bytes]
CODE: list[Tampering] = [with_payload, bare_pickle, legacy_format]
TAMPERINGS: list[Tampering] = [
    *CODE,
    truncated,
    huge_by_strides,
    bomb,
    other_types,
    other_shapes,
    not_numbers,
]
COMMANDS = {
    "last": ["train --no-ui --resume latest --set training.epochs=4"],
    "best": [
        "evaluate latest --split train",
        "predict latest new.csv --csv p.csv",
        "export latest --to safetensors --output exported",
    ],
}


@pytest.fixture
def run(tui: Tui, tmp_path: Path) -> Run:
    assert tui("train --no-ui --data iris --model mlp --epochs 2 --device cpu --threads 1 --quiet").code == 0
    (run,) = all_runs(tmp_path / "here" / "runs")
    shutil.rmtree(run.path / "evaluation")
    Path("new.csv").write_text("\n".join([",".join("abcd"), *["5,3,1,0.5"] * 4]) + "\n")
    return run


@pytest.mark.slow
@pytest.mark.parametrize("tamper", TAMPERINGS)
def test_commands_refuse_them_in_one_sentence(tamper: Tampering, tui: Tui, run: Run, tmp_path: Path) -> None:
    for kind, commands in COMMANDS.items():
        whole = run.checkpoint_file(kind).read_bytes()
        run.checkpoint_file("previous").unlink(missing_ok=True)
        run.checkpoint_file(kind).write_bytes(tamper(run, kind))
        for command in commands:
            answer = tui(command)
            assert "Traceback" not in answer.out + answer.err, command
            assert answer.code in (0, 1, 2), command
            if tamper is not not_numbers:
                assert answer.code != 0, f"{command}: {answer.out}"
                assert answer.err.startswith(("error: ", "resum")), f"{command}: {answer.err}"
        assert not (tmp_path / "here" / "pwned").exists()
        assert tui("runs show latest").code == 0
        run.checkpoint_file(kind).write_bytes(whole)


@pytest.mark.slow
@pytest.mark.parametrize("tamper", [huge_by_strides, bomb])
def test_what_claims_to_be_huge_is_refused_before_it_is_read(tamper: Tampering, run: Run) -> None:
    run.checkpoint_file("best").write_bytes(tamper(run, "best"))

    def load() -> None:
        with pytest.raises(RunDamaged):
            load_checkpoint(run, "best")

    assert memory_growth(load) < 100e6
