"""A setting is written in one way, and what is written can be read back."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config.formatting import format_setting


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (1e-5, "1e-5"),
        (2.5e20, "2.5e20"),
        (1.0, "1"),
        (64, "64"),
        (True, "on"),
        (False, "off"),
        ([256, 128], "256, 128"),
        ((0.5, 1.0), "0.5, 1"),
        ([], "none"),
        (None, "–"),
        ("adam", "adam"),
    ],
)
def test_a_setting_as_text(value: object, text: str) -> None:
    assert format_setting(value) == text


def test_digits_shorten_fractions_alone() -> None:
    assert format_setting([0.123456789, 123456789, 1.0], 4) == "0.1235, 123456789, 1"


@settings(derandomize=True, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_digit_of_a_number_is_lost(value: float) -> None:
    assert float(format_setting(value)) == value


def test_on_and_off_are_read_as_what_they_mean() -> None:
    assert yaml.safe_load(f"[{format_setting(True)}, {format_setting(False)}]") == [True, False]
