"""`tui doctor NETWORK` lists all that pre-flight tries, and writes nothing."""

import json
from pathlib import Path

from tests.support.repository import REPOSITORY
from tests.tui.cli.conftest import Tui

FILE = REPOSITORY / "tests" / "support" / "odd_networks.py"


def test_a_network_that_can_train(tui: Tui, tmp_path: Path) -> None:
    answer = tui(f"doctor {FILE}:Unused --data digits --device cpu --threads 1")
    assert answer.code == 0
    assert "ok   training step on 64 samples" in answer.out
    assert "WARN all weights have a gradient" in answer.out
    assert "-> Use them in forward, or freeze or remove them" in answer.out
    assert "it can train" in answer.out
    assert list((tmp_path / "here").iterdir()) == []


def test_what_keeps_it_from_training_as_json(tui: Tui) -> None:
    answer = tui(f"doctor {FILE}:Norm --data digits --batch-size 68 --device cpu --threads 1 --json")
    told = json.loads(answer.out)
    assert (answer.code, told["ok"]) == (1, False)
    last = told["checks"][-1]
    assert last["level"] == "error"
    assert "the last batch of an epoch has a single one" in last["message"]
    assert last["hint"] == "Use --batch-size 69 or --set training.drop_last=true"


def test_what_cannot_be_built_is_the_first_of_the_list(tui: Tui) -> None:
    answer = tui(f"doctor {FILE}:Nothing --data digits")
    assert answer.code == 1
    assert "BAD  data is read, the network is built" in answer.out
    assert "it cannot train yet" in answer.out


def test_a_run_without_pre_flight_fails_where_it_trains(tui: Tui, tmp_path: Path) -> None:
    line = f"train --no-ui --data digits --model {FILE}:AuxInTraining --epochs 1 --device cpu --threads 1"
    refused = tui(line)
    assert refused.code == 2
    assert "in training the network returns a tuple of 2" in refused.err
    assert list((tmp_path / "here").iterdir()) == []
    assert tui(f"{line} --no-preflight").code == 1
