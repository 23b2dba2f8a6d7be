import math
import unicodedata
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.terminal.text import bytes_, clean, count, duration, fit, number, percent, setting, si, waiting

HARD = "\x00\x1b\x07\n\r\t\x7f\x9b\x85\xad\u061c\u200b\u200d\u202e\u2028\u2066\ufe0f\ufeff\udc80"
WIDE = "日本語犬👩👩🏽한ｱ한국∅é\u0301\u0903\u0e33"
texts = st.text(alphabet=st.one_of(st.characters(exclude_categories=()), st.sampled_from(HARD + WIDE)))


@settings(derandomize=True, max_examples=300)
@given(texts)
def test_clean_text_never_holds_a_character_that_acts_on_the_terminal(text: str) -> None:
    shown = clean(text)
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert clean(shown) == shown
    shown.encode()


@settings(derandomize=True, max_examples=300)
@given(texts, st.integers(0, 30), st.sampled_from("<^>"), st.sampled_from(["", "∅"]))
def test_fitted_text_takes_exactly_its_cells(
    text: str, width: int, align: Literal["<", "^", ">"], empty: str
) -> None:
    shown = fit(text, width, align=align, empty=empty)
    assert cell_len(shown) == width
    assert sum(map(cell_len, shown)) == width, "no character changes the width of another"
    assert clean(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cat", "cat"),
        ("[red]x[/]", "[red]x[/]"),
        ("a\x1b[31mb", "a␛[31mb"),
        ("two\nlines\tand a tab", "two⏎lines⇥and a tab"),
        ("\x9b2J\x7f", "\\x9b2J␡"),
        ("user\u202egnp.exe", "user\\u202egnp.exe"),
        ("👩\u200d🔬", "👩🔬"),
        ("می\u200cخواهم", "میخواهم"),
        ("a\u200db", "a\\u200db"),
        ("\u200d🔬", "\\u200d🔬"),
        ("❤\ufe0f", "❤"),
        ("caf\udce9", "caf\\xe9"),
        ("\u0301", "◌\u0301"),
    ],
)
def test_what_acts_on_the_terminal_is_shown(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("truck", 8, "truck   "),
        ("automobile", 6, "autom…"),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日… "),
        ("e\u0301te\u0301", 2, "e\u0301…"),
        ("word", 1, "…"),
        ("word", 0, ""),
        ("word", -3, ""),
    ],
)
def test_long_text_is_cut_with_an_ellipsis(text: str, width: int, shown: str) -> None:
    assert fit(text, width) == shown


def test_empty_text_is_marked_only_where_asked() -> None:
    assert fit("", 3) == "   "
    assert fit("", 3, empty="∅") == "∅  "
    assert fit("  ", 3, align=">", empty="∅") == "  ∅"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.25731, "0.2573"),
        (2.302585, "2.3026"),
        (12.3034, "12.303"),
        (99.9996, "100.00"),
        (123456.4, "123456"),
        (1234567.0, "1.23e6"),
        (9.996e9, "1.0e10"),
        (0.0012, "0.0012"),
        (0.00012, "1.2e-4"),
        (-0.5, "-0.5000"),
        (0.0, "0.0000"),
        (-0.0, "0.0000"),
        (20, "20"),
        (12345678, "1.23e7"),
        (0.99996, "0.9999"),
        (1.00001, "1.0001"),
        (-0.999999, "-0.9999"),
        (1.0, "1.0000"),
        (5.9e-8, "5.9e-8"),
        (None, "–"),
        (math.nan, "NaN"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
    ],
)
def test_numbers_as_metrics(value: float | None, shown: str) -> None:
    assert number(value) == shown


@pytest.mark.slow
@settings(derandomize=True, max_examples=300)
@given(st.one_of(st.floats(0, 1e300), st.floats(0, 1e7)), st.integers(4, 9))
def test_a_number_keeps_its_place_and_its_value(value: float, digits: int) -> None:
    shown = number(value, digits)
    assert len(shown) <= digits + 2
    assert float(shown) == pytest.approx(value, rel=0.5, abs=5e-324)


def test_settings() -> None:
    values: tuple[Any, ...] = (0.01, 0.123456789, [256, 128], [], None, "a\x1b", True)
    shown = ["0.01", "0.123457", "256, 128", "none", "–", "a␛", "on"]
    assert [setting(value) for value in values] == shown


def test_durations() -> None:
    seconds = [0, 42, 59.6, 3800, 3 * 86400 + 4 * 3600, None, math.nan, -1]
    assert [duration(s) for s in seconds] == [
        "0:00", "0:42", "1:00", "1:03:20", "3 d 4:00", "–", "–", "0:00",
    ]  # fmt: skip


def test_waiting_for_data_is_said_from_a_tenth_of_the_time_on() -> None:
    assert [waiting(share) for share in (0.0, 0.1, 0.371, 1.0)] == [
        "", "", "waiting for data 37 %", "waiting for data 100 %",
    ]  # fmt: skip


def test_counts_with_and_without_prefix() -> None:
    assert count(54000) == "54,000"
    numbers = [0, 950, 999.6, 12_100, 168_000, 999_950, 1_234_567, 3e9, 0.354, -12_100]
    assert [si(n) for n in numbers] == [
        "0", "950", "1k", "12.1k", "168k", "1M", "1.23M", "3G", "0.354", "-12.1k",
    ]  # fmt: skip
    assert [bytes_(n) for n in (512, 1536, 80 * 2**30)] == ["512 B", "1.5 KiB", "80 GiB"]


@pytest.mark.parametrize(
    ("share", "decimals", "shown"),
    [
        (0.97364, 2, "97.36"),
        (1.0, 2, "100"),
        (0.99999, 1, "99.9"),
        (0.00001, 1, "<0.1"),
        (0.0, 1, "0"),
        (None, 1, "–"),
        (math.nan, 1, "–"),
    ],
)
def test_rounding_never_makes_some_into_all_or_none(share: float | None, decimals: int, shown: str) -> None:
    assert percent(share, decimals) == shown
