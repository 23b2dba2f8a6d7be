"""The end of a process that torchrun started: its code and its output, but no finalized interpreter."""

import subprocess
import sys

import pytest

SCRIPT = """
import atexit, sys
from core.torchrun import ends_without_finalizing

class Told:
    def __del__(self):
        print("finalized")

kept = Told()
with ends_without_finalizing():
    atexit.register(print, "registered inside")
    print("output", end=" ")
    {last}
"""


@pytest.mark.parametrize(
    ("last", "code"),
    [
        ("pass", 0),
        ("sys.exit(3)", 3),
        ("sys.exit()", 0),
        ("sys.exit('why')", 1),
        ("raise KeyError('key')", 1),
    ],
)
def test_a_process_ends_with_its_code_and_output_alone(last: str, code: int) -> None:
    command = [sys.executable, "-c", SCRIPT.format(last=last)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (code, "output registered inside\n")
    assert ("KeyError" in ended.stderr) == ("KeyError" in last)
    assert ("why" in ended.stderr) == ("why" in last)
