"""The current folder is not a source of modules, neither for ``python -m tui`` nor for what the product starts."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.safe_path import safe_import_path
from tests.support.repository import REPOSITORY

OTHERS = (
    "core",
    "tui",
    "numpy",
    "torch",
    "torchvision",
    "PIL",
    "sklearn",
    "polars",
    "yaml",
    "pydantic",
    "optuna",
    "ray",
)
PLANTED = """
import os, sys
with open({trace!r}, "a") as file:
    print({name!r}, *sys.argv[:1], file=file)
raise ImportError("a file of the current folder was imported")
"""


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that names what was imported from the current folder, which holds a file for every module there is."""
    here, trace = tmp_path / "here", tmp_path / "imported.txt"
    here.mkdir()
    monkeypatch.chdir(here)
    for name in {*sys.stdlib_module_names, *OTHERS} - {"tui"}:
        (here / f"{name}.py").write_text(PLANTED.format(trace=str(trace), name=name))
    (here / "core.py").unlink()
    (here / "core").mkdir()
    (here / "core" / "__init__.py").write_text(PLANTED.format(trace=str(trace), name="core"))
    return trace


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """A new interpreter in the current folder, with the product on its path as an installation has it."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False
    )


def script(text: str, tmp_path: Path) -> Path:
    """A script in a folder of its own, which is what Python puts first on its import path."""
    path = tmp_path / "scripts" / "script.py"
    path.parent.mkdir()
    path.write_text(f"if __name__ == '__main__':\n{text}")
    return path


def test_the_trace_shows_what_is_imported_from_the_current_folder(trace: Path) -> None:
    assert run("-c", "import json").returncode == 1
    assert trace.read_text().startswith("json")


def test_python_m_tui_imports_nothing_from_the_current_folder(trace: Path, tmp_path: Path) -> None:
    """But for what Python itself imports before it comes to the module that ``-m`` names."""
    (tmp_path / "bare.py").write_text("import sys\nprint(*sys.modules)")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONSAFEPATH": "1"}
    bare = subprocess.run([sys.executable, "-m", "bare"], env=environment, capture_output=True, check=True)
    for name in bare.stdout.decode().split():
        Path(f"{name}.py").unlink(missing_ok=True)
    answer = run("-m", "tui", "--version")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.startswith("torchtui ")
    assert not trace.exists()


def test_python_m_tui_works_in_its_own_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    answer = subprocess.run(
        [sys.executable, "-m", "tui", "--version"], capture_output=True, text=True, check=True
    )
    assert answer.stdout.startswith("torchtui ")


DECODING = """
    import os
    from core.data.images.decoding import out_of_reach, workers
    with workers(1) as pool:
        assert pool is not None
        with out_of_reach():
            answer = pool.submit(os.getpid)
        assert answer.result() != os.getpid()
"""
TRIALS = """
    import os
    from core.tuning.executors.executors import LocalProcesses
    executor = LocalProcesses(1, 1)
    worker = executor._new_worker()
    worker.send(("nothing", None))  # it asks its control for that, and ends with an error of its own
    worker.process.kill()
    worker.process.join()
"""
AFRESH = """
    import multiprocessing, os, sys
    from core.safe_path import safe_import_path
    context = multiprocessing.get_context(sys.argv[1])
    with safe_import_path():
        with context.Manager() as manager:
            assert manager.list([1])[0] == 1
"""


@pytest.mark.parametrize(
    ("text", "arguments"),
    [(DECODING, ()), (AFRESH, ("spawn",)), (AFRESH, ("forkserver",))],
    ids=["decoding", "spawn", "forkserver"],
)
def test_what_is_started_imports_nothing_from_the_current_folder(
    trace: Path, tmp_path: Path, text: str, arguments: tuple[str, ...]
) -> None:
    answer = run(str(script(text, tmp_path)), *arguments)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert not trace.exists()


@pytest.mark.heavy
def test_trials_import_nothing_from_the_current_folder(trace: Path, tmp_path: Path) -> None:
    answer = run(str(script(TRIALS, tmp_path)))
    assert (answer.returncode, answer.stderr) == (0, "")
    assert not trace.exists()


def test_the_environment_is_as_before_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    for before in (None, "0"):
        if before is not None:
            monkeypatch.setenv("PYTHONSAFEPATH", before)
        with safe_import_path(), safe_import_path():
            assert os.environ["PYTHONSAFEPATH"] == "1"
        assert os.environ.get("PYTHONSAFEPATH") == before


RAY = """
    import os, sys
    from core.tuning.executors.ray_executor import _connect
    ray, _ = _connect(None)
    path = ray.get(ray.remote(lambda: sys.path).remote())
    assert os.getcwd() not in map(os.path.realpath, path), path
    from core.tuning.executors.ray_executor import _Mailbox
    mailbox = ray.remote(_Mailbox).remote()  # imports core there
    assert ray.get(mailbox.asked_for.remote()) == "resume"
    ray.shutdown()
"""


@pytest.mark.heavy
@pytest.mark.xdist_group("ray")
def test_ray_imports_nothing_from_the_current_folder(
    trace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_ADDRESS", "local")  # not the cluster of another test
    answer = run(str(script(RAY, tmp_path)))
    assert answer.returncode == 0, answer.stderr
    assert not trace.exists()


def test_the_documents_start_tui_itself_with_torchrun() -> None:
    pages = [REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")]
    texts = {page.name: page.read_text() for page in pages}
    assert re.search(r"torchrun --nnodes 2 .*\\\n +--no-python tui train", texts["clusters.md"])
    assert [name for name, text in texts.items() if "-m tui train" in text] == []
