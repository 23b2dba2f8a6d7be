"""Images, texts and histograms of a run: files and events, bounded, and rewound with the run."""

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import DataError, RunDamaged
from core.events import Event, MediaLogged, Notice, RunStarted
from core.runs.folder import Run
from core.runs.history.history import History
from core.runs.log import EventLog
from core.runs.media import store as module
from core.runs.media.kinds import Histogram, Image, Text, kind_of
from core.runs.media.store import MediaStore
from core.runs.media.stored import media_of, path_of, read_counts, read_pixels, read_words

PIXELS = np.arange(20, dtype=np.uint8).reshape(4, 5)


class Session:
    """A session of a run with its log."""

    def __init__(self, folder: Path, limit: int = 100, step: int = 0) -> None:
        self.run = Run(folder)
        folder.mkdir(exist_ok=True)
        self.events: list[Event] = []
        self.log = EventLog(self.run)
        self.store = MediaStore(self.run, self.emit, limit)
        self.emit(started(step))

    def emit(self, event: Event) -> None:
        self.events.append(event)
        self.log.write(event)

    def keep(self, name: str, item: Any, step: int) -> None:
        self.store.keep(name, item, step=step, epoch=1, done=step)

    @property
    def notices(self) -> list[str]:
        return [event.message for event in self.events if isinstance(event, Notice)]

    @property
    def files(self) -> list[str]:
        return sorted(os.listdir(self.run.media_folder))


def started(step: int) -> RunStarted:
    return RunStarted(
        config={}, task="", samples={}, classes=[], sample_shape=[], parameters=0, device="", threads=0,
        epochs=0, steps_per_epoch=0, step=step,
    )  # fmt: skip


def steps_of(run: Run, name: str) -> list[int]:
    return [event.step for event in media_of(run).items.get(name, [])]


def test_each_kind_comes_back(tmp_path: Path) -> None:
    session = Session(tmp_path / "run")
    session.keep("a/b", Image(PIXELS, "so"), 3)
    session.keep("told", Text(["one", "\x1b[31mtwo"]), 4)
    session.keep("weights", Histogram([1.0, 2.0, float("nan")], num_bins=2), 5)
    items = media_of(session.run).items
    (image,), (text,), (histogram,) = items["a/b"], items["told"], items["weights"]
    assert (image.kind, image.step, image.epoch, image.caption) == ("image", 3, 1, "so")
    assert session.files == ["000001-a-b.png", "000002-told.txt", "000003-weights.json"]
    np.testing.assert_array_equal(read_pixels(session.run, image), PIXELS)
    assert read_words(session.run, text) == "one\n\x1b[31mtwo"
    assert read_counts(session.run, histogram).counts == [1, 1]
    assert session.notices == ["weights: 1 of 3 values are not finite, and left out"]


def test_a_loop_cannot_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(tmp_path / "run", limit=2)
    for step in range(5):
        session.keep("samples", Text("x"), step)
    session.keep("other", Text("x" * 300), 9)
    assert steps_of(session.run, "samples") == [0, 1]
    assert [text for text in session.notices if "samples" in text] == [
        "samples: only the first 2 of a name are kept, and these are left out: TUI_MEDIA=4 keeps more"
    ]
    monkeypatch.setattr(module, "MEGABYTE", 100)
    session.keep("third", Text("x"), 10)
    assert "the run has 2 MB" in session.notices[-1]
    assert "third" not in media_of(session.run).items


def test_a_session_that_resumes_rewinds(tmp_path: Path) -> None:
    first = Session(tmp_path / "run", limit=3)
    for step in (10, 20, 30):
        first.keep("samples", Text(str(step)), step)
    second = Session(tmp_path / "run", limit=3, step=20)
    assert steps_of(second.run, "samples") == [10, 20]
    for step in (30, 40):
        second.keep("samples", Text(f"again {step}"), step)
    assert steps_of(second.run, "samples") == [10, 20, 30]  # and the limit counts what is left of the first
    assert second.files == ["000001-samples.txt", "000002-samples.txt", "000004-samples.txt"]
    history = History()
    for event in [*first.events, *second.events]:
        history.apply(event)
    assert history.media.items == media_of(second.run).items
    Session(tmp_path / "run").keep("samples", Text("anew"), 1)
    assert steps_of(second.run, "samples") == [1]


def test_a_session_that_does_its_steps_again_replaces_what_was_kept(tmp_path: Path) -> None:
    first = Session(tmp_path / "run", limit=4)
    for step in (10, 10, 20):
        first.keep("samples", Text(f"first {step}"), step)
    second = Session(tmp_path / "run", limit=4, step=20)
    for step in (10, 10, 10, 20, 30):
        second.keep("samples", Text(f"again {step}"), step)
    kept = media_of(second.run).items["samples"]
    assert [event.step for event in kept] == [10, 10, 20, 10]
    assert {read_words(second.run, event) for event in kept} == {"again 10", "again 20"}
    assert second.files == [f"{number:06d}-samples.txt" for number in (4, 5, 6, 7)]
    assert len(second.notices) == 1  # there is no room for a fifth


def test_a_full_disk_is_reported_once_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(tmp_path / "run")

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full)
        for step in (1, 2):
            session.keep("samples", Text("x"), step)
    assert len(session.notices) == 1
    assert "No space left" in session.notices[0]
    assert session.files == []
    session.keep("samples", Text("x"), 3)
    assert steps_of(session.run, "samples") == [3]


def test_what_is_none_is_refused_by_name(tmp_path: Path) -> None:
    session = Session(tmp_path / "run")
    for item, said in (
        (Image(None), "samples: a picture"),
        (Text(5), "samples: a int"),
        (5, "samples: got a int"),
    ):
        with pytest.raises(DataError, match=said):
            session.keep("samples", item, 1)
    with pytest.raises(DataError, match="name: got ''"):
        session.keep("", Text("x"), 1)
    session.keep("long", Text("x" * 100_001), 1)
    assert session.notices == ["long: 100,001 characters: the first 100,000 are kept"]


def test_a_log_from_elsewhere_leads_out_of_no_folder(tmp_path: Path) -> None:
    run = Run(tmp_path)
    for file in ("../../etc/000001-a.png", "000001-a.txt", "/000001-a.png", "000001-..png/x.png"):
        with pytest.raises(RunDamaged, match="none of this run"):
            path_of(run, MediaLogged(kind="image", name="a", step=0, epoch=0, done=0, file=file))
    run.media_folder.mkdir()
    (run.media_folder / "000001-a.png").write_bytes(b"\x89PNG of nothing")
    (run.media_folder / "000002-a.png").symlink_to(__file__)
    for number in (1, 2, 3):
        event = MediaLogged(kind="image", name="a", step=0, epoch=0, done=0, file=f"00000{number}-a.png")
        with pytest.raises(RunDamaged, match="cannot be read"):
            read_pixels(run, event)


def test_a_link_in_place_of_the_folder_is_not_written_through(tmp_path: Path) -> None:
    session = Session(tmp_path / "run")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "000001-mine.txt").touch()
    session.run.media_folder.symlink_to(tmp_path / "elsewhere")
    session.keep("samples", Text("x"), 1)
    assert "is a link" in session.notices[0]
    assert os.listdir(tmp_path / "elsewhere") == ["000001-mine.txt"]


def test_kinds_are_known_by_their_mark() -> None:
    import torchtui

    assert [kind_of(kind(1)) for kind in (torchtui.Image, torchtui.Text, torchtui.Histogram)] == [
        "image",
        "text",
        "histogram",
    ]
    assert torchtui.Image is not Image
    assert kind_of(torchtui) is None
