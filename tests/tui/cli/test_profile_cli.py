"""`tui profile`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.profiling.gains import Gain
from core.profiling.layers import LayerCost, Trace
from core.profiling.memory import MemoryUse
from core.profiling.phases import Phases
from core.profiling.profile import Profile
from core.profiling.together import OneOfSeveral, Together
from tests.support.repository import REPOSITORY
from tests.tui.cli.conftest import Tui
from tui.forms.remedies import command_line_words
from tui.terminal.profile_text import profile_lines, together_lines

SMALL = "--data iris --model mlp --device cpu --threads 1 --seconds 0.1"


@pytest.mark.slow
def test_a_profile_is_shown_and_given_as_json(tui: Tui) -> None:
    shown = tui(f"profile {SMALL} --batch-size 16 --try batch --trace steps.json")
    assert shown.code == 0
    for text in (
        "waiting for data",
        "costliest layers",
        "state of the optimizer",
        "--batch-size 32",
        "perfetto",
    ):
        assert text in shown.out
    assert [path.name for path in Path().iterdir()] == ["steps.json"], "nothing else is written"
    found = json.loads(tui(f"profile {SMALL} --try none --json").out)
    assert (found["document"], found["device"], found["gains"], found["trace"]) == ("profile", "cpu", [], "")
    assert set(found["phases"]) == {"data", "forward", "backward", "optimizer", "logging"}


@pytest.mark.slow
def test_that_of_a_run_takes_its_configuration(tui: Tui, train: Tui) -> None:
    train("--data iris --model linear --epochs 1")
    found = json.loads(tui("profile latest --seconds 0.1 --try none --json --optimizer adam").out)
    assert [layer["kind"] for layer in found["layers"]].count("Linear") == 1
    assert found["memory"]["optimizer"] > found["memory"]["weights"]


def test_a_setting_that_cannot_be_tried_is_refused(tui: Tui) -> None:
    wrong = tui("profile --data iris --try threads,speed")
    assert (wrong.code, wrong.out) == (2, "")
    assert "--try speed is not known. Takes threads, workers, batch, precision, compile, or none" in wrong.err


@pytest.mark.parametrize("given", ["--trace steps.json", "--try batch"])
def test_what_only_one_process_does_is_refused_for_several(tui: Tui, given: str) -> None:
    wrong = tui(f"profile {SMALL} --processes 2 {given}")
    assert (wrong.code, wrong.out) == (2, "")
    assert f"{given.split()[0]} is of one process. Leave out --processes" in wrong.err


def test_what_helps_comes_with_the_option_that_sets_it() -> None:
    profile = Profile(
        Phases(
            {"data": 0.004, "forward": 0.002, "backward": 0.003, "optimizer": 0.0005, "logging": 0.0005},
            9,
            90,
            1.5,
            0.2,
        ),
        Trace((LayerCost("conv.0", "Conv2d", 0.001, 0.002),), idle=0.25),
        MemoryUse(1 << 20, 1 << 20, 2 << 20, 3 << 20, 4 << 20, 5 << 30),
        (
            Gain("data.workers", 2, 1.6, ""),
            Gain("training.precision", "bf16", 1.04, "numbers are rounded"),
            Gain("training.compile", True, None, "no kernel"),
        ),
    )
    text = "\n".join(profile_lines(profile, command_line_words))
    assert "10 ms a step, 1k samples a second (9 steps timed)" in text
    assert "40.0 %" in text
    assert "the GPU does nothing in 25.0 % of the time" in text
    assert "--set data.workers=2          1.60 x as many samples a second" in text
    assert "1.04 x as many samples a second\n" in text
    assert "cannot be had: no kernel" in text


def test_of_several_processes_the_slowest_is_waited_for() -> None:
    found = Together(0.010, 50, 1600, (OneOfSeveral(0.001, 0.004), OneOfSeveral(0.0, 0.008)))
    assert found.samples_per_second == pytest.approx(3200)
    assert [found.waiting(rank) for rank in (0, 1)] == pytest.approx([0.003, 0.0])
    assert found.adding_up == pytest.approx(0.002)
    lines = [line.split() for line in together_lines(found)]
    assert lines[0][:6] == ["2", "processes:", "10", "ms", "a", "step,"]
    assert lines[3:5] == [
        ["process", "0", "1", "4", "3", "2"],
        ["process", "1", "0", "8", "0", "2"],
    ]


def test_where_a_device_has_no_room_for_all_weights_their_division_is_unknown() -> None:
    found = Together(0.010, 50, 1600, (OneOfSeveral(0.001, None), OneOfSeveral(0.0, 0.008)))
    assert (found.waiting(1), found.adding_up) == (None, None)
    assert [line.split()[3:] for line in together_lines(found)][4] == ["8", "–", "–"]


@pytest.mark.heavy
def test_two_processes_are_profiled_together(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    options = [*SMALL.split(), "--processes", "2", "--json", "--set", "training.shard=fsdp"]
    command = [sys.executable, "-m", "tui", "profile", *options]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["document"], found["device"]) == ("profile_together", "cpu")
    assert [process["computing"] > 0 for process in found["processes"]] == [True, True]
    assert min(process["waiting"] for process in found["processes"]) == 0
    assert found["steps"] > 0
    assert not list(tmp_path.iterdir()), "nothing is written"
