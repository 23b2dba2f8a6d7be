"""A run that would fail in its first minute is refused before anything is written; trying it changes nothing."""

import random
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.config import schema as configuration
from core.data.registry import load
from core.errors import ConfigError, DataError, ModelError, TorchtuiError
from core.events import Notice
from core.session.preflight.check import is_needed, passed, preflight
from core.session.preflight.finding import Finding
from core.session.preflight.trial import Trial
from core.session.preparation import Prepared, prepare
from core.user_code.trust import trust
from tests.support.narrow import some
from tests.support.repository import REPOSITORY

FILE = REPOSITORY / "tests" / "support" / "odd_networks.py"
TrainRun = Callable[..., Any]
OF_68 = {"batch_size": 68}
"""Leaves one sample of 1,293 for the last batch."""


@pytest.fixture(autouse=True)
def trusted() -> None:
    trust(FILE)


def values(name: str, *, optimizer: str = "sgd", **training: Any) -> dict[str, Any]:
    fixed = {"device": "cpu", "threads": 1, "epochs": 2, "batch_size": 200}
    return {
        "model": {"name": "python", "path": f"{FILE}:{name}"},
        "optimizer": {"name": optimizer},
        "training": {**fixed, **training},
    }


def ready(given: Mapping[str, Any]) -> Prepared:
    return prepare(configuration.from_dict(given), None, lambda what, done, total: None)


def found(name: str, **training: Any) -> list[Finding]:
    """Return the findings of pre-flight for a network that may train."""
    prepared = ready(values(name, preflight=False, **training))
    return preflight(prepared)


def line(code: str) -> str:
    """Return how a message names the line of the file that holds some code."""
    numbers = [number for number, text in enumerate(FILE.read_text().splitlines(), 1) if code in text]
    assert len(numbers) == 1, code
    return rf"odd_networks.py, line {numbers[0]}\)"


REFUSED: dict[str, tuple[str, dict[str, int]]] = {
    "AuxInTraining": (f"a tuple of 2, not a tensor .{line('(out, out.detach())')}", {}),
    "LossInTraining": (f"a dict of loss, not a tensor .{line('out.sum()')}", {}),
    "WideInTraining": (r"returns 200x20 float32, this data needs 10 numbers a sample", {}),
    "Norm": (
        r"last batch of an epoch has a single one .1,293 samples in batches of 68.*=69.*drop_last",
        OF_68,
    ),
    "NotANumber": (f"in the outputs of the first batch, with the initial weights .{line('/ 0.0')}", {}),
    "NotANumberBackwards": (r"in the first gradient of net\.1\.weight, not in the loss", {}),
    "PlainList": (f"layers in blocks are in a plain list.*{line('self.blocks = [')}.*nn.ModuleList", {}),
    "PlainTensor": (f"scale is a tensor with a gradient.*{line('self.scale = ')}.*nn.Parameter", {}),
    "NoParameters": ("no parameters to train", {}),
    "AllFrozen": ("no parameters to train", {}),
    "NoGrad": (f"turns gradients off for everything that follows .{line('torch.set_grad_enabled')}", {}),
    "NoGradForward": (f"no gradient: forward detaches them.*{line('@torch.no_grad()')}", {}),
    "Detached": (f"no gradient: forward detaches them.*{line('return self.net(x).detach()')}", {}),
    "DefaultDouble": ("sets PyTorch's default dtype to torch.float64 .odd_networks.py, line ", {}),
    "DoubleInForward": ("forward sets PyTorch's default dtype to torch.float64", {}),
    "KeepsHidden": ("keeps between batches, self.h .odd_networks.py.*does not fit the next one", {}),
    "KeepsGraph": ("keeps between batches, self.mean .*the gradient of a batch reaches back", {}),
    "UnsafeExtraState": ("_extra_state .* cannot give back without running code", {}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_sentence(name: str) -> None:
    pattern, training = REFUSED[name]
    before = torch.get_default_dtype(), torch.is_grad_enabled()
    with pytest.raises(TorchtuiError, match=pattern) as refused:
        ready(values(name) | {"training": values(name)["training"] | training})
    assert (torch.get_default_dtype(), torch.is_grad_enabled()) == before
    assert refused.value.exit_code == 2
    assert "\n" not in str(refused.value)


def test_settings_changed_are_refused_again_where_the_file_is_known_already(tmp_path: Path) -> None:
    file = tmp_path / "double.py"
    file.write_text(
        "import torch\nfrom torch import nn\ntorch.set_default_dtype(torch.float64)\n"
        "def Net(in_features, num_classes):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(in_features, num_classes))\n"
    )
    trust(file)
    given = {**values("Base"), "model": f"{file}:Net"}
    for _ in range(2):
        with pytest.raises(ModelError, match=r"default dtype to torch\.float64"):
            ready(given)
        assert torch.get_default_dtype() == torch.float32


@pytest.mark.parametrize(("optimizer", "name"), [("adam", "Sparse"), ("adam", "SparseLookup")])
def test_sparse_gradients_that_the_optimizer_rejects(optimizer: str, name: str) -> None:
    with pytest.raises(
        ModelError, match=f"{optimizer} does not take the network's sparse gradients .odd_net"
    ):
        ready(values(name, optimizer=optimizer))


def test_a_last_part_of_one_sample_is_found_when_batches_are_accumulated() -> None:
    with pytest.raises(ModelError, match=r"batches of 4, 17 a step"):
        ready(values("Norm", batch_size=4, accumulate=17))


def test_a_batch_that_is_dropped_is_not_tried() -> None:
    dropped = ready(values("Norm", batch_size=68, drop_last=True))
    assert dropped.notices[0].message.endswith("all is well")


def test_a_shipped_network_is_tried_where_a_batch_has_one_sample_alone() -> None:
    fixed = values("Base")["training"] | OF_68
    one = ready({"data": "digits", "model": "mlp", "training": fixed})
    assert is_needed(one)
    assert [notice.level for notice in passed(one)] == ["info"]
    assert not is_needed(ready({"data": "digits", "model": "mlp"}))


WARNED: dict[str, str] = {
    "Softmax": f"look like probabilities .{line('self.net(x).softmax(1)')}.*before the softmax",
    "Sigmoid": "look like probabilities .*before the sigmoid",
    "SoftmaxInEvaluation": f"in evaluation mode the outputs look like probabilities .{line('F.softmax(out')}",
    "Unused": r"no gradient reaches pooler\.weight, pooler\.bias",
    "SeedsInForward": f"forward sets the seed .{line('torch.manual_seed(0)')}",
}


@pytest.mark.parametrize("name", WARNED)
def test_warned_of(name: str) -> None:
    (warning,) = [finding for finding in found(name) if finding.level != "ok"]
    assert warning.level == "warning"
    assert re.search(WARNED[name], warning.message)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        (
            "OneSigmoid",
            "breast_cancer",
            f"probabilities .{line('torch.sigmoid(self.net')}.* every sample would be given",
        ),
        ("OneSqueezed", "breast_cancer", ""),
        ("Positive", "diabetes", f"come out of a relu .{line('F.relu(self.net')} and are never below 0"),
        ("OneSqueezed", "diabetes", ""),
    ],
)
def test_outputs_that_cannot_be_every_answer_are_warned_of(name: str, data: str, message: str) -> None:
    given = {**values(name, preflight=False), "data": data}
    warnings = [finding.message for finding in preflight(ready(given)) if finding.level != "ok"]
    assert len(warnings) == bool(message)
    assert re.search(message, "".join(warnings))


@pytest.mark.parametrize(
    ("monitor", "told"), [("val_loss", False), ("val_error_rate", False), ("spread", True)]
)
def test_a_number_that_a_network_names_itself_can_be_monitored(monitor: str, told: bool) -> None:
    prepared = ready(values("NamesItsLoss", monitor=monitor))
    assert prepared.notices[0].message.endswith("all is well")
    found = [note for note in prepared.data.notes if note.startswith("best epoch: that with the most spread")]
    assert len(found) == told


LOSSES = """
import torch
from torch import nn
from torch.nn import functional as F

added = nn.CrossEntropyLoss(reduction="sum")

def mean(outputs, targets):
    return F.cross_entropy(outputs, targets)

def again(outputs, targets):
    return F.cross_entropy(outputs, targets)

def lowered(outputs, targets):
    return F.cross_entropy(outputs - outputs.detach().amax(1, keepdim=True), (targets + 1) % 10)

def shifted(outputs, targets):
    targets += 1
    return F.cross_entropy(outputs, targets % 10)

def halved(outputs, targets):
    loss = F.cross_entropy(outputs, targets)
    outputs.detach().mul_(0.5)
    return loss

def of_probabilities(outputs, targets):
    return F.nll_loss(outputs.log(), targets)

def squares(y_true, y_pred):
    return (y_true - y_pred) ** 2

def high(y_true, y_pred):
    return torch.maximum(0.9 * (y_true - y_pred), 0.1 * (y_pred - y_true)).mean()

def classes(target, output):
    return F.cross_entropy(output, target)

def misnamed(target, output):
    return F.cross_entropy(target, output)
"""


@pytest.fixture
def loss(tmp_path: Path) -> Callable[[str], dict[str, Any]]:
    """Configuration of a loss of the user's own."""
    file = tmp_path / "losses.py"
    file.write_text(LOSSES)
    trust(file)
    return lambda name: {"name": "python", "path": f"{file}:{name}"}


@pytest.mark.parametrize(
    ("network", "name", "message"),
    [
        ("Base", "mean", ""),
        ("Base", "misnamed", ""),
        ("Base", "added", "added is a sum over the samples of a batch"),
        ("Base", "lowered", ""),
        ("Softmax", "again", "again takes the log-softmax of what has come out of a softmax already"),
        ("Softmax", "of_probabilities", "the softmax of them once more: their metrics would be wrong"),
    ],
)
def test_a_loss_that_does_not_go_with_what_is_measured(
    network: str, name: str, message: str, loss: Callable[[str], dict[str, Any]]
) -> None:
    given = {**values(network, preflight=False), "loss": loss(name)}
    warnings = [finding.message for finding in preflight(ready(given)) if finding.level != "ok"]
    assert len(warnings) == bool(message) + (name == "again")  # evaluations take the softmax once more, too
    assert message in "".join(warnings)


@pytest.mark.parametrize(("name", "what"), [("shifted", "targets"), ("halved", "outputs")])
def test_a_loss_that_writes_into_what_metrics_are_counted_from_is_refused(
    name: str, what: str, loss: Callable[[str], dict[str, Any]]
) -> None:
    with pytest.raises(ConfigError, match=f"{name} changes the {what} that it is given in place"):
        ready({**values("Base"), "loss": loss(name)})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("RandomForward", f"two evaluations of the same samples differ: .*{line('training=True')}"),
        ("ByItsBatch", f"depend on the others in its batch .{line('flat.std(0)')}: alone"),
        ("Norm", ""),
        ("FunctionalDropout", ""),
        ("Item", ""),
    ],
)
def test_evaluations_that_are_others_each_time_are_warned_of(name: str, message: str) -> None:
    warnings = [finding.message for finding in found(name) if finding.level == "warning"]
    assert len(warnings) == bool(message)
    assert re.search(message, "".join(warnings))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Summed", r"Summed\.training_step is a sum over the samples of a batch"),
        (
            "SoftmaxTwice",
            r"SoftmaxTwice\.training_step takes the log-softmax of what has come out of a softmax",
        ),
        ("Attends", ""),
        ("ShiftsLabels", ""),
        ("NamesItsLoss", ""),
    ],
)
def test_a_training_step_whose_loss_is_not_what_it_seems_is_warned_of(name: str, message: str) -> None:
    monitor = {"monitor": "val_loss"} if name == "NamesItsLoss" else {}
    warnings = [finding.message for finding in found(name, **monitor) if finding.level == "warning"]
    assert len(warnings) == bool(message)
    assert re.search(message, "".join(warnings))


def test_targets_that_a_training_step_writes_into_stay_those_of_the_data() -> None:
    prepared = ready(values("ShiftsLabels"))
    loaded = load(prepared.config.data, None)
    for name, split in prepared.data.splits.items():
        assert torch.equal(split.targets, loaded.splits[name].targets)


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (
            "diabetes",
            "high",
            r"takes \(y_true, y_pred\), and is called with outputs first.*Swap them: \(y_pred, y_true\)",
        ),
        ("digits", "classes", r"takes \(target, output\), and is called with outputs first"),
        ("diabetes", "squares", ""),
    ],
)
def test_a_loss_that_is_written_for_targets_first_is_refused(
    data: str, name: str, message: str, loss: Callable[[str], dict[str, Any]]
) -> None:
    given = {"data": data, "model": "linear", "loss": loss(name), "training": values("")["training"]}
    if not message:
        ready(given)
        return
    with pytest.raises(ConfigError, match=message):
        ready(given)


def test_a_seed_in_the_constructor_is_reported() -> None:
    first, *_ = ready(values("Seeds")).notices
    assert first.level == "warning"
    assert "constructor sets the seed (odd_networks.py" in first.message


@pytest.mark.parametrize("name", ["HoldsLock", "HoldsGenerator", "HoldsFile"])
def test_what_cannot_be_copied_is_noted(name: str) -> None:
    notes = [finding.message for finding in found(name) if finding.level == "note"]
    assert len(notes) == 1
    assert "built anew wherever a copy is used" in notes[0]


def test_what_does_not_fit_in_memory_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object, **named: object) -> None:
        raise MemoryError

    monkeypatch.setattr("core.session.preflight.steps.Trial", full)
    notes = [finding for finding in found("Base") if finding.level != "ok"]
    assert [finding.level for finding in notes] == ["note"]


# -- data ----------------------------------------------------------------------------------------------------------

DATA = """
import numpy as np

def make():
    names = np.array(["a", "b"] * 30)
    place = {{name: number for number, name in enumerate({order})}}
    x = np.arange(240.0).reshape(60, 4)
    return x, np.array([place[name] for name in names])
"""


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ("set(names.tolist())", r"mydata.py, line 6.*sorted\(set"),
        ("sorted(set(names.tolist()))", ""),
        ("[str(number) for number in set([1, 2])] + ['a', 'b']", ""),
    ],
)
def test_an_order_of_classes_that_no_two_processes_share(order: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "mydata.py"
    file.write_text(DATA.format(order=order))
    trust(file)
    given = {"data": f"{file}:make", "model": "linear", "training": {"device": "cpu", "threads": 1}}
    if message:
        with pytest.raises(DataError, match=message):
            ready(given)
    else:
        assert ready(given).notices[0].message.endswith("all is well")


HELPER = """
import functools

def ordered(names):
    return list(set(names))

def through(function):
    @functools.wraps(function)
    def inner(names):
        return function(names)
    return inner

wrapped = through(ordered)

class Table:
    def __init__(self, order):
        self.order = order
    def names(self, names):
        return self.order(names)

ORDERS = {"table": Table(ordered)}
"""


@pytest.mark.parametrize(
    ("order", "has_sets"),
    [
        ("helper.ordered(names.tolist())", True),
        ("__import__('importlib').import_module('helper').ordered(names.tolist())", True),
        ("helper.wrapped(names.tolist())", True),
        ("helper.ORDERS['table'].names(names.tolist())", True),
        ("'ab'", False),
    ],
)
def test_data_is_loaded_again_only_where_its_function_may_make_a_set(
    order: str, has_sets: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "helper.py").write_text(HELPER)
    file = tmp_path / "mydata.py"
    file.write_text("import helper\n" + DATA.format(order=order))
    trust(file)
    given = {"data": f"{file}:make", "model": "linear", "training": {"device": "cpu", "threads": 1}}
    if has_sets:
        with pytest.raises(DataError, match=r"helper.py, line 5.*sorted\(set"):
            ready(given)
        return
    monkeypatch.setattr("core.session.preflight.data.load", lambda *given: pytest.fail("loaded again"))
    ready(given)


AUGMENTING = """
import torch
from torch.utils.data import Dataset

class Augmenting(Dataset):
    def __len__(self):
        return 60
    def __getitem__(self, number):
        noise = torch.rand(4) if {random} else torch.zeros(4)
        return torch.arange(4.0) + number + noise, number % 2

def make():
    return Augmenting()
"""


@pytest.mark.parametrize("drawn", [True, False])
def test_samples_that_differ_when_read_twice_are_reported(drawn: bool, tmp_path: Path) -> None:
    file = tmp_path / "mydata.py"
    file.write_text(AUGMENTING.format(random=drawn))
    trust(file)
    before = torch.get_rng_state()
    values = {"data": {"name": "python", "path": f"{file}:make", "feed": "resident"}}
    notes = load(configuration.from_dict(values).data, None).notes
    assert torch.equal(torch.get_rng_state(), before)
    assert (
        any("differ when they are read twice" in note and "data.augment" in note for note in notes) == drawn
    )


def test_a_few_samples_that_all_have_weight_0_are_fine(tmp_path: Path) -> None:
    rows = [f"{number},{number % 7},{int(number > 90)},{'ab'[number % 2]}" for number in range(100)]
    (tmp_path / "table.csv").write_text("\n".join(["x,y,w,kind", *rows]))
    data = {"name": "csv", "path": str(tmp_path / "table.csv"), "target": "kind", "weight": "w", "folds": 0}
    prepared = ready({**values("Base"), "data": data})
    train = prepared.data.train
    unweighted = train.rows(torch.nonzero(some(train.weights) == 0).flatten()[:2])
    assert Trial(prepared).evaluate(unweighted) is None


# -- nothing changes -----------------------------------------------------------------------------------------------


def everything(prepared: Prepared) -> tuple[Any, ...]:
    """Return all that trying a run must leave as it is."""
    model = prepared.model
    attributes = [{key: id(value) for key, value in vars(module).items()} for module in model.modules()]
    seen = [
        dict(value) for module in model.modules() for value in vars(module).values() if type(value) is dict
    ]
    return (
        {
            key: value.clone() if hasattr(value, "clone") else value
            for key, value in model.state_dict().items()
        },
        attributes,
        [{key: id(value) for key, value in content.items()} for content in seen],
        [*getattr(model, "calls", [])] if isinstance(getattr(model, "calls", 0), list) else None,
        torch.get_rng_state().tolist(),
        np.random.get_state()[1].tolist(),  # type: ignore[index]  # a tuple by default
        random.getstate(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.get_num_threads(),
        model.training,
    )


@pytest.mark.parametrize(
    "name",
    ["Base", "Norm", "CountingBuffer", "ExtraState", "Hooked", "CountsInClass", "CacheHidden", "HoldsLock"],
)
def test_nothing_changes(name: str) -> None:
    prepared = ready(values(name, preflight=False))
    before = everything(prepared)
    assert not [finding for finding in preflight(prepared) if finding.level == "error"]
    after = everything(prepared)
    assert before[1:] == after[1:]
    for key, value in before[0].items():
        assert torch.equal(value, after[0][key]) if hasattr(value, "shape") else value == after[0][key]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["RandomForward", "Norm", "ExtraState", "CountsInClass", "Hooked"])
def test_a_run_is_the_same_bit_for_bit_with_and_without(name: str, train_run: TrainRun) -> None:
    runs = [train_run(values(name, preflight=wanted)) for wanted in (True, False)]
    with_it, without = (run.weights() for run in runs)
    assert runs[0].finished.status == runs[1].finished.status == "completed"
    assert all(
        torch.equal(value, without[key]) if hasattr(value, "shape") else value == without[key]
        for key, value in with_it.items()
    )


# -- reporting -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_run_logs_one_line_where_all_is_well_and_what_there_is_to_know(train_run: TrainRun) -> None:
    told = [
        event.message for event in train_run(values("Base")).told(Notice) if "pre-flight" in event.message
    ]
    assert len(told) == 1
    assert told[0].endswith("all is well")
    messages = [event.message for event in train_run(values("Unused")).told(Notice)]
    assert any("1 thing to know" in message for message in messages)
    assert any("no gradient reaches" in message for message in messages)
    assert not train_run(values("Base", preflight=False)).told(Notice)


def test_metrics_of_a_whole_split_are_not_measured_on_a_batch() -> None:
    findings = found("Base", metrics=["f1_macro"], monitor="f1_macro")
    assert not [finding for finding in findings if finding.level != "ok"]


def test_an_error_in_a_later_batch_names_it_and_the_shapes(train_run: TrainRun) -> None:
    finished = train_run(values("FailsLater", epochs=6)).finished
    assert finished.status == "failed"
    pattern = (
        r"^odd_networks.py, line \d+: RuntimeError: mat1 .*in epoch 5, batch 2: inputs 200x1x8x8 float32, "
    )
    assert re.search(pattern, finished.error), finished.error
    assert "flat 200x64 float32" in finished.error


def test_an_error_in_validation_names_the_batch_and_the_epoch(train_run: TrainRun) -> None:
    finished = train_run(values("FailsInValidation", epochs=6)).finished
    assert finished.status == "failed"
    pattern = (
        r"RuntimeError: mat1 .*, in batch 1 of the evaluation: inputs \d+x1x8x8 float32, .*, after epoch 2$"
    )
    assert re.search(pattern, finished.error), finished.error
