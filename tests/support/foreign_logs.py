"""Logs of other tools in tests: read to their end, and by whatever writes them."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from core.events import Event
from core.interop.readers.following import ForeignLog
from core.runs.history.history import History

__all__ = ["history_of", "points", "read_all", "write_database", "write_mlflow"]


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
