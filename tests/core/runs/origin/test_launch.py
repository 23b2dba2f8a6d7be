"""The run of a launch, known to its later attempts by the store of an agent of torchrun."""

from pathlib import Path

import pytest
from torch.distributed import TCPStore  # type: ignore[attr-defined]  # no name of its list

from core.runs.origin.launch import note_run_of_this_launch, run_of_this_launch
from tests.support.written_runs import write_run


def test_a_later_attempt_finds_the_run_whatever_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = write_run(tmp_path, "run")
    note_run_of_this_launch(run)  # by no agent at all
    assert run_of_this_launch(tmp_path) is None
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    launched = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(store.port)}
    agent = {"TORCHELASTIC_USE_AGENT_STORE": "True", "TORCHELASTIC_RUN_ID": "none"}
    for name, value in {**launched, **agent}.items():
        monkeypatch.setenv(name, value)
    assert run_of_this_launch(tmp_path) is None
    note_run_of_this_launch(run)
    monkeypatch.setenv("RANK", "1")
    found = run_of_this_launch(tmp_path)
    assert found is not None
    assert found.id == run.id
