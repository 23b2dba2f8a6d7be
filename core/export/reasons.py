"""Errors of PyTorch's exporters as one line that names the cause: they wrap it, and write instructions before it."""

import re
from traceback import walk_tb

__all__ = ["export_reason"]

ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
CONSTANT_SIZE = re.compile(r"batch.*(?:specialized it to be|inferred to be) a constant \((\d+)\)", re.DOTALL)
PLACE = re.compile(r"Caused by: \(.*?([^/\\()]+\.py):(\d+)")


def export_reason(error: BaseException) -> str:
    """Return the innermost cause of an error, with the user's line where the exporter names it."""
    while error.__cause__ is not None:
        error = error.__cause__
    if _is_packed(error):
        return (
            "its recurrent layers take packed sequences, which a graph cannot hold; without packing it can be"
        )
    text = ESCAPES.sub("", str(error)).strip()
    if constant := CONSTANT_SIZE.search(text):
        return f"its code takes the number of samples, {constant[1]} in the trial, for a constant"
    place = PLACE.search(text)
    where = f"{place[1]}, line {place[2]}: " if place else ""
    return f"{where}{type(error).__name__}: {text.partition(chr(10))[0]}".rstrip(": ")


def _is_packed(error: BaseException) -> bool:
    """Return whether an error comes from packing sequences, or from a recurrent layer of PyTorch that gets such."""
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    return any(
        frame.f_code.co_name == "pack_padded_sequence"
        or (frame.f_code.co_filename.endswith("rnn.py") and frame.f_locals.get("batch_sizes") is not None)
        for frame in frames
    )
