"""Weka's ARFF files as tables: dense and sparse rows, with numbers, classes, texts and dates."""

import re
from collections.abc import Iterator

import polars as pl

__all__ = ["arff_frame"]

ATTRIBUTE = re.compile(r"@attribute\s+('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|\S+)\s+(.+)", re.IGNORECASE)
VALUE = re.compile(r"\s*('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^,\t]*?)\s*(?:[,\t]|$)")
SPARSE = re.compile(r"\s*(\d+)\s+(.+)")
NUMBERS = ("numeric", "real", "integer")
WEIGHT = re.compile(r"[,\t]\s*\{[^{}]*\}\s*$")
"""Of a row, behind its values."""


def arff_frame(text: str) -> pl.DataFrame:
    """Return the table of an ARFF file: float64 for its numbers, texts for all else, null for `?`.

    Raises:
        ValueError: it is none; the message names the line.
    """
    lines = enumerate(text.splitlines(), start=1)
    kinds = dict(_attributes(lines))
    names, numeric = list(kinds), [kind.lower() in NUMBERS for kind in kinds.values()]
    absent = [
        "0" if is_number else next(iter(_values(kind.strip("{} "))), None)
        for kind, is_number in zip(kinds.values(), numeric, strict=True)
    ]  # what sparse rows do not name
    columns: list[list[str | float | None]] = [[] for _ in names]
    for line, content in lines:
        if not content.strip() or content.lstrip().startswith("%"):
            continue
        row = (
            _sparse(content, absent) if content.lstrip().startswith("{") else _values(WEIGHT.sub("", content))
        )
        if len(row) != len(names):
            raise ValueError(
                f"line {line:,} has {len(row):,} values, and there are {len(names):,} attributes"
            )
        for column, value, is_number, name in zip(columns, row, numeric, names, strict=True):
            column.append(_number(value, line, name) if is_number and value is not None else value)
    kind = {
        name: pl.Float64() if is_number else pl.String()
        for name, is_number in zip(names, numeric, strict=True)
    }
    return pl.DataFrame(dict(zip(names, columns, strict=True)), schema=kind)


def _attributes(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[str, str]]:
    """Names and kinds of the columns, from the lines up to that of the data."""
    for line, text in lines:
        content = text.strip()
        if content.lower().startswith("@data"):
            return
        if content.lower().startswith("@attribute"):
            found = ATTRIBUTE.fullmatch(content)
            if found is None:
                raise ValueError(f"line {line:,}: '{content[:60]}' names no attribute and its kind")
            yield _unquoted(found[1]), found[2].partition(" %")[0].strip()
        elif content and not content.startswith("%") and not content.lower().startswith("@relation"):
            raise ValueError(f"line {line:,}: '{content[:60]}' stands before @data")
    raise ValueError("it has no line @data")


def _values(text: str) -> list[str | None]:
    """The values of a dense row."""
    if "'" not in text and '"' not in text and "\t" not in text:
        return [None if value.strip() == "?" else value.strip() for value in text.split(",")]
    found, at = list[str | None](), 0
    while at <= len(text) and (match := VALUE.match(text, at)) is not None:
        found.append(None if match[1] == "?" else _unquoted(match[1]))
        at = match.end()
        if at >= len(text):
            return [*found, ""] if match[0].rstrip(" ").endswith((",", "\t")) else found
    raise ValueError(f"'{text[:60]}' has a quotation mark without its other end")


def _sparse(text: str, absent: list[str | None]) -> list[str | None]:
    """The values of a row that names places and values, as in `{0 3, 4 yes}`."""
    row = list(absent)
    for value in filter(None, _pairs(text.strip().rstrip().strip("{}"))):
        found = SPARSE.fullmatch(value)
        if found is None or int(found[1]) >= len(row):
            raise ValueError(f"'{value[:60]}' is no place and value of a sparse row")
        row[int(found[1])] = None if found[2] == "?" else _unquoted(found[2].strip())
    return row


def _pairs(text: str) -> list[str]:
    """The parts of a text between commas outside of quotes."""
    return [pair.strip() for pair in re.findall(r"(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^,])+", text)]


def _unquoted(text: str) -> str:
    quoted = len(text) > 1 and text[0] in "'\"" and text[-1] == text[0]
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if quoted else text


def _number(text: str, line: int, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"line {line:,}: {name} is numeric, and holds '{text[:60]}'") from None
