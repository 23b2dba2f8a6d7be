"""The contract of every pluggable class: forms, flags, documentation and search spaces are made from it."""

from collections.abc import Iterator

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from core.config.checkpoints import KeptCheckpoints
from core.config.schema import FAMILIES, TrainConfig
from core.config.training import Training
from core.options import Options, choices, default_of, unit_of
from tui.runtime.hosts.registry import HOSTS

CLASSES: list[type[BaseModel]] = [
    TrainConfig,
    Training,
    KeptCheckpoints,
    *(option for union in FAMILIES.values() for option in choices(union).values()),
    *HOSTS.values(),
]


def fields() -> Iterator[object]:
    for option in CLASSES:
        for key, field in option.model_fields.items():
            if key != "name":
                yield pytest.param(field, id=f"{option.__name__}.{key}")


@pytest.mark.parametrize("field", fields())
def test_every_field_is_described_in_one_sentence(field: FieldInfo) -> None:
    assert field.description
    assert field.description.endswith(".")
    assert "\n" not in field.description


@pytest.mark.parametrize("field", fields())
def test_every_field_has_a_default(field: FieldInfo) -> None:
    assert not field.is_required()
    assert default_of(field) is not None


@pytest.mark.parametrize("option", CLASSES, ids=lambda option: option.__name__)
def test_every_class_says_in_a_line_what_it_is(option: type[Options]) -> None:
    assert option.__doc__
    assert "\n" not in option.__doc__.strip()
    assert option() == option.model_validate(option().model_dump())


@pytest.mark.parametrize("section", FAMILIES)
def test_names_are_unique_and_chosen_by_default(section: str) -> None:
    union = FAMILIES[section]
    members = choices(union)
    assert len({option.__name__ for option in members.values()}) == len(members)
    for name, option in members.items():
        assert option().name == name  # type: ignore[attr-defined]  # of choices
        assert name.replace("_", "").isalnum()
        assert name == name.lower()
    assert TrainConfig.model_fields[section].default.name in members


def test_no_family_lost_a_member_to_an_equal_name() -> None:
    """`choices` is a mapping: two classes of one name would leave one."""
    for union in FAMILIES.values():
        members = union.__origin__.__args__
        assert len(choices(union)) == len(members)


def test_units_are_given_where_numbers_have_one() -> None:
    assert unit_of(Training.model_fields["batch_size"]) == "samples"
    assert unit_of(Training.model_fields["checkpoint_minutes"]) == "minutes"
    assert unit_of(Training.model_fields["device"]) == ""


def test_options_are_frozen_and_closed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Training().epochs = 3  # type: ignore[misc]  # refused, as is shown
    with pytest.raises(ValueError, match="extra"):
        Training(epoch=3)  # type: ignore[call-arg]  # refused, as is shown
