"""Prints as lines: what a terminal would show in the end, whatever the pieces they come in."""

import re
from itertools import pairwise

import pytest

from core.files.printed import LONGEST_LINE, PrintedLines

BAR = b"".join(b"\rtrain: %3d%%|#####| %d/1000" % (n // 10, n) for n in range(1001))
NESTED = b"".join(b"\router %d/9\n\rinner %d/3\x1b[A" % (n // 3, n % 3) for n in range(30))


def lines(*pieces: bytes) -> list[str]:
    printed = PrintedLines()
    done = [line for piece in pieces for line in printed.feed(piece)]
    return done + printed.end()


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        (b"", []),
        (b"one\ntwo\n", ["one", "two"]),
        (b"one\n\ntwo", ["one", "", "two"]),
        (b"one\r\ntwo\r\n", ["one", "two"]),
        (BAR + b"\n", ["train: 100%|#####| 1000/1000"]),
        (BAR + b"\ndone", ["train: 100%|#####| 1000/1000", "done"]),
        (b"long line\rshort", ["shortline"]),
        (b"long line\r\x1b[Kshort\n", ["short"]),
        (b"long line\r\x1b[2Kshort\n", ["short"]),
        (b"abc\b\bX\n", ["aXc"]),
        (b"\x1b[31mred\x1b[0m \x1b]2;title\x07plain\x1b[?25l\x1b(B\n", ["red plain"]),
        (b"bell\x07 null\x00 \x9b1m\xc2\x9b\n", ["bell null \ufffd1m"]),
        (b"tab\there\n", ["tab\there"]),
        ("grün 数".encode(), ["grün 数"]),
        (b"\xff\xfe bytes\n", ["\ufffd\ufffd bytes"]),
        (b"\x1b[", []),
        (b"up\x1b[9A\x1b[3Bdown\n", ["updown"]),
    ],
)
def test_the_lines_are_those_of_a_terminal(printed: bytes, expected: list[str]) -> None:
    assert lines(printed) == expected
    assert lines(*(printed[place : place + 1] for place in range(len(printed)))) == expected


def test_nested_bars_are_a_line_each() -> None:
    expected = ["outer 9/9", "inner 2/3", "after"]
    assert lines(b"\n\x1b[A" + NESTED + b"\n\n", b"after\n")[-3:] == ["outer 9/9", "inner 2/3", "after"]
    assert len(lines(NESTED + b"\n\nafter\n")) <= len(expected) + 1, "the first jump may come too late"


def test_what_no_longer_changes_comes_at_once_and_the_open_line_is_known() -> None:
    printed = PrintedLines()
    assert printed.feed(b"one\ntw") == ["one"]
    assert printed.open_text == "tw"
    assert printed.feed(b"o\n") == ["two"]
    assert printed.feed(b"\r 10%\r 20%") == []
    assert printed.open_text == " 20%"


def test_a_line_without_end_is_broken() -> None:
    printed = PrintedLines()
    done = [line for _ in range(5) for line in printed.feed(b"x" * LONGEST_LINE)] + printed.end()
    assert "".join(done) == "x" * 5 * LONGEST_LINE
    assert max(map(len, done)) <= LONGEST_LINE
    assert [len(line) for line in lines(b"y" * (3 * LONGEST_LINE) + b"\n")] == [LONGEST_LINE] * 3


def test_nothing_that_acts_on_a_terminal_is_left() -> None:
    every = bytes(range(256))
    hostile = (
        b"".join(bytes([one, two]) for one, two in pairwise(every * 2)) + b"\x1b]52;c;aGk=\x07\x1bP1$q\x1b\\"
    )
    for text in (every, hostile, b"\x1b" * 1000, b"\x1b]" + b"a" * 1000):
        assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]", "".join(lines(text, text[::-1])))
