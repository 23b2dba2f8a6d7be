"""A user's own Python files: found, run as they are now, told with their own lines when they fail."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import UntrustedCode, UserCodeError
from core.user_code.loading import as_user_error, call, load_object, parse
from core.user_code.source import copy_source, read_source
from core.user_code.trust import trust

Write = Callable[[str, str], Path]
ONE = "def make():\n    return 1\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file below a folder, and trusts it."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        trust(path)
        return path

    return write


def test_a_function_is_found_and_called(write: Write) -> None:
    path = write("mine.py", "def make(a, b=2):\n    return a + b\n")
    assert call(f"{path}:make", a=40) == 42
    assert load_object(f"{path}:make") is load_object(f"{path}:make")
    assert not (path.parent / "__pycache__").exists()


def test_a_changed_file_is_run_again_and_older_objects_live_on(write: Write) -> None:
    reference = f"{write('mine.py', ONE)}:make"
    old = load_object(reference)
    write("mine.py", "def make():\n    return 2\n")
    assert (call(reference), old()) == (2, 1)


def test_imports_beside_the_file_work_and_their_changes_count(write: Write) -> None:
    write("helper.py", "VALUE = 1\n")
    write("parts/deep.py", "from . import other\nTEN = other.TEN\n")
    write("parts/other.py", "TEN = 10\n")
    text = "from parts.deep import TEN\ndef make():\n    import helper\n    return TEN + helper.VALUE\n"
    reference = f"{write('mine.py', text)}:make"
    assert call(reference) == 11
    write("helper.py", "VALUE = 2\n")
    assert call(reference) == 12


def test_files_of_one_name_in_two_folders_do_not_mix(write: Write) -> None:
    for folder, value in (("a", 1), ("b", 2)):
        write(f"{folder}/helper.py", f"VALUE = {value}\n")
        write(f"{folder}/mine.py", "import helper\ndef make():\n    return helper.VALUE\n")
    path = write("a/mine.py", "import helper\ndef make():\n    return helper.VALUE\n").parent.parent
    references = [f"{path / folder / 'mine.py'}:make" for folder in "aba"]
    assert [call(reference) for reference in references] == [1, 2, 1]


def test_dataclasses_and_data_beside_the_file_are_found(write: Write) -> None:
    text = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\nfrom pathlib import Path\n"
        "@dataclass\nclass Made:\n    text: str = (Path(__file__).parent / 'data.txt').read_text()\n"
    )
    path = write("mine.py", text)
    (path.parent / "data.txt").write_text("here")
    assert call(f"{path}:Made").text == "here"


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("def make(:\n", "make", "mine.py, line 1: SyntaxError: "),
        ("x = 1\n1 / 0\n", "make", "mine.py, line 2: ZeroDivisionError: division by zero"),
        ("def make():\n    raise ValueError('no')\n", "make", "mine.py, line 2: ValueError: no"),
        ("def make():\n    return [][0]\n", "make", "mine.py, line 2: IndexError: list index out of range"),
        ("import sys\nsys.exit(3)\n", "make", "mine.py, line 2: SystemExit: 3"),
        ("import no_such_module\n", "make", "mine.py, line 1: ModuleNotFoundError: No module named"),
        ("from . import other\n", "make", "mine.py, line 1: ImportError: "),
        ("def make(width):\n    pass\n", "make", r"mine.py: TypeError: make\(\) missing 1 required"),
        ("def make():\n    pass\n", "Net", "mine.py has no 'Net'. Classes and functions in it: make"),
        ("make = 3\n", "make", "is of type int. Classes and functions in it: none"),
        ("\x00", "make", "mine.py"),
    ],
)
def test_errors_are_told_by_the_users_lines(write: Write, text: str, name: str, message: str) -> None:
    path = write("mine.py", text)
    with pytest.raises(UserCodeError, match=message) as caught:
        call(f"{path}:{name}")
    assert "\n" not in caught.value.message
    assert "core/" not in caught.value.trace


def test_the_traceback_holds_the_lines_of_the_user_alone(write: Write) -> None:
    write("helper.py", "def deeper():\n    raise RuntimeError('deep\\nsecond')\n")
    path = write("mine.py", "import helper\ndef make():\n    return helper.deeper()\n")
    with pytest.raises(UserCodeError, match=r"helper\.py, line 2: RuntimeError: deep") as caught:
        call(f"{path}:make")
    assert "return helper.deeper()" in caught.value.trace
    assert "raise RuntimeError" in caught.value.trace
    assert "user_code.py" not in caught.value.trace


def test_an_error_later_on_is_known_to_be_the_users(write: Write) -> None:
    path = write("mine.py", "def make():\n    return lambda: 1 / 0\n")
    made = call(f"{path}:make")
    with pytest.raises(ZeroDivisionError) as caught:
        made()
    told = as_user_error(caught.value)
    assert told is not None
    assert told.message == "mine.py, line 2: ZeroDivisionError: division by zero"
    with pytest.raises(ZeroDivisionError) as ours:
        _ = 1 / 0
    assert as_user_error(ours.value) is None


@pytest.mark.parametrize("reference", ["mine.py", "mine.py:", ":make", "mine.py:not a name"])
def test_what_is_no_reference_is_refused(reference: str) -> None:
    with pytest.raises(UserCodeError, match=r"takes FILE\.py:NAME"):
        parse(reference)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserCodeError, match=r"cannot read .*nowhere\.py: No such file"):
        load_object(f"{tmp_path / 'nowhere.py'}:make")


def test_two_threads_load_one_version(write: Write) -> None:
    reference = f"{write('mine.py', ONE)}:make"
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(load_object(reference))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(map(id, found))) == 1


def test_a_copy_runs_as_if_at_the_place_of_the_original(write: Write, tmp_path: Path) -> None:
    write("parts/deep.py", "TEN = 10\n")
    text = (
        "from pathlib import Path\nfrom parts.deep import TEN\n"
        "def make():\n    return (Path(__file__).parent / 'data.txt').read_text() * TEN\n"
    )
    path = write("mine.py", text)
    (path.parent / "data.txt").write_text("x")
    copy_source(read_source(path), tmp_path / "copy")
    write("mine.py", "def make():\n    return 'changed'\n")
    write("parts/deep.py", "TEN = 11\n")
    with pytest.raises(UntrustedCode):
        call(f"{tmp_path / 'copy' / 'mine.py'}:make")
    trust(tmp_path / "copy" / "mine.py")
    assert call(f"{tmp_path / 'copy' / 'mine.py'}:make") == "x" * 10
