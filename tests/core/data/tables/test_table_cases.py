"""Files as people have them, one of each kind, in `cases`: each is read right, or refused with a way out."""

from pathlib import Path
from typing import Any

import pytest
import torch

from core.config import schema as configuration
from core.data.dataset import Dataset
from core.data.registry import load
from core.data.tables.targets.choose import TargetUnclear
from core.errors import DataError
from core.remedies import parts
from tests.support.narrow import instance

CASES = Path(__file__).parent / "cases"
INCOME = {"income": "1150.61 … 97865.1"}
WHOLE = {"income": "1151 … 97865"}
"""The same incomes as whole numbers."""


def loaded(name: str, **fields: Any) -> Dataset:
    data = configuration.merge({"data": str(CASES / name)}, {"data": fields} if fields else {})
    return load(configuration.from_dict(data).data)


def ranges(data: Dataset) -> dict[str, str]:
    """Smallest and largest value of each column."""
    assert data.table is not None
    return {column.name: f"{column.low} … {column.high}" for column in data.table.summaries if column.low}


NUMBERS = {
    "a02_semicolon_thousands_dot.csv": (INCOME, "numbers have decimal commas: income"),
    "a02b_semicolon_thousands_dot_whole.csv": (
        {"income": "1150 … 97865"},
        "data.decimal=point says otherwise",
    ),
    "a03b_comma_quoted_decimalcomma.csv": (INCOME, "decimal commas"),
    "a03c_pipe_decimalcomma.csv": (INCOME, "decimal commas"),
    "a04b_thousands_few.csv": ({"income": "8 … 82698"}, "income 8 ("),
    "a04c_thousands_target.csv": ({"price": "1151 … 97865"}, "target: price (by its name), numbers"),
    "a04d_thousands_space.csv": (WHOLE, "income 120 ('42 023' is 42023)"),
    "a04e_thousands_nbsp.csv": (WHOLE, "income 120 ("),
    "a04f_thousands_swiss.csv": (WHOLE, "income 120 ("),
    "a04g_thousands_repeated.csv": ({"price": "207000 … 3.194e+06"}, "price 800 ('2,751,000' is 2751000)"),
    "a05_percent.csv": ({"rate": "1.2 … 97.9"}, "rate 120 ("),
    "a06_dollar.csv": (INCOME, "income 120 ("),
    "a06c_euro_after.csv": (INCOME, "decimal commas"),
    "a06d_accounting_negative.csv": ({"income": "-95681.4 … 97865.1"}, "('(42023.43)' is -42023.43)"),
    "a06h_k_suffix.csv": ({"income": "1200 … 97900"}, "('42.0K' is 42000)"),
    "a06i_plus_sign.csv": (INCOME, "columns: 2 of numbers"),
    "f01b_infinity_many.csv": (INCOME, "income: 15 of 120 values are not numbers"),
    "f09_arabic_digits.csv": ({"income": "1150 … 97865"}, "income 120 ("),
    "f11b_missing_words_many.csv": (INCOME, "'unknown' 4 times"),
    "f16_fullwidth.csv": ({"income": "1150 … 97865"}, "income 120 ("),
    "f19_missing_NuLL.csv": (INCOME, "imputed 10 missing values"),
    "g07_unbalanced_quote.csv": ({"size": "0 … 8"}, "size: 1 of 120 values are not numbers"),
}
DATES = {
    "b04_date_mdy_all_ambiguous.csv": ({"signup": "2019-01-01 … 2022-10-09"}, "data.day_first=yes"),
    "b05_date_short_year.csv": ({"signup": "2019-01-08 … 2022-10-16"}, "month-day-year"),
    "b09_date_compact.csv": ({"signup": "2019-01-08 … 2022-10-16"}, "signup: read as dates"),
    "b11_date_ampm.csv": ({"signup": "2019-01-08 09:01 … 2022-10-16 05:10"}, "month-day-year"),
    "b12_time_hhmm.csv": ({"signup": "240 … 85680"}, "('16:40' is 60000 seconds)"),
    "b13_duration.csv": ({"signup": "3721.5 … 112352"}, "('16:10:16.5' is 58216.5 seconds)"),
    "b14_year_month.csv": ({"signup": "2019-01-01 … 2022-10-01"}, "year-month-day"),
    "b20_date_python_str.csv": ({"signup": "2019-01-08 … 2022-10-16"}, "year-month-day"),
    "b22_year_month_single_feature.csv": ({"Month": "1960-01-01 … 1969-12-01"}, "target: Sales"),
    "b25_excel_serial_dates.csv": ({"date": "43473 … 44850"}, "columns: 2 of numbers"),
    "b26_time_only_target_note.csv": ({"pickup": "0 … 86340"}, "read as times"),
    "b27_year_first_short.csv": ({"date": "2014-01-01 … 2016-12-07"}, "read with the year first"),
    "e16_unnamed_dates_only.csv": ({"column_1": "2021-01-01 … 2021-04-30"}, "target: sales"),
}
SHAPES = {
    "d01b_trailing_empty_columns_no_usual_name.csv": (INCOME, "target: bought"),
    "d01c_header_trailing_comma.csv": (INCOME, "target: bought"),
    "d03_title_line.csv": (INCOME, "left out line above the table: 'Customer report 2021'"),
    "d03b_title_line_padded.csv": (INCOME, "left out line above the table"),
    "d03c_title_and_blank.csv": (INCOME, "left out line above the table"),
    "d04b_footer_source.csv": (INCOME, "left out 1 line below the table, from line 123: 'Source: invented'"),
    "d05_comment_hash.csv": (INCOME, "left out 2 lines above the table: '# made by hand'"),
    "d05c_header_hash.csv": (INCOME | {"#age": "20 … 80"}, "columns: 2 of numbers"),
    "d06_duplicate_rows.csv": ({"age": "20 … 78"}, "2 of numbers; 2 features"),
    "d09_units_row.csv": (INCOME, "left out line 2, a second header: 'years, USD'"),
    "d15_headerless.csv": ({"column_2": "1150.61 … 97865.1"}, "data.header=yes takes it for names"),
    "h04_cp1252.csv": ({"age": "20 … 80"}, "read as cp1252"),
    "h05b_utf16le_nobom.csv": ({"age": "20 … 80"}, "read as utf-16-le"),
    "h05c_utf16_tab_excel_unicode.txt": ({"age": "20 … 80"}, "5 features"),
    "h08_ctrl_z.csv": ({"age": "20 … 80"}, "5 features"),
    "h09_cp1251.csv": ({"age": "20 … 80"}, "read as cp1251"),
    "h10_big5.csv": ({"age": "20 … 80"}, "read as big5"),
    "j01_name (1).csv": (INCOME, "target: target"),
    "j08_no_ending": (INCOME, "target: target"),
    "j10_data.data": (INCOME, "target: target"),
    "j11_blank_separated.txt": (INCOME, "target: target"),
    "j11b_blank_separated.csv": (INCOME, "target: target"),
    "j12_fixed_width.csv": (INCOME, "target: target"),
    "j13_uci.data": ({"column_2": "1150.61 … 97865.1"}, "target: column_4"),
    "k04_table.csv.zip": (INCOME, "target: target"),
    "k09_records.json": (INCOME, "target: target"),
    "k11_table.svm": ({"x2": "1150.61 … 97865.1", "target": "-1 … 1"}, "2 classes"),
    "k13_table.sqlite": (INCOME, "target: target"),
    "k15_table.arrow": ({"income": "72.3273 … 9880.72"}, "target: target"),
    "n09_dictionary.parquet": ({"age": "18 … 79"}, "4 features"),
    "n12_uint64.parquet": (
        {"age": "18 … 79"},
        "left out big: the same value in all training rows; values so large",
    ),
    "n17_pandas_filtered_index.parquet": (
        {"age": "22 … 79"},
        "left out __index_level_0__: another number in each row",
    ),
    "n18_hf_image.parquet": (
        {"age": "18 … 79"},
        "left out image: it holds images as Hugging Face keeps them",
    ),
    "n19_text_label.parquet": ({"age": "18 … 79"}, "left out text: 57 different texts"),
}
COLUMNS = {
    "c05_1_0.csv": ({"member": "0 … 1"}, "2 classes"),
    "c06_mixed_case_truth.csv": ({"age": "20 … 80"}, "alone are kept apart: No, Yes, no, yes"),
    "e01_zip_leading_zero.csv": ({"age": "20 … 80"}, "zip: codes such as '02139' stay texts"),
    "e05_kaggle_titanic_like.csv": ({"Pclass": "1 … 3"}, "target: Survived (by its name), 2 classes"),
    "e06_id_last.csv": (INCOME, "target: churn (by its name), 2 classes"),
    "e07_label_first.csv": (INCOME, "target: species (by its name), 3 classes"),
    "e09_index_1000.csv": (INCOME, "left out ID: another number in each row"),
    "f06b_less_than_many.csv": ({"age": "20 … 80"}, "income is mixed: 102 of 120 values are numbers"),
    "f14_fraction.csv": ({"age": "20 … 80"}, "1 of categories"),
    "f15_lists.csv": ({"age": "20 … 80"}, "such as '["),
    "g17b_diamonds_like.csv": ({"price": "1150 … 97865"}, "target: price (by its name), numbers, regression"),
    "i04_digit_classes_26.csv": ({"letter_code": "0 … 25"}, "data.task=classification reads classes"),
    "i06_count_0_15.csv": ({"visits": "0 … 15"}, "numbers, regression"),
    "i07_age_target_small_range.csv": ({"years": "20 … 38"}, "numbers, regression"),
    "i09_half_steps.csv": ({"stars": "1 … 5"}, "numbers, regression"),
    "i16_tiny_numbers.csv": ({"value": "2.01e-29 … 8.01e-29"}, "numbers, regression"),
    "i18_tiny_table_5_rows.csv": ({"age": "27 … 78"}, "2 classes"),
    "i19_ordinal_texts.csv": ({"x1": "20 … 80"}, "3 classes"),
    "i20_target_percent_few.csv": ({"rate": "20 … 80"}, "numbers, regression"),
    "i22_kaggle_test_no_target.csv": ({"age": "20 … 80"}, "target: income"),
    "i23_time_series.csv": ({"sales": "100 … 396"}, "target: sales"),
    "i24_lag_series.csv": ({"y": "100.531 … 219.85"}, "target: y"),
    "i26_small_3_classes_30_rows.csv": ({"x1": "20 … 78"}, "validation has no row of"),
}
READ = NUMBERS | DATES | SHAPES | COLUMNS


@pytest.mark.parametrize("name", READ)
def test_a_file_is_read_to_its_values_and_reported(name: str) -> None:
    expected, note = READ[name]
    data = loaded(name)
    assert expected.items() <= ranges(data).items()
    assert note in "\n".join(data.notes)
    assert instance(torch.Tensor, data.train.inputs).isfinite().all()


def test_a_workbook_is_read() -> None:
    pytest.importorskip("fastexcel")
    assert ranges(loaded("k16_table.xlsx"))["income"] == "72.3273 … 9880.72"


REFUSED = {
    "c07_class_none.csv": (
        {"target": "allergy"},
        "allergy holds 'None' in 40 rows, which counts as missing but may be a",
    ),
    "c08_class_NA.csv": ({"target": "region"}, "region holds 'NA' in 40 rows"),
    "c09_class_dash.csv": ({"target": "sign"}, "sign holds '-' in 76 rows"),
    "c11_class_None_Some_Marked.csv": ({"target": "improved"}, "improved holds 'None' in 40 rows"),
    "i11_constant_target.csv": (
        {},
        "target is 1 in all 120 rows of i11_constant_target.csv: there is nothing to learn",
    ),
    "k18_table.pkl": ({}, "is a pickle, which can run code when it is read"),
    "k19_xlsx_named_csv.csv": ({}, "is an Excel or zip file, not a text file. Rename it to end in .xlsx"),
    "k20_arrays.h5": ({}, "is an HDF5 file, and is not read. Convert it with pandas"),
    "k22_tensors.pt": ({}, "is a file of PyTorch, and is not read"),
    "k23_dict.pt": ({}, "is a file of PyTorch, and is not read"),
    "k24_table.html": ({}, "is a web page, and is not read"),
    "k25_table.xml": ({}, "is an XML file, and is not read"),
    "l01_image_paths.csv": ({}, "names of images such as 'imgs/"),
    "l01b_image_ids.csv": ({}, "left out id_code"),
    "m02_all_columns_useless.csv": ({}, "has no column to learn from. left out id"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_learnt_from_is_refused_with_what_to_do(name: str) -> None:
    fields, message = REFUSED[name]
    with pytest.raises(DataError) as caught:
        loaded(name, **fields)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "target", "others"),
    [
        ("c07_class_none.csv", "allergy", 3),
        ("c08_class_NA.csv", "region", 3),
        ("c09_class_dash.csv", "sign", 2),
    ],
)
def test_a_text_for_missing_that_is_a_class_becomes_one_as_the_message_says(
    name: str, target: str, others: int
) -> None:
    with pytest.raises(DataError) as caught:
        loaded(name, target=target)
    path, value = next(part.values for part in parts(caught.value.hint) if not isinstance(part, str))
    values = configuration.set_path(
        {"data": {"name": "csv", "path": str(CASES / name), "target": target}}, f"{path}={value}"
    )
    data = load(configuration.from_dict(values).data)
    assert len(data.class_names) == others
    assert sum(map(len, data.splits.values())) == 120


@pytest.mark.parametrize("name", ["a05b_percent_target.csv", "f17_count_over_999_late.csv"])
def test_a_target_that_does_not_stand_out_is_asked_for(name: str) -> None:
    with pytest.raises(TargetUnclear) as caught:
        loaded(name)
    assert len(caught.value.candidates) >= 3
    assert not caught.value.candidates[0].never


def test_texts_in_a_target_are_read_as_numbers_as_in_a_feature() -> None:
    data = loaded("a05b_percent_target.csv", target="rate")
    assert data.task == "regression"
    assert ranges(data)["rate"] == "1.2 … 97.9"
    late = loaded("f17_count_over_999_late.csv", target="paid")
    assert any("discharges 8 ('1,008' is 1008)" in note for note in late.notes)


def test_numbers_far_from_0_keep_what_tells_them_apart() -> None:
    data = loaded("i17_huge_offset.csv")
    targets = data.train.targets
    assert targets.double().min() >= 1e15 + 20
    assert len(targets.unique()) > 40
    assert 10 < data.target_std[0] < 30


def test_labels_in_a_text_are_several_labels_unless_classes_are_asked_for() -> None:
    data = loaded("g08_multilabel_pipe.csv", target="genres")
    assert data.task == "multilabel"
    assert data.train.targets.shape[1] == len(data.class_names) < 14
    as_classes = loaded("g08_multilabel_pipe.csv", target="genres", task="classification")
    assert len(as_classes.class_names) == 14
