"""Logs of other tools in tests: read to their end, and by whatever writes them."""

import json
import sqlite3
import struct
import zlib
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

from core.events import Event
from core.interop.readers.following import ForeignLog
from core.runs.history.history import History

__all__ = [
    "history_of",
    "points",
    "read_all",
    "write_database",
    "write_mlflow",
    "write_trackio",
    "write_wandb",
]


def read_all(log: ForeignLog) -> list[Event]:
    """Read until nothing more comes."""
    events: list[Event] = []
    while new := log.read() or log.read():
        events += new
    return events


def history_of(events: Iterable[Event]) -> History:
    """Return the history that some events make."""
    history = History()
    for event in events:
        history.apply(event)
    return history


def points(history: History, curve: str) -> list[tuple[float, float]]:
    """Return the points of a curve, rounded: logs hold 32 bits."""
    x, y = history.curve(curve).points()
    return [(round(float(a), 4), round(float(b), 4)) for a, b in zip(x, y, strict=True)]


def write_mlflow(path: Path, epochs: int) -> None:
    """Write a run as MLflow's file store keeps it."""
    run = path / "1" / "5f2c"
    (run / "metrics" / "train").mkdir(parents=True, exist_ok=True)
    (run / "params").mkdir(exist_ok=True)
    (path / "1" / "meta.yaml").write_text("experiment_id: '1'\nname: first try\n")
    (run / "meta.yaml").write_text("run_id: 5f2c\nrun_name: bold-run\nstatus: 1\n")
    (run / "params" / "lr").write_text("0.1")
    for name, first in (("train/loss", 2), ("val_loss", 4)):
        lines = (f"{1000 * epoch} {first / epoch} {epoch}\n" for epoch in range(1, epochs + 1))
        (run / "metrics" / name).write_text("".join(lines))


def write_database(path: Path, epochs: int) -> None:
    """Write a run as MLflow's database keeps it."""
    path.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path / "mlflow.db")) as connection, connection:
        connection.executescript(
            """
            create table if not exists experiments (experiment_id integer, name text);
            create table if not exists runs (
                run_uuid text, name text, status text, start_time integer, experiment_id integer, lifecycle_stage text);
            create table if not exists params (run_uuid text, key text, value text);
            create table if not exists metrics (
                run_uuid text, key text, value real, timestamp integer, step integer, is_nan integer);
            delete from runs; delete from metrics; delete from experiments; delete from params;
            insert into experiments values (1, 'first try');
            insert into runs values ('5f2c', 'bold-run', 'RUNNING', 1, 1, 'active');
            insert into params values ('5f2c', 'lr', '0.1');
            """
        )
        for epoch in range(1, epochs + 1):
            for name, first in (("train/loss", 2), ("val_loss", 4)):
                row = ("5f2c", name, first / epoch, 1000 * epoch, epoch, 0)
                connection.execute("insert into metrics values (?, ?, ?, ?, ?, ?)", row)


def write_trackio(path: Path, epochs: int) -> None:
    """Write a run as trackio's database of a project keeps it."""
    path.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path / "project.db")) as connection, connection:
        connection.executescript(
            """
            create table if not exists metrics (
                id integer primary key, run_id text, timestamp text, run_name text, step integer, metrics text);
            create table if not exists configs (id integer primary key, run_id text, run_name text, config text);
            delete from metrics; delete from configs;
            insert into configs values (1, 'a', 'bold-run', '{"lr": 0.1, "_Username": "me"}');
            """
        )
        for epoch in range(1, epochs + 1):
            metrics = json.dumps({"train/loss": 2 / epoch, "val_loss": 4 / epoch}).encode()
            row = (epoch, "a", f"2026-01-01T00:00:{epoch:02}+00:00", "bold-run", epoch, metrics)
            connection.execute("insert into metrics values (?, ?, ?, ?, ?, ?)", row)


def field(number: int, content: bytes) -> bytes:
    """Return a field of a protobuf message that holds bytes."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    """Return a number as protobuf writes it."""
    groups = [value >> place & 0x7F for place in range(0, max(1, value.bit_length()), 7)]
    return bytes([group | 0x80 for group in groups[:-1]] + groups[-1:])


def write_wandb(path: Path, epochs: int, more: Mapping[str, object] | None = None) -> None:
    """Write an offline run of W&B: records in pieces that end with the blocks of the file.

    Args:
        more: values of each step, such as ``samples/path``.
    """

    def items(number: int, values: Mapping[str, object]) -> bytes:
        pairs = ((key.encode(), json.dumps(value).encode()) for key, value in values.items())
        return b"".join(field(number, field(2, key) + field(16, value)) for key, value in pairs)

    records = [field(17, field(4, items(1, {"lr": 0.1, "_wandb": {}, "note": "x" * 40_000})))]
    for epoch in range(1, epochs + 1):
        values = {"_step": epoch, "_timestamp": float(epoch), "train/loss": 2 / epoch, "val/loss": 4 / epoch}
        records.append(field(2, items(1, values | dict(more or {}))))
    content = b":W&B\xe1\xbe\x00"
    for record in records:
        is_first = True
        while record or is_first:
            room = (1 << 15) - len(content) % (1 << 15)
            if room <= 7:
                content += bytes(room)
                continue
            piece, record = record[: room - 7], record[room - 7 :]
            kind = (1 if not record else 2) if is_first else (4 if not record else 3)
            content += (
                struct.pack("<IHB", zlib.crc32(piece, zlib.crc32(bytes([kind]))), len(piece), kind) + piece
            )
            is_first = False
    path.mkdir(exist_ok=True)
    (path / "run-1.wandb").write_bytes(content)
