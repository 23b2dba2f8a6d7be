"""Output of processes other than the first carries their rank, and none of it is lost when one is killed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.processes.labels import labelled_lines

LABEL = b"[rank1]"


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([b"one\ntw", b"o\n"], b"[rank1]: one\n[rank1]: two\n"),
        ([b"\r 10%", b"\r 20%", b"\n"], b"\r[rank1]:  10%\r[rank1]:  20%\n"),
        ([b"[rank1]: Traceback\n\nend\n"], b"[rank1]: Traceback\n\n[rank1]: end\n"),
        ([b"x" * (1 << 16), b"y"], b"[rank1]: " + b"x" * (1 << 16) + b"y\n"),
    ],
)
def test_each_line_is_labelled_once(parts: list[bytes], expected: bytes) -> None:
    written, rest = b"", b""
    for part in parts:
        lines, rest = labelled_lines(LABEL, rest, part)
        written += lines
    assert (written, rest) == (expected, b"")


PRINTS = """
import os, sys
from core.processes.labels import label_output
label_output()
print("from Python")
os.write(2, b"from C\\n")
os.system("echo from a child")
os.write(1, b"not ended")
{last}
"""


@pytest.mark.parametrize(("last", "code"), [("pass", 0), ("os.kill(os.getpid(), 9)", -9), ("os.abort()", -6)])
@pytest.mark.parametrize("together", [True, False])
def test_what_a_process_prints_is_whole_however_it_ends(
    tmp_path: Path, last: str, code: int, together: bool
) -> None:
    assert run(PRINTS.format(last=last), "1", tmp_path, together=together) == (
        code,
        ["[rank1]: from C", "[rank1]: from Python", "[rank1]: from a child", "[rank1]: not ended"],
    )


def test_a_log_that_is_a_file_is_printed_to_as_well(tmp_path: Path) -> None:
    script = "import sys; sys.stdout.reconfigure(errors='replace'); print('a line')"
    with (tmp_path / "log").open("w") as log:
        subprocess.run(
            [
                sys.executable,
                "-c",
                f"from core.processes.labels import label_output; label_output(); {script}",
            ],
            env={**os.environ, "RANK": "1", "WORLD_SIZE": "2"},
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    assert (tmp_path / "log").read_text() == "[rank1]: a line\n"


def test_the_first_prints_as_it_is(tmp_path: Path) -> None:
    printed = ["from C", "from Python", "from a child", "not ended"]
    assert run(PRINTS.format(last=""), "0", tmp_path, together=True) == (0, printed)


def run(script: str, rank: str, folder: Path, *, together: bool) -> tuple[int, list[str]]:
    """Return the exit code of a script, and the sorted lines that it prints in all, once nobody can print any more."""
    environment = {**os.environ, "RANK": rank, "WORLD_SIZE": "2"}
    where = subprocess.STDOUT if together else subprocess.PIPE
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=where,
        text=True,
        check=False,
    )
    return ended.returncode, sorted((ended.stdout + (ended.stderr or "")).splitlines())
