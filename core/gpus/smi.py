"""Rows that `nvidia-smi` prints: it comes with the driver, needs no package, and makes no context on a GPU."""

import csv
import shutil
import subprocess
from collections.abc import Sequence

__all__ = ["FORMAT", "MIB", "SMI", "as_bytes", "as_number", "ask", "rows"]

SMI = "nvidia-smi"
SMI_SECONDS = 5.0
"""After which it counts as broken: it hangs where the driver does."""
FORMAT = "--format=csv,noheader,nounits"
MIB = 1 << 20


def ask(program: str, *arguments: str) -> tuple[str, str]:
    """Return what it prints, and why that is not an answer; one of them is empty.

    Args:
        program: its name, or its path.
    """
    if shutil.which(program) is None:
        return "", f"no NVIDIA GPU: {program} is not installed"
    try:
        answer = subprocess.run(
            [program, *arguments], capture_output=True, text=True, errors="replace", timeout=SMI_SECONDS
        )
    except (OSError, subprocess.SubprocessError) as error:
        return "", f"GPUs cannot be read: {str(error).partition(chr(10))[0]}"
    if answer.returncode:
        said = (answer.stdout.strip() or answer.stderr.strip()).partition("\n")[0]
        return "", f"GPUs cannot be read: {said or f'{program} failed with code {answer.returncode}'}"
    return answer.stdout, ""


def rows(text: str, columns: int) -> list[Sequence[str]]:
    """Return the rows of a table without its head; lines that are something else, such as warnings, are left out."""
    cells = ([cell.strip() for cell in row] for row in csv.reader(text.splitlines()))
    return [row for row in cells if len(row) == columns]


def as_number(text: str) -> float | None:
    """Return a number; None of ``[N/A]``, ``[Insufficient Permissions]`` and the like."""
    try:
        return float(text)
    except ValueError:
        return None


def as_bytes(mebibytes: str) -> int | None:
    """Return the bytes of a number of MiB."""
    found = as_number(mebibytes)
    return None if found is None else int(found * MIB)
