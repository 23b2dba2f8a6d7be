"""Rows of a text file, and their features as an exported model learnt to make them."""

import datetime
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from core.data.tables.files.text_rows import find_separator, split_lines
from core.data.tables.files.text_table import find_table
from core.data.tables.values.dates import moment, order_of
from core.data.tables.values.missing import ABSENT_WORDS, is_missing, missing_numbers, missing_texts
from core.data.tables.values.numbers import duration, number

__all__ = ["encode", "plain", "read_rows", "text_of"]

DAY_MILLISECONDS = 86_400_000
MIN_READ = 0.5
"""Part of a column's values that must be numbers or dates; the others count as missing."""


def read_rows(path: Path, layout: dict[str, Any]) -> list[dict[str, str]]:
    """The rows of a text file, by the names that the training gave its columns. Empty ones are left out."""
    text = text_of(path, layout)
    separator = layout["separator"]
    if separator == "auto":
        separator = "\t" if path.suffix.lower() in (".tsv", ".tab") else find_separator(text)[0]
    table = find_table(split_lines(text, separator), layout["header"])
    if not table.rows:
        sys.exit(f"{path} has no rows")
    for note in table.notes:
        print(note, file=sys.stderr)
    if table.blank:
        print(f"left out {table.blank} rows without a value", file=sys.stderr)
    for line, row in table.rows:
        if len(row) != len(table.names):
            sys.exit(f"{path}, line {line}: {len(row)} fields, expected {len(table.names)}")
    return [dict(zip(table.names, row, strict=True)) for _, row in table.rows]


def text_of(path: Path, layout: dict[str, Any]) -> str:
    """The text of a file."""
    content = path.read_bytes()
    marked = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        return content.decode("utf-16" if marked else "utf-8")
    except UnicodeDecodeError:
        return content.decode("utf-8" if layout["encoding"] == "auto" else layout["encoding"])


def plain(row: dict[str, str], features: list[str]) -> list[float]:
    """The numbers of a row in the order of the model's features."""
    missing = [name for name in features if name not in row]
    if missing:
        sys.exit(f"the table has no column {missing[0]!r}")
    return [float(row[name]) for name in features]


def encode(rows: list[dict[str, str]], table: dict[str, Any], path: Path) -> np.ndarray:
    """The features of rows, made as they were learnt from the training rows; float64 (n, features)."""
    marks, numbers = missing_texts(table["missing"]), set(missing_numbers(table["missing"]))
    features: list[list[float]] = []
    for column in table["columns"]:
        if column["name"] not in rows[0]:
            sys.exit(f"the table has no column {column['name']!r}")
        texts = [row[column["name"]].strip() for row in rows]
        given = [None if is_missing(text, marks) else text for text in texts]
        if column["kind"] == "text":
            known = set(column["texts"])
            features += [[float(text == each) for text in given] for each in column["texts"]]
            if column["others"]:
                features.append([float(text is not None and text not in known) for text in given])
            if column["missing"]:
                features.append([float(text is None) for text in given])
            continue
        values = parsed(given, column, path)
        if column["kind"] == "number":
            features.append(
                [scaled(None if value in numbers else value, column["scale"]) for value in values]
            )
        else:
            for part, scale in column["parts"].items():
                features.append(
                    [scaled(None if day is None else part_of(day, part), scale) for day in values]
                )
    return np.array(features, dtype=np.float64).T


def parsed(texts: list[str | None], column: dict[str, Any], path: Path) -> list[float | None]:
    """Numbers, or days since 1970; a few texts that are neither count as missing, and are named."""

    def value(text: str | None) -> float | None:
        if text is None:
            return None
        if column["kind"] == "date":
            return moment(text, order_of(column["format"]))
        if column["format"] == "time":
            return duration(text)
        return number(text, column["format"] or ".", column.get("unit", ""), column.get("scaled", False))

    values = [value(text) for text in texts]
    odd = Counter(text for text, read in zip(texts, values, strict=True) if text is not None and read is None)
    if odd:
        shown = ", ".join(repr(text) for text in list(odd)[:4])
        known = sum(text is not None for text in texts)
        bad = sum(count for text, count in odd.items() if text.lower() not in ABSENT_WORDS)
        if bad > (1 - MIN_READ) * known or odd.total() == known:
            sys.exit(f"{path}: column {column['name']!r} holds {shown}, which the model does not take")
        print(f"{column['name']}: {odd.total()} values count as missing: {shown}", file=sys.stderr)
    return values


def scaled(value: float | None, scale: dict[str, Any]) -> float:
    """A number clipped, without the training rows' mean and deviation; their median stands for a missing one."""
    filled: float = scale["fill"] if value is None else value
    if scale.get("low") is not None:
        filled = min(max(filled, scale["low"]), scale["high"])
    made: float = (filled - scale["mean"]) / scale["std"]
    return made


def part_of(days: float, part: str) -> float:
    """Days since 1970, month, weekday from 1 for Monday, or hour."""
    if part == "days":
        return days
    date = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=round(days * DAY_MILLISECONDS))
    return float({"month": date.month, "weekday": date.isoweekday(), "hour": date.hour}[part])
