"""Every loss against PyTorch, torchvision, scikit-learn, or its formula written out."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from sklearn import metrics
from sklearn.utils.class_weight import compute_sample_weight
from torch.nn import functional as F
from torchvision.ops import sigmoid_focal_loss

from core.config.schema import from_dict
from core.data.dataset import Dataset
from core.errors import ConfigError
from core.losses.base import TargetFacts
from core.losses.cross_entropy import Bce, CrossEntropy, Focal
from core.losses.hinge import Hinge
from core.losses.own_loss import OwnLoss
from core.losses.regression import L1, Huber, Mse, Poisson, Quantile
from core.losses.weights import balanced_weights, scaled_weights
from core.session.fit import data_problems
from core.tasks.losses import resolve_loss
from tests.support.narrow import some

OUTPUTS = torch.tensor([[2.0, 1.0, -1.0], [0.5, 0.0, 0.2]], dtype=torch.float64)
TARGETS = torch.tensor([0, 2])
COUNTS = [1, 0, 1]
RANDOM = torch.Generator().manual_seed(0)
MANY = torch.randn(60, 3, generator=RANDOM, dtype=torch.float64)
CLASSES = torch.cat([torch.zeros(40), torch.ones(15), torch.full((5,), 2)]).long()
CLASS_LOSSES = [CrossEntropy, Bce, Focal, Hinge]


def of(loss: Any, outputs: torch.Tensor = MANY, targets: torch.Tensor = CLASSES) -> float:
    counts = (
        targets.bincount(minlength=outputs.shape[1]).tolist() if targets.ndim == 1 else [1] * outputs.shape[1]
    )
    return float(loss.build(TargetFacts("classes", counts))(outputs, targets))


# -- classes ---------------------------------------------------------------------------------------------------


def test_cross_entropy_is_minus_the_log_of_the_true_probability() -> None:
    expected = -sum(
        math.log(math.exp(row[true]) / sum(map(math.exp, row)))
        for row, true in zip(OUTPUTS.tolist(), TARGETS.tolist(), strict=True)
    )
    assert of(CrossEntropy(), OUTPUTS, TARGETS) == pytest.approx(expected / 2)
    assert CrossEntropy().scores(OUTPUTS).sum(dim=1).tolist() == pytest.approx([1, 1])


def test_label_smoothing_mixes_in_the_mean_over_all_classes() -> None:
    plain = of(CrossEntropy())
    spread = float(-MANY.log_softmax(dim=1).mean())
    assert of(CrossEntropy(label_smoothing=0.3)) == pytest.approx(0.7 * plain + 0.3 * spread)


def test_bce_of_many_classes_takes_each_against_the_rest() -> None:
    scores = Bce().scores(MANY)
    assert torch.equal(scores, MANY.sigmoid())
    expected = np.mean([metrics.log_loss(c == CLASSES, scores[:, c]) for c in range(3)])
    assert of(Bce()) == pytest.approx(expected)
    many = TargetFacts("classes", [1, 1, 1])
    assert not Bce().gives_probabilities(many), "sigmoids of many classes do not sum to one"
    assert Bce().gives_probabilities(TargetFacts("classes", [1, 1]))


def test_bce_of_two_classes_is_that_of_the_difference() -> None:
    outputs, targets = MANY[:, :2], CLASSES.clamp(max=1)
    positive = (outputs[:, 1] - outputs[:, 0]).sigmoid()
    assert of(Bce(), outputs, targets) == pytest.approx(metrics.log_loss(targets, positive))
    assert torch.allclose(Bce().scores(outputs), torch.stack([1 - positive, positive], dim=1))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_of_two_classes_is_torchvisions(gamma: float) -> None:
    outputs, targets = MANY[:, :2], CLASSES.clamp(max=1)
    difference = outputs[:, 1] - outputs[:, 0]
    expected = sigmoid_focal_loss(difference, targets.double(), alpha=-1, gamma=gamma, reduction="mean")
    assert of(Focal(gamma=gamma), outputs, targets) == pytest.approx(float(expected))


def test_focal_of_many_classes_follows_its_formula() -> None:
    true = MANY.softmax(dim=1)[torch.arange(60), CLASSES]
    assert of(Focal(gamma=2)) == pytest.approx(float((-((1 - true) ** 2) * true.log()).mean()))
    assert of(Focal(gamma=0)) == pytest.approx(of(CrossEntropy()))


def test_focal_has_a_finite_gradient_where_the_answer_is_certain() -> None:
    outputs = torch.tensor([[200.0, -200.0, 0.0]], requires_grad=True)
    Focal(gamma=0.5).build(TargetFacts("classes", [1, 1, 1]))(outputs, torch.tensor([0])).backward()
    assert outputs.grad is not None
    assert outputs.grad.isfinite().all()


@pytest.mark.parametrize("margin", [1.0, 2.5])
@pytest.mark.parametrize("power", [1, 2])
def test_hinge_sums_what_wrong_classes_lack_of_the_margin(margin: float, power: int) -> None:
    expected = sum(
        max(0.0, margin - row[true] + row[wrong]) ** power
        for row, true in zip(OUTPUTS.tolist(), TARGETS.tolist(), strict=True)
        for wrong in range(3)
        if wrong != true
    )
    loss = Hinge(margin=margin, power=power)
    assert of(loss, OUTPUTS, TARGETS) == pytest.approx(expected / 3 / 2), "the mean over classes and samples"


def test_crammer_singer_hinge_is_scikit_learns() -> None:
    loss = Hinge(variant="crammer_singer")
    assert of(loss) == pytest.approx(metrics.hinge_loss(CLASSES, MANY, labels=[0, 1, 2]))
    two = MANY[:, :2]
    difference = two[:, 1] - two[:, 0]
    assert of(loss, two, CLASSES.clamp(max=1)) == pytest.approx(
        metrics.hinge_loss(CLASSES.clamp(max=1), difference)
    )


def test_crammer_singer_hinge_has_a_margin_and_a_power() -> None:
    loss = Hinge(variant="crammer_singer", margin=2.5, power=2)
    lacks = [2.5 - 2.0 + 1.0, 2.5 - 0.2 + 0.5]
    assert of(loss, OUTPUTS, TARGETS) == pytest.approx(sum(lack**2 for lack in lacks) / 2)


def test_mse_of_classes_is_against_one_hot_targets() -> None:
    expected = ((OUTPUTS - torch.tensor([[1.0, 0, 0], [0, 0, 1]])) ** 2).mean()
    assert of(Mse(), OUTPUTS, TARGETS) == pytest.approx(float(expected))
    assert torch.equal(Mse().scores(OUTPUTS), OUTPUTS)


# -- weights of classes, and targets that are shares -----------------------------------------------------------


@pytest.mark.parametrize("loss", CLASS_LOSSES)
def test_balanced_weights_are_scikit_learns(loss: Any) -> None:
    each = compute_sample_weight("balanced", CLASSES.numpy())
    alone = [of(loss(), MANY[[row]], CLASSES[[row]]) for row in range(60)]
    assert of(loss(class_weights="balanced")) == pytest.approx(np.mean(each * alone))


def test_balanced_cross_entropy_is_pytorchs_over_the_training_samples() -> None:
    weights = torch.tensor(balanced_weights([40, 15, 5]), dtype=torch.float64)
    assert of(CrossEntropy(class_weights="balanced")) == pytest.approx(
        float(F.cross_entropy(MANY, CLASSES, weight=weights))
    )


def test_weighted_batches_add_up_to_the_whole() -> None:
    loss = CrossEntropy(class_weights="balanced").build(TargetFacts("classes", [40, 15, 5]))
    parts = zip(MANY.split(20), CLASSES.split(20), strict=True)
    assert float(loss(MANY, CLASSES)) == pytest.approx(np.mean([float(loss(*part)) for part in parts]))


def test_a_class_without_samples_does_not_count() -> None:
    assert balanced_weights([30, 0, 10]) == pytest.approx([40 / 60, 1, 40 / 20])


def test_counts_of_classes_are_those_of_the_training_split(load_data: Any) -> None:
    data: Dataset = load_data("wine")
    assert data.class_counts == np.bincount(data.train.targets).tolist()
    assert sum(data.class_counts) == len(data.train)
    assert load_data("diabetes").class_counts == []


@pytest.mark.parametrize(
    "loss",
    [CrossEntropy(), CrossEntropy(label_smoothing=0.1), Bce(), Focal(), Mse()],
    ids=lambda loss: loss.name,
)
def test_one_hot_shares_are_the_class_itself(loss: Any) -> None:
    assert loss.soft_targets
    assert of(loss, targets=F.one_hot(CLASSES).double()) == pytest.approx(of(loss))
    binary = F.one_hot(CLASSES.clamp(max=1)).double()
    assert of(loss, MANY[:, :2], binary) == pytest.approx(of(loss, MANY[:, :2], CLASSES.clamp(max=1)))


@pytest.mark.parametrize("loss", [CrossEntropy(), Bce(), Focal(gamma=0)], ids=lambda loss: loss.name)
def test_mixed_shares_mix_the_losses_of_their_classes(loss: Any) -> None:
    first, second = F.one_hot(CLASSES, 3).double(), F.one_hot(2 - CLASSES, 3).double()
    mixed = 0.3 * of(loss, targets=first) + 0.7 * of(loss, targets=second)
    assert of(loss, targets=0.3 * first + 0.7 * second) == pytest.approx(mixed)


def test_shares_weigh_as_their_classes() -> None:
    loss = CrossEntropy(class_weights="balanced").build(TargetFacts("classes", [40, 15, 5]))
    plain = CrossEntropy().build(TargetFacts("classes", []))
    weights = balanced_weights([40, 15, 5])
    shares = torch.tensor([[0.25, 0.0, 0.75]])
    outputs = MANY[:1].float()
    expected = (0.25 * weights[0] + 0.75 * weights[2]) * float(plain(outputs, shares))
    assert float(loss(outputs, shares)) == pytest.approx(expected)


def test_given_weights_are_scaled_to_a_mean_of_1() -> None:
    assert scaled_weights([1, 4], [30, 10]) == pytest.approx([4 / 7, 16 / 7])
    assert scaled_weights([2, 1], [0, 0]) == [2, 1]
    weighted = CrossEntropy(class_weights=(1, 4)).build(TargetFacts("classes", [30, 10]))
    outputs, targets = torch.randn(40, 2, dtype=torch.float64), torch.tensor([0] * 30 + [1] * 10)
    theirs = F.cross_entropy(outputs, targets, torch.tensor([1.0, 4.0], dtype=torch.float64))
    assert float(weighted(outputs, targets)) == pytest.approx(float(theirs)), "over all samples, as PyTorch's"


@pytest.mark.parametrize("shares", [False, True])
def test_smoothed_labels_are_weighted_as_pytorchs(shares: bool) -> None:
    counts = torch.bincount(CLASSES).tolist()
    loss = CrossEntropy(class_weights=(1, 2, 4), label_smoothing=0.2).build(TargetFacts("classes", counts))
    weights = torch.tensor(scaled_weights([1, 2, 4], counts), dtype=MANY.dtype)
    targets = F.one_hot(CLASSES).to(MANY.dtype) if shares else CLASSES
    theirs = F.cross_entropy(MANY, targets, weights, label_smoothing=0.2, reduction="none").mean()
    assert float(loss(MANY, targets)) == pytest.approx(float(theirs))


@pytest.mark.parametrize(
    ("weights", "told"), [((1, 2), "2 weights for 3 classes"), ((0, 0, 0), "no weight above 0")]
)
def test_weights_must_fit_the_classes(weights: Any, told: str, load_data: Any) -> None:
    config = from_dict({"loss": {"name": "focal", "class_weights": weights}})
    problems = [str(problem) for problem in data_problems(config, load_data("wine"))]
    assert problems == [
        f"loss.class_weights: got {told}. Give one for each class, in the order of the classes, or balanced"
    ]


# -- numbers ---------------------------------------------------------------------------------------------------

ERRORS = torch.tensor([[0.5], [-1.0], [3.0]])


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (Mse(), (0.25 + 1 + 9) / 3),
        (L1(), (0.5 + 1 + 3) / 3),
        (Huber(), (0.125 + 0.5 + 2.5) / 3),
        (Huber(delta=2), (0.125 + 0.5 + 2 * (3 - 1)) / 3),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_losses_of_numbers(loss: Any, expected: float) -> None:
    targets = torch.tensor([[7.0], [8.0], [9.0]])
    assert float(loss.build(TargetFacts("numbers", []))(targets + ERRORS, targets)) == pytest.approx(expected)


def test_the_quantile_is_where_the_pinball_is_lowest() -> None:
    values = torch.randn(1001, 1, generator=torch.Generator().manual_seed(0))
    loss = Quantile(quantile=0.9).build(TargetFacts("numbers"))
    losses = [float(loss(guess.expand(1001, 1), values)) for guess in values]
    assert float(values[int(np.argmin(losses))]) == pytest.approx(float(values.quantile(0.9)))


def test_poisson_expects_the_mean_times_exp_of_the_output() -> None:
    counts = torch.poisson(torch.full((500, 1), 7.0), generator=torch.Generator().manual_seed(0))
    facts = TargetFacts("numbers", mean=(float(counts.mean()),), std=(float(counts.std()),))
    standard = (counts - facts.mean[0]) / facts.std[0]
    output = torch.full((1, 1), 0.3, requires_grad=True)
    Poisson().build(facts)(output.expand(500, 1), standard).backward()
    assert float(some(output.grad)) == pytest.approx(float(torch.tensor(0.3).exp()) - 1, rel=1e-4)
    expected = Poisson().scorer(facts).scores(output.detach()) * facts.std[0] + facts.mean[0]
    assert float(expected) == pytest.approx(facts.mean[0] * float(torch.tensor(0.3).exp()), rel=1e-5)
    assert Poisson().scorer(facts).converts


def test_poisson_refuses_numbers_below_0() -> None:
    with pytest.raises(ConfigError, match="takes counts, but the target goes down to -2"):
        Poisson().check(TargetFacts("numbers", lowest=-2.0))


# -- which fits ------------------------------------------------------------------------------------------------


def test_auto_takes_what_is_usual() -> None:
    auto = from_dict({}).loss
    assert resolve_loss(auto, "binary") == resolve_loss(auto, "multiclass") == CrossEntropy()
    assert resolve_loss(auto, "regression") == Mse()


def test_a_loss_that_does_not_fit_names_those_that_do() -> None:
    with pytest.raises(
        ConfigError,
        match=r"the hinge loss does not work for numbers\. Losses that fit: .*l1, huber, quantile, poisson, python$",
    ):
        resolve_loss(Hinge(), "regression")
    with pytest.raises(ConfigError, match="the l1 loss does not work for classes"):
        resolve_loss(L1(), "binary")


@pytest.mark.parametrize(
    "values",
    [
        {"name": "bce", "class_weights": "balanced"},
        {"name": "focal"},
        {"name": "hinge", "variant": "crammer_singer", "power": 2},
    ],
    ids=lambda values: values["name"],
)
def test_runs_learn_with_it_and_are_evaluated(values: dict[str, Any], train_run: Any) -> None:
    trained = train_run({"data": "breast_cancer", "model": "mlp", "loss": values, "training": {"epochs": 8}})
    from core.events import EvaluationFinished

    test = trained.told(EvaluationFinished)[-1].metrics
    assert test["accuracy"] > 0.9
    assert (test["log_loss"] is None) == (values["name"] == "hinge")


# -- weights of samples ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "loss",
    [
        *(CrossEntropy(), CrossEntropy(label_smoothing=0.1), CrossEntropy(class_weights=(1, 4, 2))),
        *(CrossEntropy(label_smoothing=0.1, class_weights="balanced"), Bce(), Focal(), Hinge(), Mse()),
    ],
    ids=str,
)
def test_samples_of_weight_two_count_as_if_they_were_there_twice(loss: Any) -> None:
    facts = TargetFacts("classes", class_counts=[3, 5, 4])
    outputs = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    targets = torch.tensor([0, 1, 2, 2, 1, 0])
    rows = torch.tensor([0, 0, 1, 2, 2, 4])
    weights = torch.tensor([2.0, 1, 2, 0, 1, 0])
    once = loss.build(facts)(outputs[rows], targets[rows])
    assert loss.weighted(facts)(outputs, targets, weights) == pytest.approx(float(once), rel=1e-5)


@pytest.mark.parametrize("loss", [Mse(), L1(), Huber(), Quantile(quantile=0.9), Poisson()], ids=str)
def test_numbers_of_weight_two_count_as_if_they_were_there_twice(loss: Any) -> None:
    facts = TargetFacts("numbers", mean=(4.0,), std=(2.0,))
    outputs, targets = torch.randn(2, 5, 1, generator=torch.Generator().manual_seed(0))
    rows, weights = torch.tensor([1, 1, 3]), torch.tensor([0.0, 2, 0, 1, 0])
    once = loss.build(facts)(outputs[rows], targets[rows])
    assert loss.weighted(facts)(outputs, targets, weights) == pytest.approx(float(once), rel=1e-5)


def test_a_batch_without_weight_has_no_loss_and_no_gradient() -> None:
    outputs = torch.zeros(2, 3, requires_grad=True)
    loss = CrossEntropy().weighted(TargetFacts("classes", class_counts=[1, 1, 1]))
    value = loss(outputs, torch.tensor([0, 1]), torch.zeros(2))
    value.backward()
    assert value.item() == 0
    assert not some(outputs.grad).any()


def test_an_own_loss_gives_one_number_a_sample_where_samples_have_weights() -> None:
    each = OwnLoss(lambda outputs, targets: (outputs - targets) ** 2, "a.py:f", "auto", "numbers")
    outputs, targets, weights = torch.ones(3, 1), torch.zeros(3, 1), torch.tensor([1.0, 2, 3])
    assert each(outputs, targets, weights) == 1
    mean = OwnLoss(lambda outputs, targets: (outputs - targets).mean(), "a.py:f", "auto", "numbers")
    with pytest.raises(
        ConfigError, match=r"a\.py:f returned a single number for a batch whose samples have weights"
    ):
        mean(outputs, targets, weights)
