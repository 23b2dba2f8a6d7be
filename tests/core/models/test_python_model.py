"""Networks of the user's own: arguments by type, what the data fills, what does not fit, and runs built again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args

import pytest
import torch

from core.config import schema as configuration
from core.data.inputs import InputField
from core.data.kinds.sample import Sample
from core.data.registry import load
from core.errors import ConfigError, ModelError, UntrustedCode, UserCodeError
from core.events import Notice
from core.models.own.python import Python
from core.models.registry import build, outline, rebuild
from core.models.summary import summarise
from core.options import default_of
from core.runs.code import from_copies, trust_config, unknown_code
from core.session.evaluation import evaluate_run
from core.session.session import assemble
from core.tuning.search.space import build_space
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


IMAGE = Sample("image", (1, 4, 4))


def given(reference: str, sample: Sample = IMAGE, **arguments: Any) -> dict[str, Any]:
    """The arguments that a constructor was called with."""
    made = options(reference, **arguments).build_for(sample, 5).given
    assert isinstance(made, dict)
    return {key: value for key, value in made.items() if key not in ("self", "__class__")}


def test_the_data_fills_what_the_signature_has(write: Write) -> None:
    signature = "in_features, in_channels, num_classes, outputs, sample_shape, width=3"
    reference = write(LINEAR.format(signature=signature))
    filled = {"in_features": 16, "in_channels": 1, "num_classes": 5, "outputs": 5, "sample_shape": (1, 4, 4)}
    assert given(reference) == {**filled, "width": 3}
    assert given(reference, in_features=9, width=4) == {**filled, "in_features": 9, "width": 4}


def test_ids_fill_their_number_padding_and_length(write: Write) -> None:
    reference = write(
        LINEAR.format(signature="in_features, vocab_size=9, padding_idx=0, n_tokens=4, *, seq_len")
    )
    tokens = Sample("tokens", (12,), vocabulary=30)
    filled = {"in_features": 12, "vocab_size": 30, "padding_idx": None, "n_tokens": 4, "seq_len": 12}
    assert given(reference, tokens) == filled
    text = (InputField("text", (7,), torch.int32), InputField("features", (2,), torch.float32))
    beside = Sample("text", (), vocabulary=30, padding=0, features=2, fields=text)
    assert given(reference, beside) == filled | {"in_features": 2, "padding_idx": 0, "seq_len": 7}
    with pytest.raises(ConfigError, match="seq_len: Net needs it, and it has no default"):
        given(reference)


def test_the_data_fills_other_names_that_people_give(write: Write) -> None:
    signature = "input_dim=784, n_classes=10, d_in=1, channels=64, out_features=7, n_out=9, *, num_features"
    reference = write(LINEAR.format(signature=signature))
    clear = {"input_dim": 16, "n_classes": 5, "d_in": 16, "num_features": 16}
    kept = {"channels": 64, "out_features": 7, "n_out": 9}  # they may mean something else
    assert given(reference) == {**clear, **kept}
    assert given(reference, input_dim=4) == {**clear, **kept, "input_dim": 4}
    fields = known_arguments(Python, {"path": reference})
    assert fields is not None
    assert list(fields.model_fields) == [*kept]


@pytest.mark.parametrize("name", ["channels", "out_features", "output_size", "n_in"])
def test_names_of_several_meanings_are_filled_where_they_have_no_default(write: Write, name: str) -> None:
    expected = {"channels": 1, "out_features": 5, "output_size": 5, "n_in": 16}
    assert given(write(LINEAR.format(signature=name))) == {name: expected[name]}


def test_what_is_filled_by_other_names_is_reported(write: Write, train_run: TrainRun) -> None:
    text = "def make(input_dim, num_classes, n_out=3):\n    return nn.Linear(input_dim, n_out)\n"
    outcome = train_run({"data": "iris", "model": write(text, "make")})
    notes = [notice.message for notice in outcome.told(Notice)]
    assert "model: input_dim=4 by the data; model.arguments changes it" in notes


def test_the_message_names_what_is_filled(write: Write) -> None:
    reference = write(LINEAR.format(signature="config"))
    with pytest.raises(
        ConfigError, match=r"it has no default; the data fills in_features, input_dim, .* n_classes"
    ):
        options(reference).build_for(Sample("table", (3,)), 2)


def test_a_module_is_taken_as_it_is_and_copied_for_each_run(write: Write, train_run: TrainRun) -> None:
    reference = write("net = nn.Linear(4, 3)\nconfig = {'a': 1}\n", "net")
    first, second = (options(reference).build_for(Sample("table", (4,)), 3) for _ in range(2))
    assert first is not second
    assert torch.equal(first.weight, second.weight)  # type: ignore[arg-type]  # of a linear layer
    outcome = train_run({"data": "iris", "model": reference})
    assert outcome.finished.status == "completed"
    assert any("same weights for every seed" in notice.message for notice in outcome.told(Notice))
    with pytest.raises(ModelError, match="is a module that is built already"):
        options(reference, width=1).build_for(Sample("table", (4,)), 3)
    with pytest.raises(UserCodeError, match="is of type dict"):
        options(reference.replace(":net", ":config")).build_for(Sample("table", (4,)), 3)


SEEDED = "torch.manual_seed(42)\nscale = torch.rand(1)\ndef make():\n    return nn.Linear(4, 3)\n"


def test_a_seed_at_the_top_of_a_file_does_not_defeat_that_of_the_run(write: Write) -> None:
    data = load(configuration.from_dict({"data": "iris"}).data)

    def weights(reference: str, seed: int) -> list[float]:
        made = build(options(reference), data, seed)
        assert isinstance(made, torch.nn.Linear)
        return [float(number) for number in made.weight.detach().flatten()]

    reference = write(SEEDED, "make")
    seeds = {seed: weights(reference, seed) for seed in (0, 1, 2)}
    assert len({*map(tuple, seeds.values())}) == 3
    again = write(SEEDED + "# another version, as in another process\n", "make")
    assert [weights(again, seed) for seed in (2, 0, 1)] == [seeds[seed] for seed in (2, 0, 1)]
    torch.manual_seed(1)
    assert seeds[1] == [float(number) for number in torch.nn.Linear(4, 3).weight.detach().flatten()]


def test_arguments_are_searched(write: Write) -> None:
    text = LINEAR.format(signature="in_features, width: int = 3, kind: Literal['a', 'b'] = 'a', rate=0.5")
    base = configuration.from_dict({"data": "iris", "model": write(text)})
    space = build_space(
        base, {"model.arguments.width": [16, 32], "model.arguments.rate": {"low": 0.1, "high": 1}}
    )
    assert space.endless() == ["model.arguments.rate"]
    config = space.config({"model.arguments.width": 16, "model.arguments.rate": 0.25})
    assert config.model.arguments == {"width": 16, "rate": 0.25}  # type: ignore[union-attr]  # of a network of one's own
    for wrong, message in {
        "widht": "unknown key. Did you mean 'width'",
        "kind": "takes 'a' or 'b'",
        "rate": "takes a number",
    }.items():
        with pytest.raises(ConfigError, match=rf"model\.arguments\.{wrong}: .*{message}"):
            build_space(base, {f"model.arguments.{wrong}": ["x"]})
    other = build_space(base, {"model": ["python", "mlp"], "model.arguments.width": [1, 2]})
    assert other.applies("model.arguments.width", {"model.name": "python"})
    assert not other.applies("model.arguments.width", {"model.name": "mlp"})


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
        ({}, "model.arguments.depth: Net needs it, and it has no default; the data fills in_features"),
        ({"depth": [1]}, "model.arguments.depth: got"),
    ],
)
def test_wrong_arguments_are_named(write: Write, arguments: dict[str, Any], message: str) -> None:
    reference = write(LINEAR.format(signature='depth: int, width: int = 3, kind: Literal["a", "b"] = "a"'))
    model = options(reference, **({"depth": 2} if "depth" not in message else {}) | arguments)
    with pytest.raises(ConfigError, match=message) as caught:
        model.build_for(Sample("tokens", (3,), vocabulary=4), 2)
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
    assert outline(options(reference), Sample("image", (1, 4, 4)), 3).parameters == 16 * 3 + 3


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
        outline(options(write(text)), Sample("table", (3,)), 2)


def test_no_file_yet(write: Write) -> None:
    with pytest.raises(ModelError, match=r"model\.path: no file is given"):
        Python().build_for(Sample("table", (3,)), 2)


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
    again, summary = rebuild(model, data, built.state_dict()), outline(model, Sample("table", (4,)), 3)
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
    values = {"data": "iris", "model": write(text)}
    with pytest.raises(UserCodeError, match="line 10: SystemExit: enough, for inputs"):
        train_run(values)
    outcome = train_run({**values, "training": {"preflight": False}})
    assert outcome.finished.status == "failed"
    assert outcome.finished.error.startswith("mynet.py, line 10: SystemExit: enough")


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


@pytest.mark.slow
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
    settings = {"epochs": 1, "preflight": False}
    ended = train_run({"data": "iris", "model": write(text), "training": settings}).finished
    assert ended.status == "failed"
    assert ended.error.startswith("mynet.py, line 10: ValueError: late")
    assert "raise ValueError('late')" in ended.traceback
    assert "session.py" not in ended.traceback


def test_a_summary_counts_every_parameter_once() -> None:
    model = torch.nn.Sequential(
        torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), torch.nn.Flatten()
    )
    summary = summarise(model, (5, 8), 40)
    assert sum(layer.parameters for layer in summary.layers) == summary.parameters == summary.trainable
    assert summary.multiply_adds == 5 * (4 * 64 + 2 * 5 * 8) + 5 * 2 * 8 * 16
