"""Preview of a configuration, and how it is drawn."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from textual.content import Content
from textual.style import Style

from core.config.schema import FAMILIES, TrainConfig, from_dict
from core.data.kinds.sample import Sample
from core.data.mapped import MappedRows
from core.losses.base import TargetFacts
from core.models.summary import Layer, ModelSummary
from core.options import choices
from core.user_code.trust import trust
from tests.support.fixtures import LoadData
from tests.support.narrow import instance, some
from tests.support.repository import REPOSITORY
from tui.forms import preview_drawings as draw
from tui.forms.data_overview import DataFacts, data_facts
from tui.forms.form_state import FormState
from tui.forms.preview import Fix, Memory, Preview, Previewer, Problem
from tui.forms.preview_drawings import rounded


@pytest.fixture(scope="module")
def previewer(tmp_path_factory: pytest.TempPathFactory) -> Previewer:
    return Previewer(tmp_path_factory.mktemp("data"))


def test_digits_with_the_default_network(previewer: Previewer) -> None:
    preview = previewer.compute(TrainConfig())
    facts, model = some(preview.facts), some(preview.model)
    assert facts.samples is not None
    assert facts.sizes == {"train": 1293, "validation": 144, "test": 360}
    assert (facts.sample_shape, facts.outputs, facts.kind) == ((1, 8, 8), 10, "image")
    assert sum(n for _, n in facts.balance) == 1293
    assert facts.labels == tuple("0123456789")
    assert facts.samples.shape == (10, 8, 8, 3)
    assert facts.samples.max() == 255
    assert [layer.kind for layer in model.layers] == ["Flatten", "Linear", "ReLU", "Linear"]
    assert model.parameters == 64 * 100 + 100 + 100 * 10 + 10
    assert preview.memory == Memory(30_040, 30_040, 30_040, 0, (1293 + 144) * (64 + 8))
    assert preview.steps_per_epoch == 21
    assert preview.problems == ()


@pytest.mark.parametrize(("optimizer", "kept"), [
    ("sgd", 0), ("momentum", 1), ("adagrad", 1), ("adam", 2), ("adamw", 2), ("rmsprop", 1),
])  # fmt: skip
def test_memory_counts_what_the_optimizer_keeps(previewer: Previewer, optimizer: str, kept: int) -> None:
    memory = some(previewer.compute(from_dict({"optimizer": optimizer})).memory)
    assert memory.optimizer == kept * memory.weights
    assert memory.total == memory.weights * (2 + kept) + memory.data


def test_memory_counts_the_running_mean_and_leaves_out_what_is_frozen(previewer: Previewer) -> None:
    values = {"data": "digits", "training": {"ema": 0.9}}
    memory = some(previewer.compute(from_dict(values)).memory)
    assert memory.mean == memory.weights
    assert memory.total == 4 * memory.weights + memory.data  # weights, gradients, momentum and mean
    frozen = {"name": "zoo", "architecture": "resnet18", "trainable_layers": 1}
    preview = previewer.compute(from_dict({**values, "model": frozen}))
    memory = some(preview.memory)
    assert memory.gradients == 4 * some(preview.model).trainable < memory.weights
    assert memory.optimizer == memory.gradients
    assert memory.mean == memory.weights


def test_every_optimizer_is_counted(previewer: Previewer) -> None:
    trust(OWN)
    for name in choices(FAMILIES["optimizer"]):
        chosen = f"{OWN}:Opt" if name == "python" else name
        assert previewer.compute(from_dict({"optimizer": chosen})).memory is not None


@pytest.mark.parametrize("section", ["loss", "optimizer", "schedule"])
def test_own_code_without_a_file_is_a_problem_at_its_field(previewer: Previewer, section: str) -> None:
    preview = previewer.compute(from_dict({section: "python"}))
    assert [problem.path for problem in preview.problems][:1] == [f"{section}.path"]


def test_rows_on_disk_are_looked_at_as_those_in_memory(load_data: LoadData) -> None:
    data = load_data("iris")
    inputs = instance(torch.Tensor, data.train.inputs).numpy()
    mapped = replace(data, train=replace(data.train, inputs=MappedRows(inputs, np.arange(len(inputs)))))
    assert data_facts(mapped).spreads == data_facts(data).spreads


def test_texts_are_no_columns_of_numbers(tmp_path: Path, load_data: LoadData) -> None:
    for name in ("neg", "pos"):
        (tmp_path / name).mkdir()
        for number in range(8):
            (tmp_path / name / f"{number}.txt").write_text(f"one {name} text")
    (spread,) = data_facts(load_data("text_folder", path=str(tmp_path))).spreads
    assert (spread.name, spread.holds, spread.values) == ("text", "text", "6 ids, up to 3 tokens")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0.25", "0.25"),
        ("0.0964921234", "0.0965"),
        ("-1.2345678901e-05", "-1.2e-5"),
        ("a long word", "a long word"),
    ],
)
def test_a_number_is_not_cut_but_rounded(text: str, shown: str) -> None:
    assert rounded(text, 9) == shown


def test_a_regression_shows_the_spread_of_its_target(previewer: Previewer) -> None:
    facts = some(previewer.compute(from_dict({"data": "diabetes"})).facts)
    assert facts.task == "regression"
    assert sum(n for _, n in facts.balance) == facts.sizes["train"]
    assert facts.balance[0][0] == "25 … 65.1"
    assert facts.samples.shape == (10, 10)


@pytest.mark.parametrize(
    ("values", "path", "fix"),
    [
        ({"data": "wine", "model": "cnn"}, "model.name", "tabular"),
        ({"data": "moons", "model": "cnn"}, "model.name", "mlp"),
        ({"data": "diabetes", "loss": "hinge"}, "loss.name", "mse"),
        ({"data": {"name": "iris", "validation": 0.999}}, "data.validation", "0.1"),
        ({"data": "wine", "training": {"monitor": "r2"}}, "training.monitor", "loss"),
        ({"training": {"device": "cpu", "precision": "tf32"}}, "training.precision", "fp32"),
        ({"data": "wine", "training": {"channels_last": True}}, "training.channels_last", "off"),
        ({"optimizer": "lbfgs", "training": {"clip_norm": 1}}, "training.clip_norm", "0"),
        ({"training": {"device": "cuda:99"}}, "training.device", "auto"),
    ],
)
def test_what_does_not_fit_comes_with_its_fix(
    previewer: Previewer, values: dict[str, Any], path: str, fix: str
) -> None:
    config = from_dict(values)
    (problem,) = previewer.compute(config).problems
    assert (problem.path, problem.fix) == (path, Fix(path, fix))
    assert not problem.message.startswith(path)
    section, _, key = path.partition(".")
    given = {**config.model_dump()[section], key: fix}
    mended = from_dict({**values, section: fix if key == "name" else given})
    assert previewer.compute(mended).problems == ()


def test_data_that_is_not_there_is_not_downloaded(tmp_path: Path) -> None:
    preview = Previewer(tmp_path).compute(from_dict({"data": "mnist"}))
    assert preview.note == "not downloaded yet; Start downloads it"
    assert (preview.facts, preview.problems) == (None, ())
    assert list(tmp_path.iterdir()) == []


def test_a_preview_leaves_the_random_numbers_of_a_training_alone(previewer: Previewer) -> None:
    before = torch.get_rng_state()
    previewer.compute(from_dict({"model": {"hidden": [100], "dropout": 0.5}, "optimizer": "adam"}))
    previewer.compute(from_dict({"model": "cnn"}))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_network_larger_than_any_memory_is_only_counted(previewer: Previewer) -> None:
    preview = previewer.compute(from_dict({"model": {"hidden": [65_536] * 64}}))
    assert some(preview.memory).weights > 10**12


OWN = REPOSITORY / "tests" / "support" / "own_training.py"
NAMES = ["[red]x[/]", "\x1b[31m", "", "猫" * 12, "a" * 40, "b"]


def table(names: Sequence[str] = NAMES, counts: Sequence[int] = (5, 0, 1, 70_000, 3, 2)) -> DataFacts:
    return DataFacts(
        name="t",
        task="multiclass",
        sizes={"train": 70_011, "validation": 0, "test": 3},
        sample=Sample("table", (6,)),
        outputs=len(names),
        own_order="",
        target_facts=TargetFacts("classes", counts),
        feature_names=tuple(names),
        balance=tuple(zip(names, counts, strict=False)),
        samples=np.array([[1.5, -1e-30, 1e30, np.nan, 123456789.0, 0.0]] * 3),
        labels=tuple(names[:3]),
        size=1,
    )


def images(height: int, width: int, n: int = 4) -> DataFacts:
    samples = np.zeros((n, height, width, 3), np.uint8)
    return replace(
        table(), sample=Sample("image", (6,)), samples=samples, labels=("[b]", "", "猫猫猫", "x")[:n]
    )


def signals(channels: int = 5) -> DataFacts:
    samples = np.random.default_rng(0).normal(size=(3, channels, 50))
    names = tuple(f"{NAMES[0]} {at}" for at in range(channels))
    return replace(table(), sample=Sample("signal", (channels, 50)), samples=samples, feature_names=names)


def texts() -> DataFacts:
    samples = np.array([["\x1b[31mred [b]bold[/b] " * 30], [""], ["猫が好き\n" * 40]])
    return replace(
        table(), sample=Sample("text", (9,), vocabulary=5), samples=samples, feature_names=("text",)
    )


MODEL = ModelSummary(tuple(Layer(str(i), "Linear" * 9, (10,) * 9, 10**12) for i in range(60)), 1, 10**9, 1)
DRAWN = {
    "facts": lambda width: draw.facts_lines(table(), width),
    "balance": lambda width: draw.balance(table(), width),
    "one class": lambda width: draw.balance(table(["x"], [0]), width),
    "rows": lambda width: draw.rows(table(), width),
    "pictures": lambda width: draw.pictures(images(28, 28), width),
    "signals": lambda width: draw.samples(signals(), width),
    "texts": lambda width: draw.samples(texts(), width),
    "signal facts": lambda width: draw.facts_lines(signals(), width),
    "wide picture": lambda width: draw.pictures(images(9, 33, 1), width),
    "layers": lambda width: draw.layers(MODEL, width),
    "cost": lambda width: draw.cost(MODEL, Memory(1, 2, 3, 4, 5), width),
}


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("width", [40, 47, 76, 114])
def test_no_line_is_wider_than_its_panel_or_acts_on_the_terminal(name: str, width: int) -> None:
    drawn = DRAWN[name](width)
    assert isinstance(drawn, Content)
    lines = drawn.split("\n")
    assert max(line.cell_length for line in lines) <= width
    assert "\x1b" not in drawn.plain


def test_bars_are_as_long_as_their_share() -> None:
    plain = draw.balance(table(["a", "bb", "c"], [10, 5, 0]), 30).plain.split("\n")
    assert [line.count("█") for line in plain] == [24, 12, 0]
    assert [line.split()[-1] for line in plain] == ["10", "5", "0"]
    many = draw.balance(table([str(at) for at in range(100)], range(100)), 60).plain
    assert many.endswith("… and 76 more classes")


def test_pictures_keep_their_aspect_ratio_and_their_brightness() -> None:
    facts = images(28, 28, 1)
    facts.samples[0, :14] = 255
    picture, name = draw.pictures(facts, 60).plain.rsplit("\n", 1)
    assert picture.split("\n") == ["▀" * 14] * 7
    assert name.strip() == "[b]"
    inks = [span.style for span in draw.pictures(facts, 60).spans[: 14 * 7]]
    tops = [some(instance(Style, ink).foreground).r for ink in inks]
    bottoms = [some(instance(Style, ink).background).r for ink in inks]
    assert tops == [255] * 14 * 4 + [0] * 14 * 3
    assert bottoms == [255] * 14 * 3 + [0] * 14 * 4


def state(values: dict[str, Any], *problems: Problem) -> FormState:
    form = FormState.of(values, None)
    return replace(form, preview=Preview(some(form.nearest), problems=problems))


def test_a_form_is_ready_when_its_fields_are_right_and_fit_together() -> None:
    misfit = Problem("model.name", "cnn takes images", Fix("model.name", "mlp"))
    assert state({}).ready
    unfit = state({}, misfit)
    assert not unfit.ready
    assert unfit.sentence == "Can't start: model.name: cnn takes images"
    assert str(unfit.fix) == "use mlp"
    both = state({"training": {"epochs": 0}}, misfit)
    assert set(both.problems) == {"model.name", "training.epochs"}
    assert both.sentence.startswith("Can't start: training.epochs (and 1 more): got 0, takes")
    stale = replace(both, preview=Preview(from_dict({"data": "wine"}), problems=(misfit,)))
    assert set(stale.problems) == {"training.epochs"}
    assert not stale.previewed


def test_images_that_are_not_decoded_are_left_for_the_start(
    tmp_path: Path, own_data: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = from_dict({"data": {"name": "image_folder", **own_data["image_folder"]}})
    monkeypatch.setattr("core.data.images.decoding_job.MAX_IN_PROCESS", 10)
    assert Previewer(tmp_path).compute(config).note == "not decoded yet; Start decodes the images once"
    monkeypatch.setattr("core.data.images.decoding_job.MAX_IN_PROCESS", 1000)
    assert some(Previewer(tmp_path).compute(config).facts).sizes == {
        "train": 216,
        "validation": 24,
        "test": 60,
    }


def test_a_folder_that_is_not_there_is_a_problem_of_its_field(tmp_path: Path) -> None:
    config = from_dict({"data": {"name": "image_folder", "path": str(tmp_path / "nowhere")}})
    (problem,) = Previewer(tmp_path).compute(config).problems
    assert problem.path == "data.path"
    assert "nowhere" in problem.message


@pytest.mark.parametrize(
    ("values", "path", "fix"),
    [
        ({"schedule": {"warmup": 20}}, "schedule.warmup", "0"),
        ({"optimizer": "lbfgs", "training": {"clip_norm": 1.0}}, "training.clip_norm", "0"),
    ],
)
def test_fields_that_do_not_go_together_are_told_at_one_of_them(
    previewer: Previewer, values: dict[str, Any], path: str, fix: str
) -> None:
    (problem,) = previewer.compute(from_dict(values)).problems
    assert (problem.path, problem.fix) == (path, Fix(path, fix))


def test_no_file_is_no_fix_for_one_that_is_not_there(previewer: Previewer) -> None:
    (problem,) = previewer.compute(from_dict({"data": {"name": "csv", "path": "gone.csv"}})).problems
    assert (problem.path, problem.fix) == ("data.path", None)


def test_several_problems_are_told_at_once_each_at_its_field(previewer: Previewer) -> None:
    values = {
        "data": "wine",
        "schedule": {"warmup": 20},
        "training": {"monitor": "r2", "channels_last": True},
    }
    found = [problem.path for problem in previewer.compute(from_dict(values)).problems]
    assert found == ["schedule.warmup", "training.monitor", "training.channels_last"]


@pytest.mark.parametrize("name", ["Vae", "Gan"])
def test_a_network_with_its_own_step_chooses_epochs_by_its_own_numbers(
    previewer: Previewer, name: str
) -> None:
    file = REPOSITORY / "tests" / "support" / "own_steps.py"
    trust(file)
    values = {"model": {"name": "python", "path": f"{file}:{name}"}, "training": {"monitor": "elbo"}}
    preview = previewer.compute(from_dict(values))
    assert preview.problems == ()
    assert some(preview.model).has_own_step
    (problem,) = previewer.compute(from_dict({**values, "loss": "mse"})).problems
    assert (problem.path, problem.fix) == ("loss.name", Fix("loss.name", "auto"))


def test_a_form_is_not_called_ready_before_its_data_were_looked_at() -> None:
    first = FormState.of({"data": {"name": "iris"}}, None)
    assert first.sentence == "looking at the data …"
    seen = replace(first, preview=Preview(some(first.nearest)))
    assert seen.sentence == "ready"
    typed = FormState.of({"data": {"name": "iris"}, "training": {"epochs": 3}}, seen.preview)
    assert typed.sentence == "ready", "the data are those that were looked at"
    assert FormState.of({"data": {"name": "wine"}}, seen.preview).checking
    assert not FormState.of({"data": {"name": "iris"}, "training": {"epochs": 0}}, None).checking


@pytest.mark.parametrize(
    ("training", "said"),
    [
        ({}, "1,000 in total: 500 epochs, as min steps asks for"),
        ({"epochs": 600}, "1,200 in total"),
        ({"min_steps": 0}, "40 in total"),
    ],
)
def test_the_steps_of_a_small_table_are_those_that_are_trained(
    previewer: Previewer, training: dict[str, Any], said: str
) -> None:
    values = {"data": {"name": "iris"}, "training": {"min_steps": 1000, **training}}
    form = FormState.of(values, previewer.compute(from_dict(values)))
    assert form.sentence == f"ready: 2 steps per epoch, {said}"
