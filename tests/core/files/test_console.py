"""A console file: bounded, whole lines, read while it grows."""

import os
from pathlib import Path

import pytest

from core.files import console
from core.files.console import ConsoleLog, ConsoleReader, bound, older_part


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "console.log"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> int:
    """The size of each part."""
    monkeypatch.setattr(console, "MAX_BYTES", 100)
    return 100


def test_lines_are_kept_and_the_last_needs_no_end(path: Path) -> None:
    log = ConsoleLog(path)
    assert not path.exists(), "a program that prints nothing has no file"
    log.write(b"one\n\rtwo 1%")
    assert (path.read_text(), log.open_text) == ("one\n", "two 1%")
    log.write(b"\rtwo 2%")
    log.close()
    assert path.read_text() == "one\ntwo 2%\n"


def test_a_line_that_lasts_is_there_before_it_ends(path: Path) -> None:
    """Another process sees a progress bar move, and a kill leaves it."""
    times = iter((0.0, 0.9, 1.0, 1.5, 2.0))
    log, reader = ConsoleLog(path, lambda: next(times)), ConsoleReader(path)
    log.write(b"first\n 10%|#")
    assert path.read_text() == "first\n"
    for share in (20, 30, 40, 50):
        log.write(f"\r {share}%|#".encode())
    reader.read()
    assert (reader.lines, reader.open_text) == (["first"], " 50%|#")
    log.write(b"\rdone\x1b[K\nnext\n")
    log.close()
    reader.read()
    assert (reader.lines, reader.open_text) == (["first", "done", "next"], "")
    assert path.stat().st_size < 60, "not each step of the bar"


def test_a_line_that_a_killed_process_left_is_not_continued(path: Path) -> None:
    path.write_text("killed in the mid")
    log = ConsoleLog(path)
    log.write(b"next\n")
    log.close()
    assert path.read_text() == "killed in the mid\nnext\n"


def test_what_is_kept_is_bounded_and_nothing_is_lost_in_between(path: Path, small: int) -> None:
    log = ConsoleLog(path)
    for number in range(100):
        log.write(b"line %d\n" % number)
    log.close()
    kept = older_part(path).read_text() + path.read_text()
    assert max(path.stat().st_size, older_part(path).stat().st_size) <= small
    first = 100 - len(kept.splitlines())
    assert kept.splitlines() == [f"line {number}" for number in range(first, 100)]
    log = ConsoleLog(path)
    log.write(b"".join(b"flood %d\n" % number for number in range(1000)))
    log.close()
    assert path.stat().st_size <= small
    assert path.read_text().splitlines()[-1] == "flood 999"


def test_a_disk_that_fails_is_named_and_raises_nothing(tmp_path: Path) -> None:
    log = ConsoleLog(tmp_path / "gone" / "console.log")
    log.write(b"lost\n")
    assert log.problem == "No such file or directory"
    (tmp_path / "gone").mkdir()
    log.write(b"kept\n")
    log.close()
    assert (log.problem, log.path.read_text()) == ("", "kept\n")


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    path.symlink_to(tmp_path / "mine")
    log = ConsoleLog(path)
    log.write(b"theirs\n")
    log.close()
    assert (tmp_path / "mine").read_text() == "mine"
    assert not ConsoleReader(path).read()


def test_it_is_read_while_it_grows(path: Path) -> None:
    reader = ConsoleReader(path)
    assert not reader.read()
    path.write_bytes(b"one\ntw")
    assert reader.read()
    assert not reader.read()
    assert (reader.lines, reader.open_text) == (["one"], "tw")
    with path.open("ab") as file:
        file.write(b"o\n\r50%\r99%")
    assert reader.read()
    assert (reader.lines, reader.open_text, reader.generation) == (["one", "two"], "99%", 1)


def test_a_reader_follows_over_the_bound(path: Path, small: int) -> None:
    reader, log = ConsoleReader(path), ConsoleLog(path)
    for number in range(60):
        log.write(b"line %d\n" % number)
        reader.read()
    log.close()
    shown = [f"line {number}" for number in range(60)]
    assert reader.lines == shown[-len(reader.lines) :]
    assert len(reader.lines) > 10


def test_a_file_that_a_process_prints_into_is_emptied_into_its_older_part(path: Path, small: int) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, b"short\n")
    bound(path)
    assert not older_part(path).exists()
    os.write(file, b"".join(b"\r%d%%" % done for done in range(101)) + b"\nlast\nopen")
    reader = ConsoleReader(path)
    reader.read()
    bound(path)
    os.write(file, b"after\n")
    os.close(file)
    assert older_part(path).read_text() == "short\n100%\nlast\nopen\n"
    assert path.read_text() == "after\n"
    reader.read()
    assert reader.lines == ["short", "100%", "last", "open", "after"]


def test_of_what_is_larger_than_both_parts_the_end_is_kept(path: Path, small: int) -> None:
    path.write_text("".join(f"line {number}\n" for number in range(1000)))
    bound(path)
    assert older_part(path).stat().st_size <= small
    assert older_part(path).read_text().splitlines()[-1] == "line 999"
