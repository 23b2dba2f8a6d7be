"""Samples of several inputs in views: one as a picture, the others as texts."""

from typing import Any

import numpy as np
import pytest
import torch

from core.data.dataset import Dataset, Split
from core.data.inputs import FieldName, Fields, InputField
from core.data.sequences import Ragged
from core.data.shown import field_picture, field_texts, picture_field
from tui.forms.data_overview import data_facts


@pytest.mark.parametrize(
    ("shape", "dtype", "shown"),
    [
        ((3, 8, 9), torch.float32, (3, 8, 9)),
        ((8, 9, 3), torch.uint8, (3, 8, 9)),
        ((8, 9), torch.uint8, (1, 8, 9)),
        ((8, 9), torch.float32, None),
        ((2, 8, 9), torch.uint8, None),
        ((3, 8, 9), torch.int64, None),
        ((7,), torch.uint8, None),
    ],
)
def test_pictures_have_their_channels_first(shape: Any, dtype: Any, shown: Any) -> None:
    field = InputField("a", shape, dtype)
    assert (picture_field([InputField("b", (2,), dtype), field]) is field) == (shown is not None)
    if shown is not None:
        values = torch.arange(2 * int(np.prod(shape))).reshape(2, *shape).to(dtype)
        assert field_picture(Fields({"a": values}), field, 1).shape == shown


FIELDS = (
    InputField(
        "image", (1, 4, 4), torch.uint8, torch.tensor(2.0), torch.tensor(3.0), value_range=(0.0, 255.0)
    ),
    InputField("meta", (2,), torch.float32),
    InputField("steps", (9,), torch.int64, is_sequence=True),
)
COLUMNS: dict[FieldName, Any] = {
    "image": torch.arange(32, dtype=torch.uint8).reshape(2, 1, 4, 4),
    "meta": torch.tensor([[0.5, 1.0], [-2.0, 1e6]]),
    "steps": Ragged(torch.arange(11), torch.tensor([0, 2, 11])),
}


def test_texts_are_the_first_values_or_the_range() -> None:
    assert field_texts(Fields(COLUMNS), FIELDS, 0) == ["1×4×4, 0 … 15", "0.5 1", "0 1"]
    assert field_texts(Fields(COLUMNS), FIELDS, 1)[1:] == ["-2 1e+06", "2 3 4 5 6 7 8 9 … (9)"]


def test_the_data_view_shows_each_input_with_what_is_done_to_it() -> None:
    split = Split(Fields(COLUMNS), torch.tensor([0, 1]), np.arange(2))
    zero, one = torch.tensor(0.0), torch.tensor(1.0)
    data = Dataset(
        "own", "other", "binary", split, split, split, ("a", "b"), (), zero, one, (0.0,), (1.0,), (0.0, 1.0),
        fields=FIELDS,
    )  # fmt: skip
    facts = data_facts(data)
    assert facts.feature_names == ("image", "meta", "steps")
    assert [(each.name, each.holds) for each in facts.spreads] == [
        ("image", "1x4x4 uint8"), ("meta", "2 float32"), ("steps", "up to 9 int64"),
    ]  # fmt: skip
    assert facts.spreads[0].values == "0 … 255, standardised"
    assert facts.spreads[2].values.endswith("as they are, int64")
    assert facts.samples[0].tolist() == ["1×4×4, 0 … 15", "0.5 1", "0 1"]
