"""`tui report` writes a page, or reports in one line why not."""

import errno
import os
from pathlib import Path

import pytest

from tests.support.fixtures import WriteRun
from tests.tui.cli.conftest import Tui


@pytest.fixture
def runs(write_run: WriteRun) -> Path:
    return write_run("2026-01-02_0300_digits-mlp_abc", [0.9, 0.4], accuracy=0.9).path.parent


@pytest.mark.slow
def test_a_page_is_written_and_its_name_printed(tui: Tui, runs: Path, tmp_path: Path) -> None:
    mask = os.umask(0o022)
    os.umask(mask)
    answer = tui(f"report abc --runs {runs} -o {tmp_path / 'page.html'}")
    assert answer.code == 0
    assert answer.out.strip() == str(tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_mode & 0o777 == 0o666 & ~mask  # as any new file
    assert (tmp_path / "page.html").read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("report nothing", "no run 'nothing'"),
        ("report abc -o /nowhere/at/all.html", "cannot be a file"),
        ("report abc -o .", "cannot be a file"),
        ("report", "RUN"),
        ("report abc --split tests", "'tests'"),
    ],
)
def test_what_is_wrong_is_one_line(tui: Tui, runs: Path, line: str, told: str) -> None:
    answer = tui(f"{line} --runs {runs}")
    assert answer.code == 2
    assert told in answer.err
    assert answer.out == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("report abc -o page.html", "give another file with -o"),
        ("export abc --to csv -o out", "give another folder with -o"),
    ],
)
def test_what_cannot_be_written_has_advice_that_fits(
    tui: Tui, runs: Path, monkeypatch: pytest.MonkeyPatch, line: str, instead: str
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    for name in ("os.fsync", "os.mkdir"):
        monkeypatch.setattr(name, refuse)
    answer = tui(f"{line} --runs {runs}")
    written = line.rpartition(" ")[2]
    assert answer.code == 2
    assert answer.err == f"error: cannot write {written}: Permission denied. Free some space, or {instead}\n"
