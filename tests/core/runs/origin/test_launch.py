"""The run of a launch, known to its later attempts by the store of an agent of torchrun."""

from pathlib import Path

import pytest
from torch.distributed import TCPStore  # type: ignore[attr-defined]  # no name of its list

from core.errors import RunError
from core.runs.origin.launch import note_run_of_this_launch, run_of_this_launch
from tests.support.written_runs import write_run


def launch(monkeypatch: pytest.MonkeyPatch, name: str) -> TCPStore:
    """Let this be the first of two processes; returns what its agent keeps, as long as that is referred to."""
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    launched = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(store.port)}
    agent = {"TORCHELASTIC_USE_AGENT_STORE": "True", "TORCHELASTIC_RUN_ID": name}
    for variable, value in {**launched, **agent}.items():
        monkeypatch.setenv(variable, value)
    return store


def test_a_later_attempt_finds_the_run_whatever_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = write_run(tmp_path, "run")
    note_run_of_this_launch(run)  # by no agent at all
    assert run_of_this_launch(tmp_path) is None
    _store = launch(monkeypatch, "none")
    assert run_of_this_launch(tmp_path) is None
    note_run_of_this_launch(run)
    monkeypatch.setenv("RANK", "1")
    found = run_of_this_launch(tmp_path)
    assert found is not None
    assert found.id == run.id
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "another")  # at the same --rdzv-endpoint
    assert run_of_this_launch(tmp_path) is None


def test_an_earlier_launch_of_the_same_name_is_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path, "run").environment_file.write_text('{"launch": "mine"}')
    store = launch(monkeypatch, "mine")
    assert run_of_this_launch(tmp_path) is None
    monkeypatch.setenv(
        "TORCHELASTIC_RESTART_COUNT", "1"
    )  # the first attempt has not come so far as to have a run
    assert run_of_this_launch(tmp_path) is None
    again = launch(monkeypatch, "mine")
    assert again.port != store.port
    assert run_of_this_launch(tmp_path, is_told=True) is None
    with pytest.raises(RunError, match="first machine was replaced"):
        run_of_this_launch(tmp_path)
