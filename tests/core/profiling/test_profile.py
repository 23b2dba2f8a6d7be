"""A profile: what takes time and memory is named, and the model stays as it was."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from core.config.schema import from_dict
from core.profiling.gains import measure_gains
from core.profiling.layers import ITSELF, trace_steps
from core.profiling.memory import measure_memory
from core.profiling.names import ALTERNATIVES, PHASES
from core.profiling.phases import Phases
from core.profiling.profile import profile
from core.profiling.subject import subject as subject_of
from core.session import session
from core.session.preparation import Prepared


def prepared(**sections: Any) -> Prepared:
    values = {
        "data": "iris",
        "model": "mlp",
        "training": {"device": "cpu", "threads": 1, "batch_size": 16},
        **sections,
    }
    return session.prepare(from_dict(values), None, lambda what, done, total: None)


def test_nothing_changes_and_every_phase_is_there(tmp_path: Path) -> None:
    subject = prepared(optimizer={"name": "adam"}, model={"name": "mlp", "dropout": 0.2})
    before, random = copy.deepcopy(subject.model.state_dict()), torch.get_rng_state()
    doing: list[str] = []
    found = profile(
        subject,
        seconds=0.02,
        alternatives=("batch",),
        trace_file=tmp_path / "steps.json",
        on_progress=doing.append,
        should_stop=lambda: False,
    )
    assert found is not None
    assert doing == ["steps are timed", "layers are timed", "other settings are tried"]
    assert list(found.phases.seconds) == list(PHASES)
    assert all(seconds >= 0 for seconds in found.phases.seconds.values())
    assert found.phases.validation is not None
    assert sum(found.phases.share(name) for name in PHASES) == pytest.approx(1)
    assert {gain.value for gain in found.gains} == {32, 64}
    events = json.loads((tmp_path / "steps.json").read_text())["traceEvents"]
    assert "layer 1" in {event.get("name") for event in events}
    assert all(torch.equal(weight, before[key]) for key, weight in subject.model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)


def test_a_request_to_stop_ends_it() -> None:
    ended = profile(prepared(), seconds=60, on_progress=lambda what: None, should_stop=lambda: True)
    assert ended is None


class Uneven(nn.Module):
    """The second layer has a thousand times the work of the first, and the network does some of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.small, self.large = nn.Linear(4, 4), nn.Sequential(nn.Linear(4, 1500), nn.Linear(1500, 1500))
        self.last = nn.Linear(1500, 3)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.last(self.large(self.small(inputs)).tanh())
        return outputs


def test_the_costliest_layer_comes_first_with_both_passes() -> None:
    subject = prepared()
    object.__setattr__(subject, "model", Uneven())
    layers = trace_steps(subject, 3).layers
    assert (layers[0].path, layers[0].kind) == ("large.1", "Linear")
    assert layers[0].forward > 0
    assert layers[0].backward > 0
    assert {"small", "large.0", "last", ITSELF} <= {layer.path for layer in layers}


def test_memory_is_what_the_tensors_take() -> None:
    subject = prepared(optimizer={"name": "adam"}, model={"name": "mlp", "hidden": [8]})
    memory = measure_memory(subject)
    weights = 4 * (4 * 8 + 8 + 8 * 3 + 3)
    assert (memory.weights, memory.gradients) == (weights, weights)
    assert 2 * weights <= memory.optimizer <= 2 * weights + 4 * 4  # Adam's two means, and a counter for each
    batch = 16 * 4 * 4
    assert memory.activations >= batch + 16 * 8 * 4
    assert memory.data >= 150 * 4
    assert memory.peak > 10 << 20


def test_what_cannot_be_had_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = prepared()

    def no_such_kernel(tried: Prepared, config: Any = None, around: Any = None) -> Any:
        if config is not None:
            raise RuntimeError("no kernel\nat all")
        return usual(tried)

    usual = subject_of
    monkeypatch.setattr("core.profiling.gains.subject", no_such_kernel)
    found = measure_gains(subject, ("batch",), 0.0, lambda: False)
    assert [(gain.times, gain.note) for gain in found] == [(None, "no kernel")] * 2


def test_only_what_fits_the_machine_and_the_data_is_tried() -> None:
    found = measure_gains(
        prepared(), tuple(name for name in ALTERNATIVES if name != "compile"), 0.0, lambda: False
    )
    assert {gain.field for gain in found} <= {"training.threads", "training.batch_size"}


def test_numbers_of_a_step() -> None:
    phases = Phases({"data": 0.01, "forward": 0.03}, steps=5, samples=50, cores=1.0, validation=None)
    assert phases.step == pytest.approx(0.04)
    assert phases.samples_per_second == pytest.approx(250)
    assert phases.share("data") == pytest.approx(0.25)
