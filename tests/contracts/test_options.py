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


def fields() -> Iterator[tuple[str, FieldInfo]]:
    """The fields of all classes by the name of the class and their own."""
    for option in CLASSES:
        for key, field in option.model_fields.items():
            if key != "name":
                yield f"{option.__name__}.{key}", field


def test_every_field_is_described_in_one_sentence() -> None:
    found = {name: field.description or "" for name, field in fields()}
    assert len(found) > 300
    assert {name: text for name, text in found.items() if not text.endswith(".") or "\n" in text} == {}


def test_every_field_has_a_default() -> None:
    needed = [name for name, field in fields() if field.is_required() or default_of(field) is None]
    assert needed == []


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
