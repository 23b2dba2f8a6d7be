"""Names, tags and notes of runs: what is kept, what is refused, and what damage costs."""

from pathlib import Path

import pytest

from core.errors import InputError, RunError
from core.runs.catalogue import Catalogue
from core.runs.folder import Run, find_run
from core.runs.labels import LABELS, NONE, RunLabels, read_labels, title_of, write_labels
from core.runs.summary import summarise
from tests.support.written_runs import write_run

ID = "2026-01-01_0900_digits-mlp_aaa"


def test_labels_are_kept_with_the_run_and_changed_one_by_one(tmp_path: Path) -> None:
    run = write_run(tmp_path, ID)
    assert summarise(run).labels == NONE
    assert summarise(run).title == "digits-mlp_aaa"

    write_labels(run.path, name=" wider ")
    write_labels(run.path, tags=["paper", "b", "paper"])
    assert write_labels(run.path, note="two\nlines\n") == RunLabels("wider", ("paper", "b"), "two\nlines")
    assert summarise(run).labels == read_labels(run.path)
    assert summarise(run).title == "wider"
    assert run.path.name == ID

    family = "👨\u200d👩\u200d👧 of networks"
    assert write_labels(run.path, name=family).name == read_labels(run.path).name == family


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"name": "two\nlines"}, "name: got 'two\\nlines'. It is one line of at most 80 characters"),
        ({"name": "\x1b[31mred"}, "name: got"),
        ({"name": "x" * 81}, "name: got"),
        ({"tags": ["two words"]}, "tag: got 'two words'"),
        ({"tags": [""]}, "tag: got ''"),
        ({"tags": [str(number) for number in range(51)]}, "tags: got 51"),
        ({"note": "x" * 10_001}, "note: got 10,001 characters"),
    ],
)
def test_what_cannot_be_shown_or_found_again_is_refused(tmp_path: Path, given: dict, told: str) -> None:  # type: ignore[type-arg]  # a table of keywords
    run = write_run(tmp_path, ID)
    with pytest.raises(InputError) as error:
        write_labels(run.path, **given)
    assert told in str(error.value)
    assert not (run.path / LABELS).exists()


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"name": 3, "tags": [1], "note": {}}', b"\xff{", b"[" * 9999]
)
def test_a_damaged_file_costs_the_labels_alone(tmp_path: Path, content: bytes) -> None:
    run = write_run(tmp_path, ID)
    (run.path / LABELS).write_bytes(content)
    assert read_labels(run.path) == NONE
    assert summarise(run).status == "completed"


def test_a_deleted_run_is_not_brought_back_by_a_name(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no longer a folder"):
        write_labels(tmp_path / ID, name="x")
    assert not (tmp_path / ID).exists()


def test_a_name_leads_to_its_run_unless_an_id_does(tmp_path: Path) -> None:
    first, second = write_run(tmp_path, ID), write_run(tmp_path, ID[:-3] + "bbb")
    write_labels(first.path, name="wide net")
    assert find_run(tmp_path, "wide net") == first
    assert find_run(tmp_path, "wide") == first
    write_labels(first.path, name="bbb")
    assert find_run(tmp_path, "bbb") == second
    write_labels(second.path, name="same")
    write_labels(first.path, name="same")
    with pytest.raises(RunError, match="'same' is ambiguous: it matches 2 runs"):
        find_run(tmp_path, "same")


def test_a_look_at_all_runs_notices_a_new_name(tmp_path: Path) -> None:
    run = write_run(tmp_path, ID)
    catalogue = Catalogue(tmp_path)
    list(catalogue.changes())
    assert list(catalogue.changes()) == []
    write_labels(run.path, name="wider")
    (changes,) = catalogue.changes()
    found = changes[ID]
    assert found is not None
    assert found.title == "wider"


@pytest.mark.parametrize(
    ("folder", "title"),
    [
        (ID, "digits-mlp_aaa"),
        ("study_2026-01-01_0900_digits-mlp_k3f", "digits-mlp_k3f"),
        ("my own run", "my own run"),
    ],
)
def test_without_a_name_the_folder_is_called_by_its_own_without_the_date(folder: str, title: str) -> None:
    assert title_of(Path("runs") / folder, NONE) == title


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ({"name": "csv", "path": "/home/x/churn.csv"}, "churn.csv"),
        ({"name": "image_folder", "path": "photos/"}, "photos"),
        ({"name": "csv", "path": "."}, "csv"),
        ({"name": "digits"}, "digits"),
    ],
)
def test_own_data_is_called_by_its_file(tmp_path: Path, data: dict[str, str], shown: str) -> None:
    from core.runs.summary import RunSummary

    summary = RunSummary(Run(tmp_path), "completed", config={"data": data})
    assert summary.data == shown
    assert summary.data_kind == data["name"]
