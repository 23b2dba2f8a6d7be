"""Numbers, dates and missing values as people write them, in several languages."""

import datetime
import sys
from dataclasses import replace
from types import FrameType

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.data.tables.values.dates import moment, order_of
from core.data.tables.values.guess import guess_readings
from core.data.tables.values.missing import is_missing, missing_numbers, missing_texts
from core.data.tables.values.numbers import duration, number
from core.data.tables.values.reading import Reading, Rules, parse

RULES = Rules(missing=("?", "NA", "-"))
EPOCH = datetime.datetime(1970, 1, 1)


def guessed(texts: list[str], *, semicolons: bool = False, rules: Rules = RULES, name: str = "a") -> Reading:
    head = pl.DataFrame({name: texts}, schema={name: pl.String})
    return guess_readings(head, rules, semicolons=semicolons).readings[name]


def test_columns_are_not_queried_one_by_one() -> None:
    """A line of measurements that stands for a table has tens of thousands of columns."""

    def queries(columns: int) -> int:
        """Queries of polars that the readings of so many columns take."""
        count = 0

        def traced(frame: FrameType, event: str, called: object) -> None:
            nonlocal count
            count += event == "c_call" and getattr(called, "__name__", "") == "collect"

        head = pl.DataFrame({f"c{at}": [f"word{at}", f"{at} words", None] for at in range(columns)})
        before = sys.getprofile()
        sys.setprofile(traced)
        try:
            assert len(guess_readings(head, RULES, semicolons=False).readings) == columns
        finally:
            sys.setprofile(before)
        return count

    assert 0 < queries(50) == queries(5)


@pytest.mark.parametrize(
    ("texts", "mixed"),
    [
        (["34%", "0.34", "51%", "1"], True),
        (["34,5 %", "0,34", "-0,2", "51,0 %"], True),
        (["34%", "34.5", "0.5%"], False),
        (["34%", "0", "1", "51%"], False),
        (["0.5%", "0.3", "0.9%"], False),
        (["34%", "NA", "51%"], False),
        (["€34", "0.34", "€51"], False),
    ],
)
def test_parts_of_one_beside_percentages_are_not_guessed(texts: list[str], mixed: bool) -> None:
    head = pl.DataFrame({"rate": texts})
    found = guess_readings(head, RULES, semicolons="," in texts[0])
    assert (found.readings["rate"] == Reading("text")) == mixed
    assert any("data.numbers=[rate] reads both as percent" in note for note in found.notes) == mixed
    told = guess_readings(head, replace(RULES, numbers=("rate",)), semicolons="," in texts[0])
    assert told.readings["rate"].kind == "number"
    assert not any("part of one" in note for note in told.notes)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,234", 1234),
        ("1 234", 1234),
        ("1\u00a0234", 1234),
        ("1\u202f234,0", None),
        ("1'234.5", 1234.5),
        ("1’234", 1234),
        ("12,34,567", 1234567),
        ("−5", -5),
        ("+5", 5),
        ("5-", -5),
        ("1,234.50-", -1234.5),
        ("12.-", 12),
        ("-12.-", -12),
        ("12.–", 12),
        ("12.--", 12),
        ("1'250.-", 1250),
        ("12,-", None),
        ("(1,200)", -1200),
        ("٤٢", 42),
        ("４２．５", 42.5),
        (".5", 0.5),
        ("1,5", None),
        ("0,123", None),
        ("1,23,4", None),
        ("T0", None),
        ("136A", None),
        ("3/4", None),
        ("192.168.0.1", None),
        ("1-2", None),
        ("(5", None),
        ("--5", None),
        ("", None),
    ],
)
def test_plain_and_grouped_numbers(text: str, value: float | None) -> None:
    assert number(text) == value


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1.234,56", "12,5", "1.000"], [1234.56, 12.5, 1000]),
        (["1 234,56", "7,5"], [1234.56, 7.5]),
        (["12%", "7.5 %"], [12, 7.5]),
        (["$3.50", "$1,200.00", "-$4"], [3.5, 1200, -4]),
        (["3,50 €", "1.200,00 €"], [3.5, 1200]),
        (["R$ 1.234,50", "R$ 7,00"], [1234.5, 7]),
        (["¥1,200", "¥3,400"], [1200, 3400]),
        (["CHF 12.–", "CHF 1'250.-", "CHF 7.50"], [12, 1250, 7.5]),
        (["kr 100,-", "kr 1.250,-", "kr 7,50"], [100, 1250, 7.5]),
        (["5,-- €", "-7,-- €"], [5, -7]),
        (["5 kg", "7.25 kg", "9kg"], [5, 7.25, 9]),
        (["1 year", "3 years", "10 years"], [1, 3, 10]),
        (["1.5k", "900", "2M"], [1500, 900, 2e6]),
        (["€110.5M", "€500K"], [110.5e6, 5e5]),
        (["5 m", "7 m"], [5, 7]),
        (["60 km/h", "80 km/h"], [60, 80]),
        (["16:40", "4:05 PM", "23:59"], [60000, 57900, 86340]),
        (["1 days 02:00:00", "0 days 00:30:00"], [93600, 1800]),
        (["PT2H30M", "PT45M"], [9000, 2700]),
    ],
)
def test_a_column_of_numbers_has_one_style(texts: list[str], values: list[float]) -> None:
    how = guessed(texts * 5)
    assert how.kind == "number"
    assert [parse(text, how) for text in texts] == pytest.approx(values)


@pytest.mark.parametrize(
    "texts",
    [
        ["5 kg", "300 g", "2 kg", "20 g"],
        ["$5", "€7", "$9", "€1"],
        ["A/5 21171", "PC 17599", "113803", "373450"],
        ["1st", "2nd", "3rd", "4th"],
        ["yes", "no"],
    ],
)
def test_texts_and_mixed_units_are_no_numbers(texts: list[str]) -> None:
    assert guessed(texts * 5).kind == "text"


def test_points_before_three_digits_are_thousands_only_among_semicolons() -> None:
    texts = ["12.345", "987", "1.234"]
    assert guessed(texts, semicolons=True).format == ","
    assert guessed(texts, semicolons=False).format == ""
    assert guessed(["12.345", "0.987"], semicolons=True).format == ""
    assert guessed(["12.345", "9.87"], semicolons=True).format == ""
    assert guessed(texts, semicolons=True, rules=Rules(missing=(), decimal=".")).format == ""
    assert guessed(["12.345", "-1.234"], semicolons=True).format == ","


@pytest.mark.parametrize("sure", [["1.234,56", "2.000,10"], ["3,5", "4,25"], ["1.200,00 €", "7,00 €"]])
def test_points_before_three_digits_are_thousands_where_another_column_has_decimal_commas(
    sure: list[str],
) -> None:
    head = pl.DataFrame(
        {"sure": sure, "count": ["12.345", "-1.234"], "part": ["1.234", "0.250"], "no": [".", "1"]}
    )
    guess = guess_readings(head, Rules(missing=(".",)), semicolons=False)
    assert {name: how.format for name, how in guess.readings.items()} == dict.fromkeys(head.columns, "") | {
        "sure": ",",
        "count": ",",
    }
    (note,) = guess.notes
    assert note.startswith("count: '12.345' has three digits")
    assert "data.decimal=point" in note
    other = guess_readings(head.with_columns(rate=pl.Series(["0.5", "2.75"])), RULES, semicolons=False)
    assert other.readings["count"].format == ""


def test_an_unclear_decimal_mark_follows_the_other_columns() -> None:
    head = pl.DataFrame({"a": ["1,234", "5,678"], "b": ["1,5", "2,25"]})
    guess = guess_readings(head, RULES, semicolons=False)
    assert guess.readings["a"].format == ","
    assert "data.decimal=point" in guess.notes[0]
    alone = guess_readings(head.select("a"), RULES, semicolons=False)
    assert alone.readings["a"].format == ""
    assert "data.decimal=comma" in alone.notes[0]


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("2021-03-05", "ymd", "2021-03-05"),
        ("2021-03-05T06:07:08.250Z", "ymd", "2021-03-05 06:07:08.25"),
        ("2021-03-05 06:07+02:00", "ymd", "2021-03-05 04:07"),
        ("2021-03-05 06:07:00 UTC", "ymd", "2021-03-05 06:07"),
        ("3/5/2021 4:05 PM", "mdy", "2021-03-05 16:05"),
        ("3/5/2021 12:05 AM", "mdy", "2021-03-05 00:05"),
        ("05.03.2021", "dmy", "2021-03-05"),
        ("5. März 2021", "dmy", "2021-03-05"),
        ("5 de marzo de 2021", "dmy", "2021-03-05"),
        ("5 mars 2021", "dmy", "2021-03-05"),
        ("March 5, 2021", "ymd", "2021-03-05"),
        ("Fri, 5 Mar 2021", "ymd", "2021-03-05"),
        ("05-Mar-21", "dmy yy", "2021-03-05"),
        ("2021年3月5日", "ymd", "2021-03-05"),
        ("20210305", "ymd", "2021-03-05"),
        ("2021-03", "ymd", "2021-03-01"),
        ("Mar 2021", "ymd", "2021-03-01"),
        ("03/2021", "mdy", "2021-03-01"),
        ("2021Q3", "ymd", "2021-07-01"),
        ("10/16/68", "mdy yy", "2068-10-16"),
        ("10/16/69", "mdy yy", "1969-10-16"),
        ("Mon Sep 16 10:11:12 UTC 2019", "ymd", "2019-09-16 10:11:12"),
        ("1600000000", "unix s", "2020-09-13 12:26:40"),
        ("1600000000000", "unix ms", "2020-09-13 12:26:40"),
        ("10/16/22", "mdy", None),
        ("30/02/2021", "dmy", None),
        ("1.2.3", "dmy yy", None),
        ("555-1234", "ymd", None),
        ("2021-13-01", "ymd", None),
        ("Mar-15", "ymd yy", "2015-03-01"),
        ("15-Mar", "ymd yy", None),
        ("15 March", "dmy yy", None),
        ("12", "ymd", None),
    ],
)
def test_dates(text: str, order: str, expected: str | None) -> None:
    wanted = (
        None
        if expected is None
        else (datetime.datetime.fromisoformat(expected) - EPOCH).total_seconds() / 86400
    )
    assert moment(text, order) == (wanted if wanted is None else pytest.approx(wanted, abs=1e-9))


def test_formats_of_earlier_runs_are_understood() -> None:
    assert [order_of(each) for each in ("%d.%m.%Y %H:%M", "%Y-%m-%dT%H:%M:%SZ", "%d %b %Y", "ymd")] == [
        "dmy",
        "ymd",
        "dmy",
        "ymd",
    ]


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (["10/05/2022", "31/05/2022", "01/06/2022"], "dmy"),
        (["10/05/2022", "10/31/2022", "01/06/2022"], "mdy"),
        (["10.05.2022", "01.06.2022"], "dmy"),
        (["14-01-01", "14-01-10", "14-02-03"], "ymd yy"),
        (["10/16/22", "06/13/20"], "mdy yy"),
        (["2022/10/05", "2022/10/06"], "ymd"),
    ],
)
def test_a_column_has_one_order_of_day_and_month(texts: list[str], order: str) -> None:
    assert guessed(texts).format == order


def test_an_unclear_order_is_reported_and_can_be_set() -> None:
    texts = ["10/05/2022", "06/02/2020", "04/12/2021"]
    head = pl.DataFrame({"a": texts})
    guess = guess_readings(head, RULES, semicolons=False)
    assert guess.readings["a"].format == "mdy"
    assert "data.day_first=yes" in guess.notes[0]
    assert guessed(texts, rules=Rules(missing=(), day_first=True)).format == "dmy"


def test_years_of_two_digits_are_reported_with_the_last_date() -> None:
    head = pl.DataFrame({"born": ["10/16/57", "06/13/88"], "met": ["5.3.2021", "7.3.2021"]})
    (note,) = (note for note in guess_readings(head, RULES, semicolons=False).notes if "two digits" in note)
    assert "born ('10/16/57' is in 2057)" in note
    assert "met" not in note


def test_seconds_since_1970_are_dates_by_the_name_of_their_column() -> None:
    seconds = [str(1_600_000_000 + 1000 * at) for at in range(9)]
    assert guessed(seconds, name="created_at") == Reading("date", "unix s")
    assert guessed([text + "000" for text in seconds], name="timestamp") == Reading("date", "unix ms")
    assert guessed(seconds, name="population") == Reading("number")
    assert guessed([str(at) for at in range(9)], name="time") == Reading("number")


def test_whole_numbers_that_are_all_dates_are_dates() -> None:
    assert guessed(["20210305", "20210406", "19991231"]).kind == "date"
    assert guessed(["20210305", "20219906", "19991231"]) == Reading("number")
    assert (
        guessed(["20210305", "20210406", "19991231"], rules=Rules(missing=(), numbers=("a",))).kind
        == "number"
    )


def test_codes_with_leading_zeros_stay_texts() -> None:
    assert guessed(["02139", "10001", "01234"]).kind == "text"
    assert guessed(["02", "11", "01"]).kind == "number"
    assert guessed(["0.25", "0.75"]).kind == "number"
    assert guessed(["02139", "10001"], rules=Rules(missing=(), numbers=("a",))).kind == "number"


def test_missing_values_are_found_in_any_case_and_spelling() -> None:
    texts = missing_texts(("NA", "-999", "Null"))
    assert all(is_missing(text, texts) for text in ("na", " NULL ", "nUlL", "", "-999"))
    assert not is_missing("nap", texts)
    assert missing_numbers(("NA", "-999", "9.5")) == (-999.0, 9.5)


@given(st.floats(-1e12, 1e12).map(lambda value: round(value, 3)))
def test_numbers_written_by_python_are_read_back(value: float) -> None:
    assert number(f"{value:,}") == value
    assert number(f"{value:,}".replace(",", " ")) == value
    german = f"{value:,}".translate(str.maketrans(",.", ".,"))
    assert number(german, ",") == value or "e" in german


@given(
    st.datetimes(datetime.datetime(1000, 1, 1), datetime.datetime(9998, 1, 1)).map(
        lambda at: at.replace(microsecond=0)
    )
)
def test_dates_written_by_python_are_read_back(at: datetime.datetime) -> None:
    days = (at - EPOCH).total_seconds() / 86400
    for pattern, order in (
        ("%Y-%m-%d %H:%M:%S", "ymd"),
        ("%d.%m.%Y %H:%M:%S", "dmy"),
        ("%m/%d/%Y %I:%M:%S %p", "mdy"),
    ):
        assert moment(at.strftime(pattern).rjust(10), order) == pytest.approx(days, abs=1e-8)


@given(st.text(max_size=20))
def test_any_text_is_a_value_or_none(text: str) -> None:
    for value in (number(text), duration(text), moment(text, "dmy yy"), moment(text, "unix s")):
        assert value is None or isinstance(value, float)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2024-01-02T03:04:05[Europe/Berlin]", "2024-01-02 03:04:05"),
        ("2024-01-02T03:04:05+01:00[Europe/Berlin]", "2024-01-02 02:04:05"),
        ("2024-01-02 03:04:05 Europe/Berlin", "2024-01-02 03:04:05"),
        ("2024-01-02 03:04:05 GMT+1", "2024-01-02 02:04:05"),
        ("2024-01-02 03:04:05 UTC-2", "2024-01-02 05:04:05"),
        ("02.01.2024 03.04", "2024-01-02 03:04"),
        ("02.01.2024, 15.04 Uhr", "2024-01-02 15:04"),
        ("02/01/2024 15h04", "2024-01-02 15:04"),
        ("2024-01-02 02.14.33 PM", "2024-01-02 14:14:33"),
        ("02-Jan-2024 02.14.33.000000 PM", "2024-01-02 14:14:33"),
        ("lun. 3 févr. 2024", "2024-02-03"),
        ("mar. 6 févr. 2024", "2024-02-06"),
        ("mar 5 mar 2024", "2024-03-05"),
        ("mar 5 2024", "2024-03-05"),
        ("mié 6 mar 2024", "2024-03-06"),
        ("sex, 1 de mar de 2024", "2024-03-01"),
        ("za 2 mrt 2024", "2024-03-02"),
        ("02.01.2024 г.", "2024-01-02"),
    ],
)
def test_dates_have_zones_points_and_weekdays_of_many_languages(text: str, same: str) -> None:
    assert moment(text, "dmy") == pytest.approx(moment(same, "ymd"), abs=1e-9)


@pytest.mark.parametrize(
    "text", ["1.2.3 4.5", "Mon 05.03.21", "mar mar mar 2024", "5 mar 6 apr", "dom 12.30", "10.20.30.40"]
)
def test_what_only_looks_like_a_date_with_points_is_none(text: str) -> None:
    assert moment(text, "dmy") is None


def test_times_of_day_may_have_points() -> None:
    assert duration("02.14.33 PM") == duration("14:14:33")
    assert duration("02.14.33") is None
