"""The parts of `benchmarks.gpu`, on few samples on the processor."""

import json
import os
import subprocess
import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from benchmarks.gpu import beside
from benchmarks.gpu.__main__ import PARTS, Part, main, run
from benchmarks.peers import Contest


@pytest.mark.slow
@pytest.mark.parametrize("module", ["waits", "graphs", "precisions"])
def test_a_part_measures_what_it_is_for(
    module: str, vision_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "numbers.json"
    monkeypatch.setenv("TUI_TEST_DATA", str(vision_root))
    monkeypatch.setattr(sys, "argv", [module, "--device", "cpu", "--quick", "--json", str(file)])
    assert not import_module(f"benchmarks.gpu.{module}").main()
    numbers = json.loads(file.read_text())
    if module == "waits":
        assert numbers["mlp, moving average"] == {}
        whole = numbers["cnn, whole run"]
        assert (whole["calls"], whole["places"], whole["steps"]) == (0, {}, 6)
        assert whole["logged"] <= whole["steps"]
    elif module == "graphs":
        assert all(each["largest_difference"] == 0 for each in numbers.values())
        assert all(each["replayed_per_second"] > 0 for each in numbers.values())
    else:
        networks = {name.partition(",")[0] for name in numbers}
        assert networks == {"mlp", "cnn", "resnet18"}
        assert all(numbers[f"{network}, fp32"]["of_fp32"] == 1 for network in networks)


@pytest.mark.heavy
def test_processes_are_compared_with_one(vision_root: Path, tmp_path: Path) -> None:
    file = tmp_path / "numbers.json"
    command = [sys.executable, "-m", "benchmarks.gpu.processes", "--device", "cpu", "--quick"]
    environment = {**os.environ, "TUI_TEST_DATA": str(vision_root)}
    subprocess.run([*command, "--json", str(file)], env=environment, check=True, timeout=600)
    assert json.loads(file.read_text()).keys() == {"mlp, 1", "cnn, 1", "mlp, 2", "cnn, 2"}


def test_a_part_that_fails_is_reported() -> None:
    assert run(Part("nothing", 600), "cpu", quick=True) == {"failed": "it ended with 1"}


def test_a_part_that_takes_too_long_is_ended() -> None:
    assert run(Part("waits", 0), "cpu", quick=True) == {"failed": "it took longer than 0 s"}


def test_all_parts_take_ten_minutes_at_most() -> None:
    assert sum(part.seconds for part in PARTS) <= 600
    assert [part.name for part in PARTS if part.module == "beside"] == [
        "beside mlp",
        "beside cnn",
        "beside resnet18",
    ]


def test_without_a_gpu_nothing_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", ["gpu", "--json", str(tmp_path / "numbers.json")])
    assert main() == 0
    assert "no CUDA device here" in capsys.readouterr().out
    assert not (tmp_path / "numbers.json").exists()


def test_a_library_that_is_not_installed_takes_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(package: str) -> str:
        raise PackageNotFoundError(package)

    monkeypatch.setattr(beside, "version", version)
    told = beside.started("lightning_", Contest("mlp", 1, 64), tmp_path)
    assert isinstance(told, str)
    assert told.startswith("Lightning takes no part")
