"""Anything may lie in the place of a file that is read, it is a file or it is refused: no wait, no endless reading."""

import ast
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

from core.config.yaml_files import read_yaml
from core.data.arrays.arrays import Arrays
from core.data.builtin.colour import _content
from core.data.images.folder_advice import _recognised
from core.data.images.folder_cache import open_cache
from core.data.images.label_files import is_label_file, read_label_file
from core.data.images.pictures import facts_of, read_picture
from core.data.registry import DataConfig
from core.data.tables.files.source import open_source
from core.data.tables.options import Csv
from core.data.tables.table import digest
from core.errors import TorchtuiError
from core.evaluation.predictions import Predictions
from core.evaluation.report import Report
from core.files.lock import has_locks, holder_of, lock_state
from core.files.reading import MAX_BYTES, ensure_regular, open_regular, read_bytes, read_tail, read_text
from core.inference.inputs import _array
from core.interop.readers.formats.csv_tables import CsvSource, is_table
from core.interop.readers.logs import find_log
from core.models.zoo import Zoo
from core.report.build import _environment
from core.runs.checkpoints import load_checkpoint, load_latest
from core.runs.data_facts import read_facts
from core.runs.folder import Run
from core.runs.lock import hold
from core.runs.log import EventLog, LogReader
from core.runs.problems import problems
from core.runs.requests import send
from core.runs.summary import summarise
from core.user_code.source import read_source
from core.user_code.trust import _known
from tests.support.repository import REPOSITORY
from tests.support.sources import dotted, nodes, trees
from tests.support.waiting import until
from tui.app.app import TuiApp
from tui.runtime.settings import Settings, load_settings

WAIT_SECONDS = 300
"""What does not end by then waits for ever."""
RELEASED = REPOSITORY / "tests" / "released" / "v0_1" / "runs"


@pytest.fixture(autouse=True)
def alarm() -> Iterator[None]:
    """Turn a wait without end into an error."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise AssertionError("it waits for the other end of a pipe, or reads without end")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(WAIT_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


# -- the one way -----------------------------------------------------------------------------------------------


def plant_pipe(path: Path) -> None:
    os.mkfifo(path)


def plant_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def plant_linked_pipe(path: Path) -> None:
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to(path.with_name("pipe"))


def plant_link(path: Path) -> None:
    """To a file that reads well: what is refused is the link."""
    path.with_name("target").write_text("a file")
    path.symlink_to(path.with_name("target"))


READ: list[Callable[..., Any]] = [open_regular, ensure_regular, read_bytes, read_text]


@pytest.mark.parametrize("read", READ)
@pytest.mark.parametrize("plant", [plant_pipe, plant_device, plant_linked_pipe, Path.mkdir])
def test_only_files_are_opened(
    tmp_path: Path, read: Callable[..., Any], plant: Callable[[Path], object]
) -> None:
    plant(tmp_path / "x")
    for follow_links in (False, True):
        with pytest.raises(OSError, match=r"it is a link|it is not a file|Is a directory"):
            read(tmp_path / "x", follow_links=follow_links)
    assert read_tail(tmp_path / "x") == ""


def test_a_link_is_opened_where_links_may_be(tmp_path: Path) -> None:
    plant_link(tmp_path / "x")
    assert read_text(tmp_path / "x", follow_links=True) == "a file"
    for read in READ:
        with pytest.raises(OSError, match="it is a link"):
            read(tmp_path / "x")


def test_what_is_read_whole_has_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"1\r\n2\r")
    assert read_bytes(path, limit=5) == b"1\r\n2\r"
    assert read_text(path) == "1\n2\n"
    with pytest.raises(OSError, match="it is larger than 0 MB"):
        read_bytes(path, limit=4)
    os.truncate(path, MAX_BYTES + 1)
    with pytest.raises(OSError, match="it is larger than 67 MB"):
        read_bytes(path)
    assert read_tail(path, 3) == "\0" * 3


# -- every file of a run ---------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A complete run with evaluations and a file of the user's own."""
    (released,) = RELEASED.glob("2*_iris-python_*")
    run = Run(tmp_path / "runs" / released.name)
    shutil.copytree(released, run.path)
    run.requests_file.touch()
    run.console_file.touch()
    return run


def raises(read: Callable[[Run], object]) -> Callable[[Run], bool]:
    def is_refused(run: Run) -> bool:
        try:
            read(run)
        except TorchtuiError as error:
            return "Traceback" not in str(error)
        return False

    return is_refused


def hold_it(run: Run) -> None:
    with hold(run):
        pass


REFUSED: dict[str, Callable[[Run], bool]] = {
    "config.yaml": raises(Run.config),
    "environment.json": lambda run: _environment(run) == [["environment.json", "cannot be read"]],
    "data.json": raises(read_facts),
    "events.jsonl": lambda run: LogReader(run.log_file).read() == [] and raises(EventLog)(run),
    "run.lock": lambda run: holder_of(run.lock_file) == "" and raises(hold_it)(run),
    "requests.txt": raises(lambda run: send(run, "stop")),
    "console.log": lambda run: read_tail(run.console_file) == "",
    "checkpoints/last.pt": raises(lambda run: load_checkpoint(run, "last")),
    "checkpoints/previous.pt": raises(lambda run: load_checkpoint(run, "previous")),
    "checkpoints/best.pt": raises(lambda run: load_checkpoint(run, "best")),
    "evaluation/test/report.json": raises(
        lambda run: Report.load(run.evaluation_folder("test") / "report.json")
    ),
    "evaluation/test/predictions.npz": raises(
        lambda run: Predictions.load(run.evaluation_folder("test") / "predictions.npz")
    ),
    "code/model/sources.json": lambda run: (
        read_source(next((run.code_folder / "model").glob("*.py"))).folder is not None
    ),
}


def test_every_file_of_a_run_is_tried(run: Run) -> None:
    there = {str(path.relative_to(run.path)) for path in run.path.rglob("*") if path.is_file()}
    ours = {name for name in there if not name.startswith("code/") and "/validation/" not in name}
    assert ours <= REFUSED.keys()


@pytest.mark.parametrize("plant", [plant_pipe, plant_link])
@pytest.mark.parametrize("name", REFUSED)
def test_no_file_of_a_run_may_be_something_else(run: Run, name: str, plant: Callable[[Path], None]) -> None:
    path = run.path / name
    path.unlink(missing_ok=True)
    plant(path)
    assert REFUSED[name](run)


def test_a_run_of_pipes_is_listed_and_shown_as_damaged(run: Run) -> None:
    for path in [path for path in run.path.rglob("*") if path.is_file()]:
        path.unlink()
        os.mkfifo(path)
    assert summarise(run).status == "damaged"
    found = "\n".join(problems(run))
    for name in (
        "config.yaml",
        "data.json",
        "environment.json",
        "events.jsonl",
        "last.pt",
        "best.pt",
        "report.json",
    ):
        assert name in found
    with pytest.raises(TorchtuiError, match="it is not a file"):
        load_latest(run)
    with pytest.raises(TorchtuiError, match=r"cannot read .*it is not a file"):
        read_source(next((run.code_folder / "model").glob("*.py")))
    with pytest.raises(TorchtuiError):
        hold_it(run)


@pytest.mark.slow
async def test_the_app_answers_whatever_lies_in_a_run(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe as the configuration of the run that is evaluated, reused and resumed."""
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "settings.json"))
    run.config_file.unlink()
    os.mkfifo(run.config_file)
    app = TuiApp(runs_dir=run.path.parent)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.current_mode == "runs" and app.screen.is_current)
        await pilot.pause()
        for key in ("e", "escape", "1", "u", "escape", "1", "r", "escape", "2"):
            await pilot.press(key)
        await until(pilot, lambda: app.current_mode == "configure")


# -- settings, presets, data -----------------------------------------------------------------------------------


def load(config: DataConfig) -> None:
    config.load(Path("unused"), lambda what, done, total: None)


class FromFile(Zoo):
    """A network whose pretrained weights are in a file of the test's."""

    def _weights_file(self) -> Path:
        return Path("weights.pth")


DATA: dict[str, Callable[[Path], object]] = {
    "config.yaml": read_yaml,
    "mynet.py": read_source,
    "table.csv": lambda path: load(Csv(path=str(path), target="y")),
    "columns.csv": open_source,
    "columns.tsv": open_source,
    "columns.parquet": open_source,
    "digest.csv": digest,
    "labels.csv": read_label_file,
    "arrays.npz": lambda path: load(Arrays(path=str(path))),
    "array.npy": lambda path: load(Arrays(path=str(path))),
    "inputs.npy": _array,
    "inputs.npz": _array,
    "cifar.bin": _content,
    "picture.png": lambda path: read_picture(path, (8, 8), grey=True),
    "header.png": facts_of,
    "metrics.csv": lambda path: find_log(path.parent),
    "x.tfevents.1": lambda path: find_log(path.parent),
    "weights.pth": lambda path: FromFile._load(FromFile.model_construct(), None),  # type: ignore[arg-type]  # never used
}


@pytest.mark.parametrize("plant", [plant_pipe, plant_device, plant_linked_pipe])
@pytest.mark.parametrize("name", DATA)
def test_no_file_of_the_users_may_be_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, plant: Callable[[Path], None]
) -> None:
    monkeypatch.chdir(tmp_path)
    plant(tmp_path / name)
    with pytest.raises((TorchtuiError, OSError)):
        DATA[name](tmp_path / name)


@pytest.mark.parametrize("plant", [plant_pipe, plant_device, plant_linked_pipe])
def test_what_is_optional_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plant: Callable[[Path], None]
) -> None:
    for name in ("settings.json", "trusted_code.json", "cache.npy", "cache.json", "metrics.csv", "what"):
        (tmp_path / name).mkdir()
        plant(tmp_path / name / name)
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "settings.json" / "settings.json"))
    assert load_settings()[0] == Settings()
    monkeypatch.setattr("core.user_code.trust.config_folder", lambda: tmp_path / "trusted_code.json")
    assert _known() == set()
    assert open_cache(tmp_path / "cache.npy" / "cache.npy") is None
    np.save(tmp_path / "cache.json" / "cache.npy", np.zeros(1))
    assert open_cache(tmp_path / "cache.json" / "cache.npy") is None
    log = tmp_path / "metrics.csv" / "metrics.csv"
    assert not is_table(log)
    assert CsvSource(log).read().rows == []
    assert not is_label_file(str(log))
    assert _recognised(tmp_path / "what" / "what") == ""
    assert lock_state(tmp_path / "what" / "what").name == "UNKNOWN"
    assert has_locks(tmp_path)


def test_data_and_configurations_of_the_users_may_be_links(tmp_path: Path) -> None:
    table = tmp_path / "store" / "1f3a"
    table.parent.mkdir()
    table.write_text("a,y\n" + "".join(f"{row},{row % 2}\n" for row in range(40)))
    (tmp_path / "table.csv").symlink_to(table)
    load(Csv(path=str(tmp_path / "table.csv"), target="y"))
    config = tmp_path / "store" / "config"
    config.write_text("data: iris\n")
    (tmp_path / "config.yaml").symlink_to(config)
    assert read_yaml(tmp_path / "config.yaml") == {"data": "iris"}


# -- no other way ----------------------------------------------------------------------------------------------

OPENS = {
    *(
        "open",
        "io.open",
        "os.open",
        "codecs.open",
        "linecache.getlines",
        "fileinput.input",
        "sqlite3.connect",
    ),
    *("np.load", "np.fromfile", "np.loadtxt", "np.genfromtxt", "np.memmap", "np.lib.format.open_memmap"),
    *("torch.load", "torch.jit.load", "load_file", "safe_open", "loadmat", "zipfile.ZipFile", "mmap.mmap"),
    *("pl.scan_csv", "pl.read_csv", "pl.scan_parquet", "pl.read_parquet", "shutil.copy", "shutil.copy2"),
    *(
        "shutil.copyfile",
        "shutil.copytree",
        "ZipFile",
        "torch.export.load",
        "pl.read_ipc",
        "pl.read_ipc_stream",
    ),
    *(
        "pl.read_avro",
        "pl.read_ndjson",
        "pl.scan_ndjson",
        "pl.scan_ipc",
        "fastexcel.read_excel",
        "gzip.GzipFile",
    ),
}
METHODS = {"open", "read_text", "read_bytes"}
ELSEWHERE = {
    "core/interop/readers/formats/database.py": {"sqlite3.connect": "a path that was seen to be a file"},
    "core/files/reading.py": {"os.open": "the one way"},
    "core/evaluation/predictions.py": {
        "zipfile.ZipFile": "writes to a file that is open",
        "archive.open": "writes a member of it",
    },
    "core/data/masks/peeked.py": {"archive.open": "a member of an open archive"},
    "core/session/preflight/saved.py": {"torch.load": "a buffer in memory"},
    "tui/runtime/capture.py": {"os.open": "the null device", "open": "a descriptor of the terminal"},
    "core/files/temporary.py": {"os.open": "makes new files and folders of random names, and flushes them"},
    "core/machine.py": {
        "(root / 'proc/self/cgroup').read_text": "a file of the kernel",
        "path.read_text": "files of the kernel",
    },
    "core/runs/origin/bundle.py": {
        "open": "a new file in a new folder",
        "archive.open": "a part of an open archive",
    },
    "core/runs/delete.py": {"os.open": "a folder, to lock it; follows no link and waits for nothing"},
    "core/report/page.py": {"files('core.report').joinpath(name).read_text": "a file of the package"},
    "core/tuning/executors/worker.py": {"os.open": "the null device"},
    "tui/runtime/signals.py": {"os.open": "the null device"},
    "tui/cli/__init__.py": {"os.open": "the null device"},
    "tui/runtime/streams.py": {"os.open": "the null device", "open": "the null device"},
    **{
        f"core/export/{name}.py": dict.fromkeys(
            calls, "goes with an exported model, without the product; its user names the file"
        )
        for name, calls in {
            "predict": ("os.open", "torch.export.load"),
            "predict_inputs": ("np.load", "file.open", "Image.open"),
            "predict_tables": ("path.read_bytes",),
        }.items()
    },
    "core/export/standalone.py": {
        "path.read_text": "a file of the package",
    },
    "core/export/safetensors.py": {"load_file": "what was just written"},
    "core/export/tables.py": {"path.open": "writes what the user names"},
    "core/inference/prediction_files.py": {"path.open": "writes what the user names"},
    "core/data/tables/files/formats.py": dict.fromkeys(
        (
            *("pl.scan_parquet", "pl.read_ipc", "pl.read_ipc_stream", "pl.read_avro", "pl.read_ndjson"),
            *("loadmat", "sqlite3.connect"),
        ),
        "reads by itself, after its first bytes were read in the one way",
    ),
    "core/data/tables/files/workbooks.py": {
        "fastexcel.read_excel": "reads by itself, after its first bytes were read in the one way"
    },
    "core/data/tables/files/text.py": {
        "pl.scan_csv": "reads by itself, after its first bytes were read in the one way"
    },
    "core/data/tables/values/on_disk.py": {
        "MOUNTS.read_text": "a file of the kernel",
        "pl.scan_ipc": "an open file without a name",
        "np.memmap": "an open file without a name",
    },
    "core/data/tables/files/packed.py": {
        "archive.open": "a member of an open archive",
        "gzip.GzipFile": "an open file",
        "pl.read_csv": "reads by itself, while the file is open",
    },
    "core/data/arrays/array_files.py": {"np.load": "maps by itself, after ensure_regular"},
    "core/data/images/folder_cache.py": {
        "np.load": "maps by itself, after ensure_regular",
        "np.lib.format.open_memmap": "in a new folder of its own",
    },
    "core/data/images/folder_survey.py": {"np.load": "reads bytes in memory"},
    "core/data/images/decoding.py": {"os.open": "in a new folder of the process that started it"},
    "core/data/builtin/tables.py": dict.fromkeys(
        ("gzip.open", "np.loadtxt"), "a file of scikit-learn's package"
    ),
    "core/options.py": {"linecache.getlines": "the source of a module that is being imported"},
    "core/processes/labels.py": {"open": "a descriptor of this process"},
    "core/runs/catalogue.py": {"os.open": "a folder, whose files are looked at from there"},
    "core/data/builtin/colour.py": {"loadmat": "reads by itself, after a look that it is a file"},
    "core/data/builtin/download.py": dict.fromkeys(
        (
            *("packed.open", "gzip.open", "(folder / packed.stem).open", "tarfile.open", "zipfile.ZipFile"),
            *("(folder / name).open", "archive.open"),
        ),
        "unpacks what was just downloaded, in a new folder of its own",
    ),
}
"""Calls that open by another way, each with its reason."""


def opened_here(tree: ast.Module) -> set[str]:
    """Names that a `with` statement binds to a file opened by the one way."""
    return {
        ast.unparse(item.optional_vars)
        for node in nodes(tree)
        if isinstance(node, ast.With)
        for item in node.items
        if item.optional_vars is not None and ast.unparse(item.context_expr).startswith("open_regular(")
    }


def openings(tree: ast.Module) -> set[str]:
    """The calls of a module that open a file by its path."""
    files = opened_here(tree)
    found = set()
    for node in nodes(tree):
        if isinstance(node, ast.Call):
            is_method = isinstance(node.func, ast.Attribute) and node.func.attr in METHODS
            if is_method or dotted(node.func) in OPENS:
                given = [*node.args[:1], *(word.value for word in node.keywords)]
                if not any(ast.unparse(value) in files for value in given):
                    found.add(ast.unparse(node.func))
    return found


@pytest.mark.slow
def test_the_product_opens_files_in_one_way() -> None:
    found = {path: openings(tree) for path, tree in trees().items()}
    assert {name: calls for name, calls in found.items() if calls} == {
        name: set(calls) for name, calls in ELSEWHERE.items()
    }


@pytest.mark.parametrize(
    "code",
    ["open(path)", "path.open('rb')", "path.read_text()", "np.load(path)", "with x as file: np.load(file)"],
)
def test_another_way_would_be_found(code: str) -> None:
    assert openings(ast.parse(code))
    assert not openings(ast.parse("with open_regular(path) as file: np.load(file)"))
