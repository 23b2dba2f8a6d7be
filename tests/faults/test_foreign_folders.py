"""Runs of another user: what may be read is shown, what may not is named, and nothing is changed."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.runs.folder import Run, all_runs
from tests.tui.cli.conftest import Tui

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.getuid() != 0, reason="another user's files need root to be made"),
]

NOBODY = 65534
READING = ["runs", "runs --json", "runs show latest", "report latest --output {out}/page.html"]
CHANGING = [
    "train --no-ui --resume latest --set training.epochs=9",
    "evaluate latest --split train",
    "stop latest",
]
OTHERS = [
    "predict latest {out}/new.csv --csv {out}/p.csv",
    "export latest --to csv --output {out}/exported",
]


MAY_READ = {
    "forbid_nothing": READING,
    "forbid_files": ["runs", "runs --json", "runs show latest"],
    "forbid_folder": ["runs", "runs --json"],
}
"""Commands that work, by what is forbidden."""


@contextmanager
def as_nobody() -> Iterator[None]:
    """Context manager in which this process may do what another user may."""
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def out() -> Iterator[Path]:
    """Yield a folder in which everybody may write; those of pytest are its user's own."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        out.chmod(0o777)
        (out / "new.csv").write_text("a,b,c,d\n5,3,1,0.5\n")
        yield out


@pytest.fixture
def foreign(tui: Tui, tmp_path: Path, out: Path) -> Run:
    """Return a run of root."""
    answer = tui("train --no-ui --data iris --model mlp --epochs 2 --device cpu --threads 1 --quiet")
    assert answer.code == 0
    (run,) = all_runs(tmp_path / "here" / "runs")
    tmp_path.chmod(0o711)  # the folders above are left as they are: all paths are relative to this one
    time.strptime("2026", "%Y")  # imports a module, too
    # Others may not read where this interpreter is: what it imports later must be here.
    shutil.copytree(tmp_path / "here" / "runs", tmp_path / "runs")
    for command in (*READING, *CHANGING, *OTHERS):
        tui(f"{command.format(out=out)} --runs {tmp_path / 'runs'}")
    for file in out.iterdir():
        if file.is_dir():
            shutil.rmtree(file)
        elif file.name != "new.csv":
            file.unlink()
    return run


def forbid_files(run: Run) -> None:
    for file in run.path.rglob("*"):
        if file.is_file():
            file.chmod(0o600)


def forbid_folder(run: Run) -> None:
    run.path.chmod(0o700)


def forbid_nothing(run: Run) -> None: ...


def content(run: Run) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}


@pytest.mark.parametrize("forbid", [forbid_nothing, forbid_files, forbid_folder])
def test_commands_show_or_name_what_they_may_not_read(
    forbid: Callable[[Run], None], foreign: Run, tui: Tui, out: Path
) -> None:
    before = content(foreign)
    forbid(foreign)
    for command in (*READING, *CHANGING, *OTHERS):
        with as_nobody():
            answer = tui(command.format(out=out))
        assert "Traceback" not in answer.out + answer.err, command
        if command in MAY_READ[forbid.__name__]:
            assert answer.code == 0, f"{command}: {answer.err}"
        elif answer.code or command in CHANGING:
            assert answer.code in (1, 2), f"{command}: {answer.out}"
            assert answer.err.startswith("error: "), command
            assert answer.err.count("\n") == 1, "one sentence"
    foreign.path.chmod(0o755)
    assert content(foreign) == before
