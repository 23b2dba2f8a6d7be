"""Which fields come first, what is found by words, and what is explained."""

import pytest

from core.metrics import METRICS
from tui.forms.form_fields import SECTIONS, FieldSpec, fields_of
from tui.forms.guide.basic import is_shown
from tui.forms.guide.explain import of_field
from tui.forms.guide.find import matching
from tui.forms.guide.meanings import of_metric


def spec_of(path: str, name: str = "") -> FieldSpec:
    section = path.partition(".")[0]
    return next(spec for spec in fields_of(section, name) if spec.path == path)


TRAINING = [*fields_of("optimizer", "momentum"), *fields_of("training")]


@pytest.mark.parametrize(
    ("path", "name", "text", "shown"),
    [
        ("training.epochs", "", "20", True),
        ("training.cuda_graphs", "", "auto", False),
        ("training.cuda_graphs", "", "off", True),
        ("optimizer.lr", "adam", "0.001", True),
        ("optimizer.beta1", "adam", "0.9", False),
        ("model.dropout", "mlp", "0", True),
        ("data.path", "csv", "", True),
        ("data.fold", "csv", "1", False),
        ("checkpoints.every", "", "0", False),
    ],
)
def test_a_form_of_basic_fields_shows_those_and_what_was_changed(
    path: str, name: str, text: str, shown: bool
) -> None:
    assert is_shown(spec_of(path, name), text) is shown


def test_every_section_has_less_than_half_of_the_training_fields_at_first() -> None:
    training = fields_of("training")
    basic = [spec for spec in training if is_shown(spec, spec.default)]
    assert 5 <= len(basic) < len(training) / 2


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("seed", "training.seed"),
        ("early stop", "training.patience"),
        ("bf16", "training.precision"),
        ("LEARN", "optimizer.lr"),
        ("batch_size", "training.batch_size"),
        ("optimizer decay", "optimizer.weight_decay"),
    ],
)
def test_a_field_is_found_by_its_label_its_path_its_choices_or_its_description(
    words: str, first: str
) -> None:
    assert TRAINING[matching(TRAINING, words)[0]].path == first


def test_no_words_find_all_fields_and_unknown_ones_none() -> None:
    assert matching(TRAINING, " ") == [*range(len(TRAINING))]
    assert matching(TRAINING, "xyzzy") == []


def test_a_field_is_explained_with_its_values_and_its_option() -> None:
    rate = of_field(spec_of("optimizer.lr", "adam"), "0.01")
    assert rate.facts == {"now": "0.01", "takes": "> 0", "default": "0.001", "command": "--lr 0.01"}
    hidden = of_field(spec_of("model.hidden", "mlp"), "64, 32")
    assert hidden.facts["command"] == "--set 'model.hidden=[64,32]'"
    assert of_field(spec_of("data.name", "csv"), "csv").choices["csv"].startswith("Your own table")


def test_every_field_and_every_metric_has_an_explanation() -> None:
    for section in SECTIONS:
        for spec in fields_of(
            section,
            "python"
            if section in ("loss", "model", "schedule", "optimizer")
            else "csv" * (section == "data"),
        ):
            told = of_field(spec, spec.default)
            assert told.about or all(told.choices.values()), spec.path
    for metric in METRICS:
        assert "your own" not in of_metric(metric, {}).about.lower(), metric


def test_an_average_of_classes_says_how_it_is_made() -> None:
    told = of_metric("f1_macro", {"value": "0.8", "95 % interval": ""})
    assert told.title == "F1 (macro)"
    assert "Harmonic mean" in told.about
    assert "each counting the same" in told.about
    assert told.facts == {"value": "0.8", "better": "higher", "name": "f1_macro"}
    assert of_metric("elbo", {}).about == "A metric of your own code."
