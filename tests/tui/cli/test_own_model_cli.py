"""`--model mynet.py:Net`: runs if named on the command line; needs consent if named by someone else's file."""

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.repository import REPOSITORY
from tests.tui.cli.conftest import Answer

OWN = REPOSITORY / "tests" / "support" / "own_net.py"
Tui = Callable[[str], Answer]


@pytest.fixture
def mynet(tui: Tui) -> Path:
    """``mynet.py`` in the current folder."""
    return Path(shutil.copy(OWN, "mynet.py"))


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Afterwards nothing is trusted, as with another user."""

    users = itertools.count()

    def forget() -> None:
        monkeypatch.setattr("core.user_code.trust._named", set())
        monkeypatch.setattr("core.user_code.trust._agreed", set())
        monkeypatch.setenv("TUI_CONFIG", str(Path(f"user{next(users)}") / "settings.json"))

    return forget


def run_config() -> dict[str, Any]:
    (config,) = Path("runs").glob("*/config.yaml")
    values: dict[str, Any] = yaml.safe_load(config.read_text())
    return values


def test_a_model_of_ones_own_by_flag(train: Tui, mynet: Path) -> None:
    answer = train("--model mynet.py:Net --set model.arguments.width=5 --set model.arguments.dropout=0.5")
    assert answer.code == 0, answer.err
    assert run_config()["model"] == {
        "name": "python",
        "path": "mynet.py:Net",
        "weights": "",
        "arguments": {"width": 5, "dropout": 0.5},
    }


def test_what_is_wrong_with_it_ends_before_a_run_is_made(train: Tui, mynet: Path) -> None:
    answer = train("--model mynet.py:Net --set model.arguments.widht=5")
    assert (answer.code, answer.out) == (2, "")
    assert "model.arguments.widht: unknown key. Did you mean 'width'?" in answer.err
    mynet.write_text("def Net():\n    return oops\n")
    answer = train("--model mynet.py:Net")
    assert answer.code == 2
    assert "    return oops" in answer.err
    assert answer.err.splitlines()[-1] == "error: mynet.py, line 2: NameError: name 'oops' is not defined"
    assert train("--model nowhere.py:Net").code == 2
    assert not Path("runs").exists()


@pytest.mark.slow
def test_a_configuration_of_somebody_is_not_run_unasked(
    train: Tui, mynet: Path, forgotten: Callable[[], None]
) -> None:
    Path("theirs.yaml").write_text("model: mynet.py:Net\n")
    answer = train("--config theirs.yaml")
    assert answer.code == 2
    assert "mynet.py is a program that you have neither named nor run before" in answer.err
    assert "--trust-code" in answer.err
    assert train("--config theirs.yaml --trust-code").code == 0
    assert train("--config theirs.yaml").code == 0  # it ran before


@pytest.mark.slow
def test_a_run_of_somebody_is_not_run_unasked(
    tui: Tui, train: Tui, mynet: Path, forgotten: Callable[[], None]
) -> None:
    train("--model mynet.py:Net")
    mynet.unlink()
    forgotten()
    Path("new.csv").write_text("a,b,c,d\n5.1,3.5,1.4,0.2\n")
    for command in ("evaluate latest --split train", "predict latest new.csv"):
        answer = tui(command)
        assert answer.code == 2
        assert "neither named nor run before" in answer.err
        assert tui(f"{command} --trust-code").code == 0
        forgotten()
    assert tui("train --no-ui --resume latest --epochs 5").code == 2
    forgotten()
    assert tui("train --no-ui --resume latest --epochs 5 --trust-code").code == 0


@pytest.mark.heavy
def test_trials_use_it_too(tui: Tui, mynet: Path) -> None:
    line = "tune --no-ui --data iris --model mynet.py:Net --epochs 1 --trials 2 --device cpu --quiet -p lr=0.1,0.2"
    answer = subprocess.run(  # workers have the environment that the first study of a process began with
        [sys.executable, "-m", "tui", *line.split()],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    copies = list(Path("runs").rglob("code/model/mynet.py"))
    assert len(copies) == 2


@pytest.mark.parametrize("command", ["lr-find", "batch-find"])
def test_a_finder_tells_an_error_in_it_by_its_line(tui: Tui, command: str) -> None:
    Path("mynet.py").write_text(
        "from torch import nn\nclass Net(nn.Linear):\n    def __init__(self):\n"
        "        super().__init__(4, 3)\n    def forward(self, x):\n        assert not self.training\n"
        "        return super().forward(x)\n"
    )
    answer = tui(f"{command} --data iris --device cpu --threads 1 --model mynet.py:Net")
    assert answer.code == 2
    assert answer.err.splitlines()[-1] == "error: mynet.py, line 6: AssertionError, for inputs 64x4 float32"
    assert "torch/nn" not in answer.err


def test_a_finder_runs_what_a_file_names_after_consent(
    tui: Tui, mynet: Path, forgotten: Callable[[], None]
) -> None:
    forgotten()
    Path("run.yaml").write_text("data: iris\nmodel: mynet.py:Net\ntraining: {device: cpu, threads: 1}\n")
    assert "--trust-code" in tui("lr-find --config run.yaml").err
    assert tui("lr-find --config run.yaml --trust-code").code == 0
