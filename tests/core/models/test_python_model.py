"""Networks of the user's own: arguments by type, what the data fills, what does not fit, and runs built again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args

import pytest
import torch

from core.config import schema as configuration
from core.errors import ConfigError, ModelError, UntrustedCode, UserCodeError
from core.models.python import Python
from core.models.registry import build, outline, rebuild
from core.models.summary import summarise
from core.options import default_of
from core.runs.code import from_copies, trust_config, unknown_code
from core.session.evaluation import evaluate_run
from core.session.session import assemble
from core.user_code.arguments import known_arguments, wrong_arguments
from core.user_code.trust import trust
from tests.support.repository import REPOSITORY

OWN = REPOSITORY / "tests" / "support" / "own_net.py"
HEAD = "import torch\nfrom torch import nn\nfrom typing import Literal, Optional\nWIDTH = 7\n"
Write = Callable[..., str]
Load = Callable[..., Any]
TrainRun = Callable[..., Any]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file of the user's, trusts it, and gives the reference of `name` in it."""

    def write(text: str, name: str = "Net") -> str:
        path = tmp_path / "mynet.py"
        path.write_text(HEAD + text)
        trust(path)
        return f"{path}:{name}"

    return write


def options(reference: str, **arguments: Any) -> Python:
    config = configuration.from_dict({"model": {"name": reference, "arguments": arguments}})
    assert isinstance(config.model, Python)
    return config.model


LINEAR = """
class Net(nn.Linear):
    def __init__(self, {signature}):
        super().__init__(3, 2)
        self.given = dict(locals())
"""


def given(reference: str, sample_shape: tuple[int, ...] = (1, 4, 4), **arguments: Any) -> dict[str, Any]:
    """The arguments that a constructor was called with."""
    made = options(reference, **arguments).build(sample_shape, 5).given
    assert isinstance(made, dict)
    return {key: value for key, value in made.items() if key not in ("self", "__class__")}


def test_the_data_fills_what_the_signature_has(write: Write) -> None:
    signature = "in_features, in_channels, num_classes, outputs, sample_shape, width=3"
    reference = write(LINEAR.format(signature=signature))
    filled = {"in_features": 16, "in_channels": 1, "num_classes": 5, "outputs": 5, "sample_shape": (1, 4, 4)}
    assert given(reference) == {**filled, "width": 3}
    assert given(reference, in_features=9, width=4) == {**filled, "in_features": 9, "width": 4}


def test_arguments_come_by_their_types(write: Write) -> None:
    signature = (
        'a: int = 1, b: float = 1.0, c=True, d="x", e: Literal["p", "q"] = "p", f: tuple[int, ...] = (1,)'
    )
    reference = write(LINEAR.format(signature=signature))
    values: dict[str, Any] = {"a": 2, "b": 3, "c": False, "d": "y", "e": "q", "f": [4, 5]}
    made = given(reference, **values)
    assert made == {"a": 2, "b": 3.0, "c": False, "d": "y", "e": "q", "f": (4, 5)}
    assert isinstance(made["b"], float)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"widht": 1}, "model.arguments.widht: unknown key. Did you mean 'width'"),
        ({"width": "wide"}, "model.arguments.width: got 'wide', takes a whole number"),
        ({"kind": "c"}, "model.arguments.kind: got 'c', takes 'a' or 'b'"),
        ({}, "model.arguments.depth: Net needs it, and it has no default"),
        ({"depth": [1]}, "model.arguments.depth: got"),
    ],
)
def test_wrong_arguments_are_named(write: Write, arguments: dict[str, Any], message: str) -> None:
    reference = write(LINEAR.format(signature='depth: int, width: int = 3, kind: Literal["a", "b"] = "a"'))
    model = options(reference, **({"depth": 2} if "depth" not in message else {}) | arguments)
    with pytest.raises(ConfigError, match=message) as caught:
        model.build((3,), 2)
    assert caught.value.field == message.partition(":")[0]
    assert wrong_arguments(Python, dict(model)) == {
        caught.value.field.rpartition(".")[2]: str(caught.value).partition(": ")[2]
    }


def test_known_without_being_run(write: Write) -> None:
    """The form has fields for the arguments of a file that nobody trusts yet, and that has errors."""
    signature = 'num_classes, a: int = WIDTH, b: "float" = 0.5, c=(1, 2), d: Optional[int] = None'
    signature += ", *, e=False, f=nn.ReLU"
    reference = write(
        "1 / 0\nclass Base(nn.Module):\n    def __init__(self, "
        + signature
        + "): ...\nclass Net(Base): ...\n"
    )
    fields = known_arguments(Python, {"path": reference})
    assert fields is not None
    found = {key: (field.annotation, default_of(field)) for key, field in fields.model_fields.items()}
    assert found == {
        "a": (int, 7),
        "b": (float, 0.5),
        "c": (tuple[int, ...], (1, 2)),
        "d": (int | None, None),
        "e": (bool, False),
        "f": (Any, None),
    }


@pytest.mark.parametrize("text", ["class Net(:", "from elsewhere import Net", "Net = nn.Linear", ""])
def test_a_source_that_does_not_tell_has_no_fields(write: Write, text: str) -> None:
    assert known_arguments(Python, {"path": write(text)}) is None
    assert known_arguments(Python, {"path": "nowhere.py:Net"}) is None
    assert known_arguments(Python, {"path": ""}) is None


def test_literals_are_read_from_the_source(write: Write) -> None:
    fields = known_arguments(Python, {"path": write('def Net(kind: Literal["a", 3] = "a", **others): ...')})
    assert fields is not None
    assert get_args(fields.model_fields["kind"].annotation) == ("a", 3)
    annotation: Any = fields.model_fields["kind"].annotation
    assert annotation == Literal["a", 3]
    assert wrong_arguments(Python, {"path": write("def Net(**others): ..."), "arguments": {"x": 1}}) == {}


def test_a_function_that_returns_a_module_works_too(write: Write) -> None:
    reference = write(
        "def net(in_features, outputs):\n    return nn.Sequential(nn.Flatten(), nn.Linear(in_features, outputs))\n",
        "net",
    )
    assert outline(options(reference), (1, 4, 4), 3).parameters == 16 * 3 + 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def Net():\n    return 3\n", "returned an object of type int, not a torch.nn.Module"),
        ("def Net(a):\n    return nn.Linear(3, 2)\n", "model.arguments.a: Net needs it"),
        ("def Net():\n    return nn.Linear(4, 2)\n", "does not take samples of shape 3: .*mat1 and mat2"),
        (
            "def Net():\n    return nn.Linear(3, 4)\n",
            "returns 2x4 numbers for 2 samples, this data needs 2x2",
        ),
        (
            "def Net():\n    return nn.Sequential(nn.Linear(3, 4), nn.Unflatten(1, (2, 2)))\n",
            "returns 2x2x2 numbers for 2 samples",
        ),
        ("def Net():\n    return nn.Flatten()\n", "has no parameters to train"),
        ("def Net():\n    return nn.LSTM(3, 2)\n", "returns an object of type tuple, not a tensor"),
        (
            "class Net(nn.Linear):\n    def __init__(s):\n        super().__init__(3, 2)\n    def forward(s, x):\n"
            "        return super().forward(x).argmax(1, keepdim=True).expand(-1, 2)\n",
            "returns torch.int64, expected float32",
        ),
        (
            "class Net(nn.Linear):\n    def __init__(s):\n        super().__init__(3, 2)\n    def forward(s, x):\n"
            "        return x[5]\n",
            "mynet.py, line 9: IndexError: .*, for samples of shape 3",
        ),
    ],
)
def test_what_does_not_fit_is_said_with_sizes(write: Write, text: str, message: str) -> None:
    with pytest.raises((ModelError, UserCodeError, ConfigError), match=message):
        outline(options(write(text)), (3,), 2)


def test_no_file_yet(write: Write) -> None:
    with pytest.raises(ModelError, match=r"model\.path: no file is given"):
        Python().build((3,), 2)


TRICKY = """
class Net(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.out = nn.Linear(4, num_classes)
        self.register_buffer("scale", torch.full((4,), 2.0), persistent=False)
        self.shift = torch.ones(4)
        self.start = float(torch.zeros(1).item())
    def forward(self, x):
        return self.out(x * self.scale + self.shift + self.start)
"""


def test_tensors_of_its_own_survive(write: Write, load_data: Load) -> None:
    """They are not in the state_dict, and a network on the meta device would lack them."""
    data, model = load_data("iris"), options(write(TRICKY))
    built = build(model, data, seed=0)
    torch.manual_seed(5)
    again, summary = rebuild(model, data, built.state_dict()), outline(model, (4,), 3)
    after = torch.rand(1)
    torch.manual_seed(5)
    assert after == torch.rand(1)  # neither has drawn from the generator that a training may use
    inputs = torch.rand(5, 4)
    assert torch.equal(built(inputs), again(inputs))
    assert summary.parameters == 15


def test_the_same_seed_gives_the_same_weights(load_data: Load) -> None:
    trust(OWN)
    config = configuration.from_dict({"data": "iris", "model": f"{OWN}:Net", "training": {"seed": 3}})
    first, second = (assemble(config, load_data("iris")).model.state_dict() for _ in range(2))
    assert all(torch.equal(first[key], second[key]) for key in first)


# -- runs --------------------------------------------------------------------------------------------------------


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A file of the user's that uses a module beside it."""
    (tmp_path / "helper.py").write_text("from torch.nn import Linear\n")
    path = tmp_path / "mynet.py"
    path.write_text(
        "from helper import Linear\ndef make(in_features, outputs):\n    return Linear(in_features, outputs)\n"
    )
    trust(path)
    return path


def test_a_network_that_ends_the_program_fails_its_run(write: Write, train_run: TrainRun) -> None:
    text = (
        "class Net(nn.Linear):\n    def __init__(self):\n        super().__init__(4, 3)\n"
        "    def forward(self, x):\n        if self.training:\n            raise SystemExit('enough')\n"
        "        return super().forward(x)\n"
    )
    outcome = train_run({"data": "iris", "model": write(text)})
    assert outcome.finished.status == "failed"
    assert outcome.finished.error == "mynet.py, line 10: SystemExit: enough"


def test_a_run_is_built_again_from_its_copy(mine: Path, train_run: TrainRun) -> None:
    values = {"data": {"name": "iris", "validation": 0.2}, "model": f"{mine}:make", "training": {"epochs": 2}}
    whole = train_run(configuration.merge(values, {"training": {"epochs": 4}}))
    half = train_run(values)
    copies = half.run.code_folder / "model"
    assert sorted(path.name for path in copies.iterdir()) == ["helper.py", "mynet.py", "sources.json"]
    mine.write_text("def make():\n    raise RuntimeError('changed since')\n")
    (mine.parent / "helper.py").unlink()
    on = train_run({"training": {"epochs": 4}}, run=half.run)
    assert on.finished.status == "completed"
    assert all(torch.equal(value, on.weights()[key]) for key, value in whole.weights().items())
    assert half.run.config().model.path == f"{mine}:make"
    assert evaluate_run(half.run, "train").report.n > 90


def test_a_run_of_somebody_else_is_not_built_unasked(
    mine: Path, train_run: TrainRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = train_run({"data": "iris", "model": f"{mine}:make", "training": {"epochs": 1}}).run
    monkeypatch.setattr("core.user_code.trust._named", set())
    monkeypatch.setattr("core.user_code.trust._agreed", set())
    assert unknown_code(run.config(), run) == []  # it ran before
    copy = run.code_folder / "model" / "mynet.py"
    copy.write_text(copy.read_text() + "# evil\n")
    assert [*map(str, unknown_code(run.config(), run))] == [str(copy.resolve())]
    with pytest.raises(UntrustedCode):
        evaluate_run(run, "train")
    trust_config(run.config(), run)
    assert evaluate_run(run, "train").report.n > 100


def test_a_run_without_copies_uses_the_file(mine: Path, train_run: TrainRun) -> None:
    config = train_run({"data": "iris", "training": {"epochs": 1}}).run.config()
    assert from_copies(config, None) is config
    own = configuration.from_dict({"model": f"{mine}:make"})
    run = train_run({"data": "iris", "training": {"epochs": 1}}).run
    assert from_copies(own, run).model == own.model


def test_an_error_in_training_is_told_by_the_users_lines(write: Write, train_run: TrainRun) -> None:
    text = (
        "class Net(nn.Linear):\n    def __init__(self):\n        super().__init__(4, 3)\n    def forward(self, x):\n"
        "        if torch.is_grad_enabled():\n            raise ValueError('late')\n        return super().forward(x)\n"
    )
    ended = train_run({"data": "iris", "model": write(text), "training": {"epochs": 1}}).finished
    assert ended.status == "failed"
    assert ended.error == "mynet.py, line 10: ValueError: late"
    assert "raise ValueError('late')" in ended.traceback
    assert "session.py" not in ended.traceback


def test_a_summary_counts_every_parameter_once() -> None:
    model = torch.nn.Sequential(
        torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), torch.nn.Flatten()
    )
    summary = summarise(model, (5, 8), 40)
    assert sum(layer.parameters for layer in summary.layers) == summary.parameters == summary.trainable
    assert summary.multiply_adds == 5 * (4 * 64 + 2 * 5 * 8) + 5 * 2 * 8 * 16
