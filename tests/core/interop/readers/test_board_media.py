"""Images, texts and histograms in event files, as torch and TensorFlow write them, and in offline runs of W&B."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.errors import RunDamaged
from core.events import MediaLogged
from core.interop.readers.importing import import_logs
from core.interop.readers.logs import find_log
from core.interop.readers.media import medium_of
from core.runs.folder import Run
from core.runs.media.histograms import Counts
from core.runs.media.stored import Medium, media_of
from core.runs.script import imported_dir
from tests.support.foreign_logs import history_of, points, read_all, write_wandb

pytest.importorskip("tensorboard", reason="tensorboard is not installed")

Writer = Callable[..., Any]
NOISE = np.random.default_rng(0).integers(0, 256, (700, 800, 3), np.uint8)
"""Its PNG is longer than what is read at once."""


@pytest.fixture
def writer() -> Writer:
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter


def assert_pixels(medium: Medium, pixels: Any) -> None:
    assert isinstance(medium, np.ndarray)
    np.testing.assert_array_equal(medium, pixels)


@pytest.mark.slow
def test_what_torch_writes(tmp_path: Path, writer: Writer) -> None:
    board, small = writer(tmp_path), np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    values = np.random.default_rng(1).normal(size=500)
    for step in (0, 1, 2):
        board.add_image("noise", NOISE, step, dataformats="HWC")
        board.add_scalar("val/loss", 1.0, step)
        board.add_image("small", small + np.uint8(step), step, dataformats="HWC")
        board.add_histogram("layer/weights", values * (step + 1), step)
        board.add_text("said", f"# step {step} ñ", step)
    board.close()
    log = find_log(tmp_path)
    history = history_of(read_all(log))
    items = history.media.items
    assert [*items] == ["noise", "small", "layer/weights", "said"]
    assert all([event.step for event in events] == [0, 1, 2] for events in items.values())
    assert len(points(history, "validation loss")) == 3
    assert_pixels(medium_of(log, items["noise"][2]), NOISE)
    assert_pixels(medium_of(log, items["small"][1]), small + 1)
    assert medium_of(log, items["said"][2]) == "# step 2 ñ"
    counts = medium_of(log, items["layer/weights"][2])
    assert isinstance(counts, Counts)
    assert counts.total == 500
    assert counts.mean == pytest.approx((3 * values).mean())
    assert counts.deviation == pytest.approx((3 * values).std())
    assert (counts.edges[0], counts.edges[-1]) == (3 * values.min(), 3 * values.max())
    middle = np.interp(0, counts.edges, np.append(0, np.cumsum(counts.counts)))
    assert middle == pytest.approx((values < 0).sum(), abs=15)


def test_what_tensorflow_writes(tmp_path: Path) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
    from tensorboard.summary.writer.event_file_writer import EventFileWriter
    from tensorboard.util.tensor_util import make_tensor_proto

    def png(value: int) -> bytes:
        file = io.BytesIO()
        Image.fromarray(np.full((2, 3), value, np.uint8)).save(file, "PNG")
        return file.getvalue()

    tensors = {
        "images": np.array([b"3", b"2", png(7), png(9)], object),
        "histograms": np.array([[0.0, 1.0, 3.0], [1.0, 1.0, 2.0], [1.0, 3.0, 5.0]]),
        "text": np.array(["one", "two"], object),
        "pr_curves": np.zeros((6, 4)),
    }
    board = EventFileWriter(str(tmp_path))
    for plugin, tensor in tensors.items():
        metadata = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=plugin))
        value = Summary.Value(tag=plugin, tensor=make_tensor_proto(tensor), metadata=metadata)
        board.add_event(Event(step=5, wall_time=1.0, summary=Summary(value=[value])))
    board.close()
    log = find_log(tmp_path)
    items = history_of(read_all(log)).media.items
    assert [*items] == ["images", "histograms", "text"]
    shown = [medium_of(log, events[0]) for events in items.values()]
    assert_pixels(shown[0], np.repeat([[7, 7, 7, 9, 9, 9]], 2, axis=0))
    assert shown[1:] == [Counts([0.0, 1.0, 3.0], [5.0, 5.0]), "one\ntwo"]


def test_a_restart_replaces_and_a_copy_shows_what_the_log_has(
    tmp_path: Path, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "runs" / "board"
    for session, steps in enumerate(((0, 20, 40, 60), (40, 80))):
        board = writer(folder, filename_suffix=f".{session}")
        for step in steps:
            board.add_text("said", f"{session} {step}", step, walltime=1000 * session + step)
            board.add_scalar("train/loss", 1.0, step, walltime=1000 * session + step)
        board.close()
    log = find_log(folder)
    shown = history_of(read_all(log)).media.items["said"]
    assert [medium_of(log, event) for event in shown] == ["0 0", "0 20", "1 40", "1 80"]
    import_logs(tmp_path / "runs")
    copy = Run(imported_dir(tmp_path / "runs") / "board")
    assert [medium_of(copy, event) for event in media_of(copy).items["said"]][2:] == ["1 40", "1 80"]
    assert copy.media_folder.is_dir()  # which says that there are some


@pytest.mark.parametrize(
    "place", ["../events.tfevents@0+10", "/etc/passwd@0+9", "secret@0+9", "1", "@1+99", "@0+9"]
)
def test_a_place_leads_out_of_no_log(tmp_path: Path, writer: Writer, place: str) -> None:
    board = writer(tmp_path / "log")
    board.add_text("said", "hello", 1)
    board.close()
    (tmp_path / "events.tfevents").write_bytes(b"ten bytes!")
    (tmp_path / "log" / "secret").write_bytes(b"ten bytes!")
    log = find_log(tmp_path / "log")
    event = next(event for event in read_all(log) if isinstance(event, MediaLogged))
    with pytest.raises(RunDamaged):
        medium_of(log, replace(event, file=place))


def test_images_and_histograms_of_weights_and_biases(tmp_path: Path) -> None:
    pixels, (folder, file) = (
        np.arange(12, dtype=np.uint8).reshape(3, 4),
        ("media/images", "media/images/a_0.png"),
    )
    image = {"_type": "image-file", "path": file, "caption": "first", "size": 70, "width": 4}
    several = {
        "_type": "images/separated",
        "filenames": [file, "../../a.png"],
        "captions": ["x", "y"],
        "count": 2,
    }
    histogram = {"_type": "histogram", "values": [3, 0, 5], "bins": [0, 1, 2, 3]}
    parts = (
        ("samples", image),
        ("several", several),
        ("weights", histogram),
        ("table", {"_type": "table-file"}),
    )
    write_wandb(tmp_path, 3, {f"{name}/{key}": value for name, part in parts for key, value in part.items()})
    (tmp_path / "files" / folder).mkdir(parents=True)
    Image.fromarray(pixels).save(tmp_path / "files" / file)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    log = find_log(tmp_path)
    history = history_of(read_all(log))
    assert history.reported == []  # widths and sizes are no metrics
    items = history.media.items
    assert [(name, len(events), events[-1].step) for name, events in items.items()] == [
        ("samples", 3, 3),
        ("several", 6, 3),
        ("weights", 3, 3),
    ]
    assert (items["samples"][0].caption, items["several"][0].caption) == ("first", "x")
    assert_pixels(medium_of(log, items["samples"][2]), pixels)
    assert medium_of(log, items["weights"][1]) == Counts([0.0, 1.0, 2.0, 3.0], [3.0, 0.0, 5.0])
    with pytest.raises(RunDamaged, match=r"a\.png"):
        medium_of(log, items["several"][1])
