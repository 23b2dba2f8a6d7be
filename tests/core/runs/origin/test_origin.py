"""On what a run was made: working copy, packages, differences, bundles."""

import json
import subprocess
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from core.data.dataset import no_progress
from core.errors import InputError, RunError
from core.events import EpochFinished, EvaluationFinished
from core.runs.folder import Run
from core.runs.lock import hold
from core.runs.log import EventLog
from core.runs.origin import working_copy as copies
from core.runs.origin.bundle import open_bundle, write_bundle
from core.runs.origin.differences import OriginDifference, code_changes, differences
from core.runs.origin.environment import write_environment
from core.runs.origin.equal import compare_results
from core.runs.origin.packages import installed_packages
from core.runs.origin.working_copy import working_copy
from tests.support.written_runs import write_run

NAMES = ("2026-01-01_0900_digits-mlp_aaa", "2026-01-02_0900_digits-mlp_bbb")


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=somebody", "-c", "user.email=some@where")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a commit, a changed file and a new one, as the current folder."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    git(folder, "init", "--quiet")
    (folder / "net.py").write_text("width = 8\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "first")
    (folder / "net.py").write_text("width = 9\n")
    (folder / "new file.py").touch()
    return folder


def test_the_working_copy_against_its_commit(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = working_copy(repository)
    assert copy is not None
    assert len(copy.commit) == 40
    assert b"-width = 8\n+width = 9\n" in copy.diff
    assert (copy.new, copy.note) == (("new file.py",), "")
    monkeypatch.setattr(copies, "MAX_DIFF", 10)
    large = working_copy(repository)
    assert large is not None
    assert (large.diff, "more than the 10" in large.note) == (b"", True)


def test_git_starts_nothing_that_the_repository_names(repository: Path) -> None:
    trap = repository / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {repository}/trapped\n")
    trap.chmod(0o755)
    git(repository, "config", "diff.external", str(trap))
    git(repository, "config", "core.fsmonitor", str(trap))
    git(repository, "config", "diff.x.textconv", str(trap))
    (repository / ".gitattributes").write_text("*.py diff=x\n")
    copy = working_copy(repository)
    assert copy is not None
    assert b"+width = 9" in copy.diff
    assert not (repository / "trapped").exists()


def test_without_a_repository_or_git_there_is_no_working_copy(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    assert working_copy(tmp_path / "elsewhere") is None
    monkeypatch.setenv("PATH", "")
    assert working_copy(repository) is None


def test_the_files_of_a_run_name_commit_changes_and_packages(repository: Path, tmp_path: Path) -> None:
    run = write_run(tmp_path / "runs", NAMES[0])
    write_environment(run)
    noted = json.loads(run.environment_file.read_text())
    copy = working_copy(repository)
    assert copy is not None
    assert (noted["git_commit"], noted["git_new_files"]) == (copy.commit, ["new file.py"])
    assert noted["packages"]["numpy"] == version("numpy")
    assert noted["packages"]["scikit-learn"] == version("scikit-learn")
    assert run.diff_file.read_bytes() == copy.diff


def test_every_installed_package_has_its_version() -> None:
    packages = installed_packages()
    assert {name: packages[name] for name in ("torch", "typer", "pydantic")} == {
        name: version(name) for name in ("torch", "typer", "pydantic")
    }


def test_differences_of_settings_packages_and_code(tmp_path: Path) -> None:
    first, second = (
        write_run(tmp_path, name, {"optimizer": {"lr": lr}})
        for name, lr in zip(NAMES, (0.3, 0.1), strict=True)
    )
    assert differences(first, first) == []
    for run, numpy, width in ((first, "1.26.0", 8), (second, "2.1.0", 9)):
        facts = {"packages": {"numpy": numpy}, "command": ["tui", "train"], "host": "here"}
        run.environment_file.write_text(json.dumps(facts))
        code = run.code_folder / "model"
        code.mkdir(parents=True)
        (code / "net.py").write_text(f"width = {width}\n")
    assert differences(first, second) == [
        OriginDifference("settings", "optimizer.lr", 0.3, 0.1),
        OriginDifference("packages", "numpy", "1.26.0", "2.1.0"),
    ]
    (change,) = code_changes(first, second)
    assert change.file == "code/model/net.py"
    assert change.lines[3:] == ["-width = 8", "+width = 9"]
    first.environment_file.write_text("[1")
    assert {value.name for value in differences(first, second)} == {
        "optimizer.lr",
        "numpy",
        "command",
        "host",
    }


def test_a_bundle_is_opened_with_every_file(tmp_path: Path) -> None:
    run = write_run(tmp_path / "runs", NAMES[0], accuracy=0.5)
    (run.path / "checkpoints").mkdir(exist_ok=True)
    (run.path / "checkpoints" / "best.pt").write_bytes(bytes(range(256)) * 100)
    write_bundle(run, tmp_path / "run.zip", progress=no_progress)
    there = open_bundle(tmp_path / "run.zip", tmp_path / "other", progress=no_progress)
    again = open_bundle(tmp_path / "run.zip", tmp_path / "other", progress=no_progress)
    assert (there.id, again.id.split("_")[2]) == (run.id, "digits-mlp")
    assert again.id != run.id
    for opened in (there, again):
        files = {
            path.relative_to(opened.path): path.read_bytes()
            for path in opened.path.rglob("*")
            if path.is_file()
        }
        files.pop(Path("run.lock"))
        assert files == {
            path.relative_to(run.path): path.read_bytes()
            for path in run.path.rglob("*")
            if path.is_file() and path.name != "run.lock"
        }
    with pytest.raises(InputError, match=r"is there already\. Give another file$"):
        write_bundle(run, tmp_path / "run.zip", progress=no_progress)
    with hold(run), pytest.raises(RunError, match="is being trained"):
        write_bundle(run, tmp_path / "other.zip", progress=no_progress)


@pytest.mark.parametrize("member", ["../out", "run/../../out", "/out", "elsewhere/out"])
def test_a_bundle_never_leads_out_of_its_folder(tmp_path: Path, member: str) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("bundle.json", json.dumps({"format": "torchtui run 1", "run": NAMES[0]}))
        archive.writestr(member, "x")
    with pytest.raises(InputError, match="outside of its folder"):
        open_bundle(tmp_path / "bad.zip", tmp_path / "runs", progress=no_progress)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.zip"]


def test_a_link_in_a_bundle_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("bundle.json", json.dumps({"format": "torchtui run 1", "run": NAMES[0]}))
        link = zipfile.ZipInfo("run/config.yaml")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(InputError, match="outside of its folder"):
        open_bundle(tmp_path / "bad.zip", tmp_path / "runs", progress=no_progress)


@pytest.mark.parametrize("name", ["../x", ".hidden", "a/b", ""])
def test_a_bundle_names_a_folder(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("bundle.json", json.dumps({"format": "torchtui run 1", "run": name}))
    with pytest.raises(InputError, match="is not a bundle"):
        open_bundle(tmp_path / "bad.zip", tmp_path / "runs", progress=no_progress)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"text"])
def test_what_is_no_archive_is_said_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.zip").write_bytes(content)
    with pytest.raises(InputError, match="is damaged, or not a bundle"):
        open_bundle(tmp_path / "bad.zip", tmp_path / "runs", progress=no_progress)
    with pytest.raises(InputError, match="cannot read"):
        open_bundle(tmp_path / "missing.zip", tmp_path / "runs", progress=no_progress)


def epochs(run: Run, losses: list[float]) -> None:
    log = EventLog(run)
    for epoch, loss in enumerate(losses, start=1):
        log.write(
            EpochFinished(
                epoch=epoch,
                step=epoch,
                train={"loss": loss},
                validation={"loss": 2 * loss},
                lr=0.1,
                seconds=1.0,
                best_epoch=1,
                best_metrics={},
            )
        )
    log.close()


def evaluated(run: Run, split: str, accuracy: float) -> None:
    log = EventLog(run)
    log.write(EvaluationFinished(split=split, metrics={"accuracy": accuracy}))
    log.close()


def test_numbers_are_compared_bit_for_bit(tmp_path: Path) -> None:
    runs = [Run(tmp_path / name) for name in ("a", "b", "c")]
    for run in runs:
        run.path.mkdir()
    epochs(runs[0], [1.0, 0.5, float("nan")])
    epochs(runs[1], [1.0, 0.5, float("nan")])
    epochs(runs[2], [1.0, 0.5 + 2**-40, 0.25])
    equal = compare_results(runs[0], runs[1])
    assert (equal.is_equal, equal.epochs, equal.numbers, equal.weights) == (True, 3, 6, None)
    evaluated(runs[0], "validation", 0.5)
    evaluated(runs[1], "validation", 0.5)
    evaluated(runs[1], "test", 0.75)
    equal = compare_results(runs[0], runs[1])
    assert (equal.is_equal, equal.numbers) == (True, 7)
    evaluated(runs[0], "test", 0.5)
    unequal = compare_results(runs[0], runs[1])
    assert (unequal.what, unequal.first, unequal.second) == ("test accuracy", 0.5, 0.75)
    other = compare_results(runs[0], runs[2])
    assert (other.is_equal, other.differs_at, other.what) == (False, 2, "train loss")
    assert (other.first, other.second, other.largest) == (0.5, 0.5 + 2**-40, 2**-39)
