"""Every command takes a run of a network with its own training step, or says why it cannot."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from core.user_code.trust import trust
from tests.support import own_steps
from tests.tui.cli.conftest import Answer, Tui

pytestmark = pytest.mark.slow

FILE = Path(str(own_steps.__file__))


@pytest.fixture
def trained(tui: Tui) -> Tui:
    """Trains a run of one of the networks."""

    def trained(name: str) -> Answer:
        trust(FILE)
        answer = tui(f"train --no-ui --model {FILE}:{name} --data digits --epochs 2 --device cpu --threads 1")
        assert answer.code == 0, answer.err
        return answer

    return trained


def test_numbers_are_printed_evaluated_listed_and_compared(tui: Tui, trained: Tui) -> None:
    out = trained("Vae").out
    assert "validation kl" in out
    assert out.count("elbo") >= 3
    trained("Vae")
    evaluated = tui("evaluate latest --split validation").out
    assert [word in evaluated for word in ("loss", "kl", "elbo", "baseline: ")] == [True, True, True, False]
    report = json.loads(tui("evaluate latest --json").out)
    assert (report["task"], report["metrics"].keys()) == ("custom", {"loss", "kl", "elbo"})
    assert (
        "no ROC and precision-recall curves: the run predicts no classes"
        in tui("evaluate latest --plots").out
    )
    refused = tui("evaluate latest --csv out.csv")
    assert (refused.code, "has no predictions: its network reports numbers" in refused.err) == (2, True)
    assert "kl" in tui("runs").out
    both = [line.split()[0] for line in tui("runs").out.splitlines() if "digits" in line]
    compared = tui(f"compare {both[0]} {both[1]}").out
    assert "elbo" in compared


def test_a_report_has_curves_numbers_and_samples(tui: Tui, trained: Tui) -> None:
    trained("Gan")
    assert tui("report latest -o report.html").code == 0
    page = Path("report.html").read_text()
    assert "critic loss over the epochs" in page
    assert "<pre>distance" in page
    assert "Baseline" not in page
    trained("Vae")
    assert tui("report latest -o picture.html").code == 0
    assert 'alt="samples" src="data:image/png' in Path("picture.html").read_text()


def test_weights_are_exported_and_what_forward_gives_is_predicted(tui: Tui, trained: Tui) -> None:
    """Vae returns a tuple, Gan has no forward, Classifier returns a tensor."""
    trained("Classifier")
    np.savez("new.npz", inputs=np.ones((3, 1, 8, 8), dtype=np.float32))
    answer = tui("predict latest new.npz")
    table = list(csv.reader(answer.out.splitlines()))
    assert table[0] == ["id", *(f"output_{n}" for n in range(10))]
    assert (len(table), answer.code) == (4, 0)
    assert tui("export latest --to safetensors -o weights").code == 0
    trained("Gan")
    refused = tui("predict latest new.npz")
    assert (refused.code, "Gan has no forward, so there is nothing to predict with" in refused.err) == (
        2,
        True,
    )
    assert tui("export latest --to safetensors -o others").code == 0
    refused = tui("export latest --to pt2 -o graph")
    assert (refused.code, "Gan has no forward" in refused.err) == (2, True)
    trained("Vae")
    refused = tui("predict latest new.npz")
    assert (refused.code, "Vae.forward returned tuple for 3 samples" in refused.err) == (2, True)


@pytest.mark.heavy
def test_a_study_finds_the_best_of_a_number_that_the_network_reports(tui: Tui) -> None:
    trust(FILE)
    tune = f"tune --no-ui --model {FILE}:Vae --data digits --epochs 2 --trials 2 --device cpu --jobs 1"
    study = tui(f"{tune} --metric elbo -p model.arguments.latent=1,2 --method grid")
    assert study.code == 0, study.err
    assert "completed: 2 trials done" in study.out
    refused = tui(f"{tune} --metric elboo")
    assert (refused.code, "'elboo' is not a number that the network's validation returns" in refused.err) == (
        2,
        True,
    )
    gan = tune.replace(":Vae", ":Gan")
    refused = tui(f"{gan} --metric loss -p optimizer.lr=log:0.001..0.1")
    assert (refused.code, "optimizer.lr: it would not be used" in refused.err) == (2, True)


def test_a_range_test_of_several_optimizers_is_refused(tui: Tui) -> None:
    trust(FILE)
    refused = tui(f"lr-find --model {FILE}:Gan --data digits")
    assert (refused.code, "configure_optimizers gives several optimizers" in refused.err) == (2, True)


def test_epochs_are_chosen_by_the_number_and_the_direction_that_the_network_tells(
    tui: Tui, tmp_path: Path
) -> None:
    code = """
from tests.support.own_steps import Classifier

class Net(Classifier):
    higher_is_better = {"badness": False}
    def validation_step(self, batch):
        return {"loss": -float(self.seen), "badness": float(self.seen), "goodness": float(self.seen)}
    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__(in_features, num_classes)
        import torch
        self.register_buffer("seen", torch.zeros(()))
    def training_step(self, batch):
        if self.training:
            self.seen += 1
        return super().training_step(batch)
"""
    file = tmp_path / "net.py"
    file.write_text(code)
    trust(file)
    line = f"train --no-ui --model {file}:Net --data iris --epochs 3 --device cpu --threads 1"
    assert "best epoch 1 by badness" in tui(f"{line} --set training.monitor=badness").out
    assert "best epoch 3 by goodness" in tui(f"{line} --set training.monitor=goodness").out
    refused = tui(f"{line} --set training.monitor=accuracy")
    assert (refused.code, "Takes loss or badness or goodness" in refused.err) == (2, True)
