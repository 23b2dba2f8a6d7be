"""Consent is for programs as they were read, byte for byte, and is checked again by whoever goes on with a run."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.config import schema as configuration
from core.control import RunControl
from core.errors import TorchtuiError, UntrustedCode
from core.runs.code import agreed_code, from_copies, trust_config, unknown_code
from core.runs.creating import create_run
from core.runs.folder import Run
from core.tuning.executors.protocol import TrialTask
from core.tuning.executors.trial import run_trial
from core.user_code.loading import call, load_object, program_of, trust_named
from core.user_code.trust import AGREED, agree, config_folder, take_over
from tests.support.repository import REPOSITORY
from tui.runtime.hosts.launching import launch_in_background

NET = """
from os import system
import helper
from torch import nn

def make(in_features, num_classes):
    return helper.linear(in_features, num_classes)

def other():
    return 1
"""
HELPER = "from torch.nn import Linear as linear\n"
EVIL = "from pathlib import Path\nPath('was_run').touch()\n"

Forget = Callable[[], None]


@pytest.fixture
def forget(monkeypatch: pytest.MonkeyPatch) -> Forget:
    """Becomes another process of the same user."""

    def forget() -> None:
        monkeypatch.setattr("core.user_code.trust._named", set())
        monkeypatch.setattr("core.user_code.trust._agreed", set())

    return forget


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Settings that cannot be written."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "file" / "settings.json"))


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A network of somebody's; the current folder is empty."""
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))  # of background processes
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "helper.py").write_text(HELPER)
    path = tmp_path / "net.py"
    path.write_text(NET)
    return path


def config_of(net: Path, name: str = "make") -> configuration.TrainConfig:
    training = {"epochs": 1, "batch_size": 120, "device": "cpu", "threads": 1}
    return configuration.from_dict({"data": "iris", "model": f"{net}:{name}", "training": training})


@pytest.fixture
def run(net: Path, tmp_path: Path) -> Run:
    """A run of a stranger's: nobody has named its program here."""
    return create_run(tmp_path / "runs", config_of(net))


def copy_of(run: Run, file: str = "net.py") -> Path:
    return run.code_folder / "model" / file


def make_evil(path: Path) -> None:
    path.write_text(EVIL + path.read_text())


def was_run() -> bool:
    return Path("was_run").exists()


def load(run: Run) -> object:
    return load_object(from_copies(run.config(), run).model.path)  # type: ignore[union-attr]  # of a network of the user's own


# -- within the life of a process ------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["net.py", "helper.py"])
def test_what_was_agreed_to_and_has_changed_since_is_asked_for_again(run: Run, file: str) -> None:
    assert [*map(str, unknown_code(run.config(), run))] == [str(copy_of(run).resolve())]
    trust_config(run.config(), run)
    assert unknown_code(run.config(), run) == []
    load(run)
    make_evil(copy_of(run, file))
    assert len(unknown_code(run.config(), run)) == 1
    with pytest.raises(UntrustedCode):
        load(run)
    assert not was_run()


def test_what_changes_while_the_user_is_asked_is_not_what_was_agreed_to(run: Run) -> None:
    shown = unknown_code(run.config(), run)
    make_evil(copy_of(run))
    agree(shown)
    with pytest.raises(UntrustedCode):
        load(run)
    assert not was_run()


def test_another_name_in_a_known_file_is_another_program(net: Path, forget: Forget) -> None:
    """Not least what the file has imported for itself: ``system`` with arguments of a stranger's."""
    trust_named(f"{net}:make")
    load_object(f"{net}:make")
    forget()
    load_object(f"{net}:make")
    for name in ("system", "other"):
        with pytest.raises(UntrustedCode):
            call(f"{net}:{name}", command="touch was_run")
    assert not was_run()


def test_known_files_in_other_places_are_another_program(net: Path, forget: Forget) -> None:
    clean = net.with_name("clean.py")
    clean.write_text(EVIL + HELPER)
    for reference in (f"{net}:make", f"{clean}:linear"):
        trust_named(reference)
        load_object(reference)
    Path("was_run").unlink()
    forget()
    clean.replace(net.with_name("helper.py"))
    with pytest.raises(UntrustedCode):
        load_object(f"{net}:make")
    assert not was_run()


def test_what_a_package_imports_by_itself_counts_too(net: Path) -> None:
    package = net.with_name("plugins")
    (package / "deep").mkdir(parents=True)
    finds = "import importlib\nimportlib.import_module('plugins.deep.' + 'one')\n"
    (package / "__init__.py").write_text(finds)
    (package / "deep" / "one.py").write_text("")
    net.write_text("import plugins\n" + NET)
    agree([program_of(f"{net}:make")])
    load_object(f"{net}:make")
    make_evil(package / "deep" / "one.py")
    with pytest.raises(UntrustedCode):
        load_object(f"{net}:make")
    assert not was_run()


def test_a_link_that_leads_elsewhere_by_now_is_not_what_was_named(net: Path, tmp_path: Path) -> None:
    link, evil = tmp_path / "link.py", tmp_path / "evil.py"
    link.symlink_to(net)
    trust_named(f"{link}:make")
    evil.write_text(EVIL + NET)
    link.unlink()
    link.symlink_to(evil)
    with pytest.raises(UntrustedCode):
        load_object(f"{link}:make")
    assert not was_run()


def test_what_was_refused_or_copied_from_a_stranger_stays_unknown(
    run: Run, tmp_path: Path, forget: Forget
) -> None:
    again = create_run(tmp_path / "runs", from_copies(run.config(), run))
    assert len(unknown_code(again.config(), again)) == 1
    assert agreed_code(again.config(), again) == ()


def test_a_list_of_hashes_of_files_is_no_consent(run: Run) -> None:
    """As older versions kept it: it told nothing of names and places."""
    hashes = program_of(f"{copy_of(run)}:make").source.hashes.values()
    config_folder().mkdir(parents=True)
    (config_folder() / "trusted_code.json").write_text(json.dumps({"sha256": [*hashes]}))
    with pytest.raises(UntrustedCode):
        load(run)


# -- a run is handed over --------------------------------------------------------------------------------------


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, str]]]:
    """Command and environment of each background process, which is not started."""
    started: list[tuple[list[str], dict[str, str]]] = []

    def start(command: list[str], *, env: dict[str, str], **options: Any) -> None:
        started.append((command, env))

    monkeypatch.setattr("tui.runtime.hosts.launching.subprocess.Popen", start)
    return started


@pytest.mark.usefixtures("read_only")
def test_a_background_process_may_run_what_was_agreed_to_and_nothing_else(
    run: Run,
    started: list[tuple[list[str], dict[str, str]]],
    monkeypatch: pytest.MonkeyPatch,
    forget: Forget,
) -> None:
    trust_config(run.config(), run)
    launch_in_background(run, None)
    make_evil(copy_of(run))
    launch_in_background(run, None)  # after another has put something else there
    (command, agreed), (_, changed) = started
    assert "--trust-code" not in command
    assert len(agreed[AGREED].split()) == 1
    assert changed[AGREED] == ""
    forget()
    monkeypatch.setenv(AGREED, agreed[AGREED])
    with pytest.raises(UntrustedCode):
        load(run)
    assert not was_run()
    copy_of(run).write_text(NET)
    load(run)


@pytest.mark.usefixtures("read_only")
def test_what_was_named_is_handed_over_as_it_was_copied(
    net: Path, tmp_path: Path, started: list[tuple[list[str], dict[str, str]]]
) -> None:
    trust_named(f"{net}:make")
    run = create_run(tmp_path / "runs", config_of(net))
    net.write_text(NET + "# edited\n")
    launch_in_background(run, None)
    assert started[0][1][AGREED] == program_of(f"{copy_of(run)}:make").digest


@pytest.mark.heavy
def test_a_background_process_does_not_run_what_was_put_there_meanwhile(run: Run) -> None:
    trust_config(run.config(), run)
    assert unknown_code(run.config(), run) == []
    make_evil(copy_of(run))
    process = launch_in_background(run, None)
    assert process.wait() != 0
    assert not was_run()
    assert "neither named nor run before" in run.console_file.read_text()


@pytest.mark.heavy
@pytest.mark.usefixtures("read_only")
def test_a_background_process_runs_what_was_agreed_to(run: Run) -> None:
    trust_config(run.config(), run)
    assert launch_in_background(run, None).wait() == 0, run.console_file.read_text()


@pytest.mark.parametrize("evil", [False, True])
def test_a_trial_checks_the_programs_of_its_study(run: Run, net: Path, forget: Forget, evil: bool) -> None:
    """As on another node of a cluster, which does not know what ran on this one."""
    config = run.config()
    trust_config(config, run)
    code = agreed_code(config, run)
    task = TrialTask(0, configuration.to_dict(config), run.path, "loss", 1, False, None, code)
    forget()
    (config_folder() / "trusted_code.json").unlink()
    if evil:
        make_evil(copy_of(run))
    outcome = run_trial(task, lambda epoch, value: True, RunControl())
    assert not was_run()
    assert outcome.state == ("failed" if evil else "completed"), outcome.reason
    assert ("neither named nor run before" in outcome.reason) == evil


def test_what_is_taken_over_is_known_to_this_process_alone(run: Run, forget: Forget) -> None:
    take_over([program_of(f"{copy_of(run)}:make").digest])
    assert unknown_code(run.config(), run) == []
    assert not (config_folder() / "trusted_code.json").exists()
    forget()
    assert len(unknown_code(run.config(), run)) == 1


def test_a_run_that_cannot_be_read_hands_nothing_over(
    run: Run, started: list[tuple[list[str], dict[str, str]]]
) -> None:
    run.config_file.write_text("model: [")
    launch_in_background(run, None)
    assert started[0][1][AGREED] == ""
    with pytest.raises(TorchtuiError):
        run.config()
    assert os.environ.get(AGREED) is None
