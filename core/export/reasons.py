"""Errors of PyTorch's exporters as one line that names the cause: they wrap it, and write instructions before it."""

import re
from traceback import extract_tb

__all__ = ["export_reason"]

PACKING = "pack_padded_sequence"
ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
CONSTANT_SIZE = re.compile(r"batch.*(?:specialized it to be|inferred to be) a constant \((\d+)\)", re.DOTALL)
PLACE = re.compile(r"Caused by: \(.*?([^/\\()]+\.py):(\d+)")


def export_reason(error: BaseException) -> str:
    """Return the innermost cause of an error, with the user's line where the exporter names it."""
    while error.__cause__ is not None:
        error = error.__cause__
    if any(frame.name == PACKING for frame in extract_tb(error.__traceback__)):
        return f"{PACKING} is for the sequences at hand alone"
    text = ESCAPES.sub("", str(error)).strip()
    if constant := CONSTANT_SIZE.search(text):
        return f"its code takes the number of samples, {constant[1]} in the trial, for a constant"
    place = PLACE.search(text)
    where = f"{place[1]}, line {place[2]}: " if place else ""
    return f"{where}{type(error).__name__}: {text.partition(chr(10))[0]}".rstrip(": ")
