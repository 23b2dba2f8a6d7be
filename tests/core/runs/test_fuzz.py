"""Real files of a run, mutated: only our own errors come out, and a checkpoint is either refused or what it was."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config import schema as configuration
from core.config.schema import TrainConfig
from core.control import RunControl
from core.errors import ConfigError, RunDamaged
from core.evaluation import Predictions, Report
from core.runs.checkpoints import load_checkpoint
from core.runs.folder import Run
from core.runs.history.history import History
from core.runs.history.outline import Outline
from core.runs.log import LogReader
from core.runs.problems import problems
from core.runs.summary import RunSummary, summarise
from core.session import session

pytestmark = pytest.mark.slow

VALUE = re.compile(rb"-?\d[\d.e+-]*|\"[^\"\n]*\"|null|true|false")
STRANGE = [
    *(
        b"null",
        b"true",
        b"-1",
        b"0",
        b"1e999",
        b"-1e308",
        b"9" * 30,
        b"9" * 5000,
        b"NaN",
        b"[]",
        b"{}",
        b'""',
    ),
    *(
        b"[[1], [2, 3]]",
        b'{"a": null}',
        b'"\\ud800"',
        b'"\\u001b[31m"',
        b"&a [*a]",
        b"!!python/name:os.system",
        b"\xff",
    ),
]
Mutation = Callable[[bytes], bytes]


def cut(at: float) -> Mutation:
    return lambda content: content[: int(at * len(content))]


def flip(at: float, bit: int) -> Mutation:
    def mutate(content: bytes) -> bytes:
        place = int(at * len(content))
        return content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :]

    return mutate


def overwrite(at: float, junk: bytes) -> Mutation:
    def mutate(content: bytes) -> bytes:
        place = int(at * len(content))
        return content[:place] + junk + content[place + len(junk) :]

    return mutate


def repeat(at: float, share: float) -> Mutation:
    """A part once more, as when a copy was interrupted and begun again."""

    def mutate(content: bytes) -> bytes:
        place, end = int(at * len(content)), int(share * len(content))
        return content[:place] + content[place : place + end] + content[place:]

    return mutate


def replace_value(at: float, strange: bytes) -> Mutation:
    """Another value in a text that stays well formed."""

    def mutate(content: bytes) -> bytes:
        found = [*VALUE.finditer(content)]
        if not found:
            return content
        chosen = found[int(at * len(found))]
        return content[: chosen.start()] + strange + content[chosen.end() :]

    return mutate


PLACE = st.floats(0, 1, exclude_max=True)
BYTES = st.one_of(
    st.builds(cut, PLACE),
    st.builds(flip, PLACE, st.integers(0, 7)),
    st.builds(overwrite, PLACE, st.binary(min_size=1, max_size=40)),
    st.builds(repeat, PLACE, st.floats(0, 0.3)),
)
VALUES = st.builds(replace_value, PLACE, st.sampled_from(STRANGE))
MUTATED_TEXT = st.lists(st.one_of(VALUES, VALUES, BYTES), min_size=1, max_size=3)
fuzzed = settings(max_examples=300, deadline=None, derandomize=True, database=None)


def result_or_error(call: Callable[[], object], expected: type[Exception]) -> object:
    """Return the result of a call, or the error of the kind that it may raise."""
    try:
        return call()
    except expected as error:
        return error


def mutate(content: bytes, mutations: list[Mutation]) -> bytes:
    for mutation in mutations:
        content = mutation(content) if content else content
    return content


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A small completed run."""
    training = {"epochs": 3, "device": "cpu", "threads": 1}
    config = configuration.from_dict({"data": "iris", "model": "linear", "training": training})
    prepared = session.prepare(config, None, lambda what, done, total: None)
    run = session.new_run(prepared, tmp_path_factory.mktemp("fuzz"))
    session.execute(prepared, run, emit=lambda event: None, control=RunControl())
    return run


@pytest.fixture
def restore(run: Run) -> Any:
    """Puts every file back after the test."""
    contents = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    yield contents
    for path, content in contents.items():
        path.write_bytes(content)


def test_mutated_configurations(run: Run, restore: dict[Path, bytes]) -> None:
    @fuzzed
    @given(MUTATED_TEXT)
    def attempt(mutations: list[Mutation]) -> None:
        run.config_file.write_bytes(mutate(restore[run.config_file], mutations))
        result = result_or_error(run.config, ConfigError)
        assert isinstance(result, TrainConfig) or "\n" not in str(result)

    attempt()


def test_mutated_logs(run: Run, restore: dict[Path, bytes]) -> None:
    @fuzzed
    @given(MUTATED_TEXT)
    def attempt(mutations: list[Mutation]) -> None:
        run.log_file.write_bytes(mutate(restore[run.log_file], mutations))
        history, reader = History(), LogReader(run.log_file)
        for event in reader.read():
            history.apply(event)
        for curve in history.curves.values():
            curve.points()
        assert history.position >= 0.0
        assert isinstance(summarise(run), RunSummary)
        outline = Outline(run)
        while outline.read():
            pass
        assert outline.damaged >= 0

    attempt()


def test_mutated_checkpoints_are_refused_or_what_they_were(run: Run, restore: dict[Path, bytes]) -> None:
    """Not a bit of a state may change in silence."""
    path = run.checkpoint_file("last")
    whole = load_checkpoint(run, "last")
    refused = 0

    @settings(fuzzed, max_examples=400)
    @given(BYTES)
    def attempt(mutation: Mutation) -> None:
        nonlocal refused
        path.write_bytes(mutation(restore[path]))
        state = result_or_error(lambda: load_checkpoint(run, "last"), RunDamaged)
        if isinstance(state, RunDamaged):
            refused += 1
            assert "last.pt" in str(state)
        else:
            assert_equal(state, whole)

    attempt()
    assert refused > 300


@pytest.mark.filterwarnings("ignore:Using a non-tuple sequence")
def test_checkpoints_of_other_contents(run: Run, restore: dict[Path, bytes]) -> None:
    """Whole files that torch wrote, whose parts are missing or of another kind."""
    path, whole = run.checkpoint_file("last"), load_checkpoint(run, "last")
    training = {**vars(run.config().training), "epochs": 4}
    longer = configuration.from_dict(
        configuration.merge(configuration.to_dict(run.config()), {"training": training})
    )
    junk = st.sampled_from([None, 3, "text", [], {}, {"a": 1}, torch.zeros(2), [torch.zeros(1)]])

    @settings(fuzzed, max_examples=60)
    @given(st.sampled_from(sorted(whole)), junk, st.booleans())
    def attempt(part: str, value: Any, drop: bool) -> None:
        for file, content in restore.items():  # the attempt before may have completed the run
            file.write_bytes(content)
        run.checkpoint_file("previous").unlink(missing_ok=True)
        changed = {key: kept for key, kept in whole.items() if key != part}
        torch.save(changed if drop else {**changed, part: value}, path)
        prepared = session.prepare(longer, None, lambda what, done, total: None)
        try:
            state = session.resume_state(run, longer)
        except RunDamaged:
            return
        finished = session.execute(prepared, run, emit=lambda event: None, control=RunControl(), state=state)
        assert finished.traceback == "", finished.traceback

    attempt()


@pytest.mark.parametrize("name", ["predictions.npz", "report.json", "environment.json", "best.pt"])
def test_mutated_results(run: Run, restore: dict[Path, bytes], name: str) -> None:
    (path, *_) = sorted(run.path.rglob(name))
    readers: dict[str, Callable[[Path], object]] = {
        "predictions.npz": Predictions.load,
        "report.json": Report.load,
    }

    @settings(fuzzed, max_examples=60)
    @given(MUTATED_TEXT if name.endswith("json") else st.lists(BYTES, min_size=1, max_size=2))
    def attempt(mutations: list[Mutation]) -> None:
        path.write_bytes(mutate(restore[path], mutations))
        result = result_or_error(lambda: readers.get(name, str)(path), RunDamaged)
        assert not isinstance(result, RunDamaged) or name in str(result)
        assert all("\n" not in problem for problem in problems(run))

    attempt()


@pytest.mark.parametrize(
    "name", ["config.yaml", "events.jsonl", "last.pt", "best.pt", "predictions.npz", "report.json"]
)
@pytest.mark.parametrize("damage", ["empty", "cut", "missing"])
def test_every_damaged_file_is_named(run: Run, restore: dict[Path, bytes], name: str, damage: str) -> None:
    assert problems(run) == []
    for path in run.path.rglob(name):
        if damage == "missing":
            path.unlink()
        else:
            half = len(restore[path]) // 2
            # Text is cut within a line: without its last lines alone, a configuration is a shorter one.
            end = restore[path].rfind(b":", 0, half) if name == "config.yaml" else half
            path.write_bytes(b"" if damage == "empty" else restore[path][:end])
    if damage == "missing" and name in ("predictions.npz", "report.json"):
        assert problems(run) == [], "an evaluation that is not there is made when it is asked for"
    else:
        assert any(name in problem for problem in problems(run))
    assert isinstance(summarise(run), RunSummary)


def assert_equal(one: Any, other: Any) -> None:
    """Equal in every bit."""
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_equal(one[key], other[key])
    elif isinstance(one, list):
        assert len(one) == len(other)
        for first, second in zip(one, other, strict=True):
            assert_equal(first, second)
    else:
        assert one == other
