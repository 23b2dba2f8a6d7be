"""Content of files is never run, never leaves its folder, and never acts on a terminal."""

import ast
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from core.config.schema import TrainConfig
from core.config.yaml_files import read_yaml
from core.errors import ConfigError, RunError, UntrustedCode
from core.events import Notice, to_json
from core.runs.checkpoints import FolderCheckpoints
from core.runs.creating import create_run
from core.runs.folder import Run, all_runs, find_run
from core.runs.lock import hold, is_held
from core.runs.log import EventLog, LogReader
from core.runs.requests import send
from core.runs.summary import summarise
from core.user_code.loading import call
from core.user_code.trust import config_folder, trust
from tests.support.sources import dotted, nodes, trees

FORBIDDEN_MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
WORDS = {"weights_only", "allow_pickle", "Loader", "shell"}
FORBIDDEN_CALLS = {"eval", "exec", "os.system", "os.popen", "yaml.unsafe_load", "yaml.full_load"}


def calls(tree: ast.Module) -> Iterator[tuple[str, dict[str | None, str]]]:
    """The name of each function that is called by a name, and those keyword arguments that matter as source text."""
    for node in nodes(tree):
        if isinstance(node, ast.Call):
            yield (
                dotted(node.func),
                {word.arg: ast.unparse(word.value) for word in node.keywords if word.arg in WORDS},
            )


def imports(tree: ast.Module) -> Iterator[str]:
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def dangers(tree: ast.Module) -> list[str]:
    """Return what in a module could run code that comes from a file."""
    found = [f"import {name}" for name in imports(tree) if name in FORBIDDEN_MODULES]
    for name, words in calls(tree):
        unsafe = (
            name in FORBIDDEN_CALLS
            or (name == "torch.load" and words.get("weights_only") != "True")
            or (name in ("np.load", "numpy.load") and words.get("allow_pickle") != "False")
            or (name == "yaml.load" and words.get("Loader") != "yaml.CSafeLoader")
            or words.get("shell", "False") != "False"
        )
        found += [f"{name}({words})"] if unsafe else []
    return found


@pytest.mark.slow
def test_nothing_runs_code_from_a_file() -> None:
    found = {path: dangers(tree) for path, tree in trees().items()}
    assert {path: what for path, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from joblib import load",
        "eval('1')",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "np.load(path)",
        "yaml.load(text)",
        "subprocess.run('ls', shell=True)",
    ],
)
def test_what_would_is_noticed(code: str) -> None:
    assert dangers(ast.parse(code))


def test_aliases_of_aliases_are_refused(tmp_path: Path) -> None:
    """Nine lines that stand for hundreds of millions of values, and a list that holds itself."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    for text in ("\n".join(lines), "a: &a [*a]"):
        (tmp_path / "config.yaml").write_text(text)
        with pytest.raises(ConfigError, match="holds more than"):
            read_yaml(tmp_path / "config.yaml")


def test_merge_keys_are_not_multiplied(tmp_path: Path) -> None:
    """Some lines of merge keys, which some versions of PyYAML write out: the time doubled with each."""
    lines = ["a0: &a0 {k: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 3)}]}}" for n in range(1, 60)]
    (tmp_path / "config.yaml").write_text("\n".join(lines))
    assert read_yaml(tmp_path / "config.yaml")["a59"] == {"k": 1}


# -- nothing leads out of the folder of the runs ---------------------------------------------------------------


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """A file of somebody's that is no business of ours."""
    file = tmp_path / "home" / "precious.txt"
    file.parent.mkdir()
    file.write_text("years of work")
    return file


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return create_run(tmp_path / "runs", TrainConfig())


@pytest.mark.parametrize("name", ["..", ".", "", "../home", "~", "*", "\x00", "runs/../../home", "/etc", "/"])
def test_a_name_finds_only_runs(run: Run, precious: Path, name: str) -> None:
    with pytest.raises(RunError):
        find_run(run.path.parent, name)


def test_a_link_is_no_run(run: Run, tmp_path: Path) -> None:
    link = tmp_path / "runs" / "2026-01-01_0000_digits-mlp_aaa"
    link.symlink_to(create_run(tmp_path / "elsewhere", TrainConfig()).path)
    assert all_runs(tmp_path / "runs") == [run]
    with pytest.raises(RunError, match="is a link"):
        find_run(tmp_path / "runs", str(link))
    with pytest.raises(RunError):
        find_run(tmp_path / "runs", link.name)
    with pytest.raises(RunError, match="it is no longer a folder"), hold(Run(link)):
        pass


def lock(run: Run) -> None:
    with hold(run):
        pass


def log(run: Run) -> None:
    EventLog(run).write(Notice(level="info", message="x"))


def ask(run: Run) -> None:
    with hold(run):
        os.symlink(run.path.parent.parent / "home" / "precious.txt", run.requests_file)
        send(run, "stop")


def save(run: Run) -> None:
    FolderCheckpoints(run).save({"model": {}, "progress": {}}, "last")


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("run.lock", lock),
        ("events.jsonl", log),
        ("requests.txt", lock),
        ("checkpoints", save),
        ("evaluation", lock),
    ],
)
def test_nothing_is_written_through_a_link(
    run: Run, precious: Path, name: str, write: Callable[[Run], None]
) -> None:
    (run.path / name).unlink(missing_ok=True)
    (run.path / name).symlink_to(precious.parent if "." not in name else precious)
    with pytest.raises(RunError, match="is a link"):
        write(run)
    assert precious.read_text() == "years of work"
    assert [path.name for path in precious.parent.iterdir()] == [precious.name]


def test_a_request_is_not_written_through_a_link(run: Run, precious: Path) -> None:
    with pytest.raises(RunError, match="it is a link"):
        ask(run)
    assert precious.read_text() == "years of work"


@pytest.mark.parametrize("make", [lambda path: path.symlink_to("/dev/zero"), os.mkfifo, os.mkdir])
def test_what_is_no_file_is_not_read(run: Run, make: Callable[[Path], Any]) -> None:
    """A pipe would be waited for, a device read, for ever."""
    run.lock_file.unlink()
    make(run.log_file)
    make(run.lock_file)
    assert summarise(run).status == "damaged"
    assert LogReader(run.log_file).read() == []
    assert not is_held(run)


# -- nothing acts on the terminal ------------------------------------------------------------------------------

EVIL = "\x1b]0;owned\x07\x1b[2J\u202e\r[bold]x[/bold]"


def test_what_a_log_says_is_shown_and_not_obeyed(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = Run(run.path.with_name(f"2026-01-01_0000_{EVIL.replace('/', '')}"))
    hostile.path.mkdir()
    start = {"event": "run_started", "config": {"data": {"name": EVIL}}, "epochs": 1, "time": 1.0}
    epoch = {"event": "epoch_finished", "epoch": 1, "best_epoch": 1, "best_metrics": {EVIL: 1.0}}
    end = {"event": "run_finished", "status": "failed", "error": EVIL}
    hostile.log_file.write_text("".join(json.dumps(line) + "\n" for line in (start, epoch, end)))
    (hostile.path / "config.yaml").write_text(f"data: {json.dumps(EVIL)}\n")
    monkeypatch.chdir(run.path.parent.parent)
    from tui.cli import main

    for words in (
        ["runs"],
        ["runs", "show", hostile.id],
        ["train", "--no-ui", "--resume", hostile.id],
        ["stop", hostile.id],
    ):
        monkeypatch.setattr("sys.argv", ["tui", *words])
        with suppress(SystemExit):
            main()
        out, err = capsys.readouterr()
        assert out + err
        assert not {"\x1b", "\x07", "\r", "\u202e"} & set(out + err), (words, out + err)


def test_an_event_stays_one_line() -> None:
    line = to_json(Notice(level="info", message=EVIL + "\n"), EVIL)
    assert line.isascii()
    assert line.isprintable()


# -- a program that somebody else names is not run unasked -------------------------------------------------------


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Python file that leaves a trace when it is run, in the current folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "theirs.py"
    path.write_text("from pathlib import Path\nPath('was_run').touch()\ndef make():\n    return 1\n")
    return path


def was_run() -> bool:
    there = Path("was_run").exists()
    Path("was_run").unlink(missing_ok=True)
    return there


def test_a_file_that_nobody_has_named_is_not_run(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UntrustedCode, match=r"theirs\.py is a program that you have neither named nor run"):
        call(f"{program}:make")
    assert not was_run()
    trust(program)
    assert call(f"{program}:make") == 1
    assert was_run()


def test_a_file_that_was_run_before_runs_again_and_a_changed_one_does_not(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    trust(program)
    call(f"{program}:make")
    monkeypatch.setattr("core.user_code.trust._named", set())  # another process of the same user
    monkeypatch.setattr("core.user_code.trust._agreed", set())
    assert was_run()
    elsewhere = tmp_path / "elsewhere" / "theirs.py"
    elsewhere.parent.mkdir()
    elsewhere.write_text(program.read_text())
    assert call(f"{elsewhere}:make") == 1
    elsewhere.write_text(program.read_text() + "# changed\n")
    was_run()
    with pytest.raises(UntrustedCode):
        call(f"{elsewhere}:make")
    assert not was_run()


def test_a_module_beside_a_trusted_file_must_be_known_too(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "mine.py"
    mine.write_text("import theirs\ndef make():\n    return theirs.make()\n")
    trust(mine)
    assert call(f"{mine}:make") == 1
    monkeypatch.setattr("core.user_code.trust._named", set())
    monkeypatch.setattr("core.user_code.trust._agreed", set())
    assert call(f"{mine}:make") == 1
    was_run()
    program.write_text(program.read_text() + "# changed\n")
    with pytest.raises(UntrustedCode):
        call(f"{mine}:make")
    assert not was_run()


def test_a_copy_that_claims_to_be_of_a_trusted_file_is_not_run(program: Path, tmp_path: Path) -> None:
    trust(program)
    evil = tmp_path / "run" / "theirs.py"
    evil.parent.mkdir()
    evil.write_text("def make():\n    return 'evil'\n")
    evil.with_name("sources.json").write_text(json.dumps({"folder": str(tmp_path), "sha256": {}}))
    with pytest.raises(UntrustedCode):
        call(f"{evil}:make")


def test_the_list_of_what_was_run_is_its_owners_alone(program: Path) -> None:
    trust(program)
    call(f"{program}:make")
    assert (config_folder() / "trusted_code.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"programs": 3}', '{"programs": [[], null]}', "[" * 99999, "\x00"]
)
def test_a_damaged_list_of_what_was_run_trusts_nothing(program: Path, text: str) -> None:
    listed = config_folder() / "trusted_code.json"
    listed.parent.mkdir(parents=True)
    listed.write_text(text)
    with pytest.raises(UntrustedCode):
        call(f"{program}:make")
    trust(program)
    assert call(f"{program}:make") == 1
