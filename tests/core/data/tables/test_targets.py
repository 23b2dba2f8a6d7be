"""Which column is the target, which rows have one, and what becomes of rare classes and heavy tails."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from core.config import schema as configuration
from core.data.dataset import Dataset
from core.data.registry import load
from core.data.tables.encoding import rows_at
from core.data.tables.files.source import Source
from core.data.tables.scaling import limits
from core.data.tables.targets.choose import TargetUnclear
from core.data.tables.targets.names import id_name, target_name
from core.errors import DataError
from tests.support.narrow import instance

Read = Callable[..., Dataset]
RANDOM = np.random.default_rng(0)
ROWS = 60
NUMBERS = [round(float(value), 3) for value in RANDOM.normal(size=ROWS)]
OTHERS = [round(float(value), 3) for value in RANDOM.normal(size=ROWS)]
WHOLE = [int(value) for value in RANDOM.integers(0, 1000, ROWS)]
TWO = ["yes" if at % 3 else "no" for at in range(ROWS)]
THREE = ["abc"[at % 3] for at in range(ROWS)]
BITS = [at % 2 for at in range(ROWS)]
COUNTER = list(range(1, ROWS + 1))
DATES = [f"2021-{1 + at % 12:02}-{1 + at % 28:02}" for at in range(ROWS)]
TEXTS = [f"a text of its own, number {at}" for at in range(ROWS)]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """The data set of a file with these columns."""

    def read(columns: dict[str, Sequence[Any]], **fields: Any) -> Dataset:
        path = tmp_path / "my.csv"
        pl.DataFrame(columns, strict=False).write_csv(path)
        return load(configuration.from_dict({"data": {"name": "csv", "path": str(path), **fields}}).data)

    return read


WELL_KNOWN = {
    "Titanic of Kaggle": (
        {
            "PassengerId": COUNTER,
            "Survived": BITS,
            "Pclass": WHOLE,
            "Name": TEXTS,
            "Sex": TWO,
            "Embarked": THREE,
        },
        "Survived",
    ),
    "Titanic of seaborn": ({"survived": BITS, "sex": TWO, "class": THREE, "alone": TWO}, "survived"),
    "penguins": ({"species": THREE, "island": THREE, "bill": NUMBERS, "sex": TWO}, "species"),
    "diamonds": (
        {"carat": NUMBERS, "cut": THREE, "price": WHOLE, "x": NUMBERS, "y": OTHERS, "z": WHOLE},
        "price",
    ),
    "iris": ({"Sepal.Length": NUMBERS, "Petal.Length": OTHERS, "Species": THREE}, "Species"),
    "wine": ({"alcohol": NUMBERS, "pH": OTHERS, "quality": [3 + at % 4 for at in range(ROWS)]}, "quality"),
    "adult": ({"age": WHOLE, "sex": TWO, "native-country": THREE, "income": TWO}, "income"),
    "churn": ({"customerID": TEXTS, "gender": TWO, "MonthlyCharges": NUMBERS, "Churn": TWO}, "Churn"),
    "housing of California": (
        {
            "longitude": NUMBERS,
            "latitude": OTHERS,
            "median_income": NUMBERS,
            "median_house_value": WHOLE,
            "ocean": THREE,
        },
        "median_house_value",
    ),
    "housing": ({"price": WHOLE, "area": NUMBERS, "mainroad": TWO, "furnishing": THREE}, "price"),
    "bank": ({"age": WHOLE, "default": TWO, "housing": TWO, "y": TWO}, "y"),
    "credit cards": ({"Time": WHOLE, "V1": NUMBERS, "V2": OTHERS, "Amount": NUMBERS, "Class": BITS}, "Class"),
    "pixels": ({"pixel0": WHOLE, "pixel1": NUMBERS, "pixel2": OTHERS, "digit": THREE}, "digit"),
    "sales": ({"date": DATES, "sales": WHOLE}, "sales"),
    "an only column beside dates": ({"day": DATES, "umbrellas": NUMBERS}, "umbrellas"),
    "German": ({"Alter": WHOLE, "Größe": NUMBERS, "Klasse": TWO}, "Klasse"),
    "Spanish": ({"edad": WHOLE, "clase": TWO, "altura": NUMBERS}, "clase"),
    "Chinese": ({"标签": TWO, "身高": NUMBERS, "体重": OTHERS}, "标签"),
    "points": ({"x": NUMBERS, "y": OTHERS, "label": TWO}, "label"),
    "a curve": ({"x": NUMBERS, "y": OTHERS}, "y"),
    "mpg of seaborn": ({"mpg": NUMBERS, "cylinders": THREE, "weight": WHOLE, "origin": THREE}, "mpg"),
    "glass": ({"RI": NUMBERS, "Na": OTHERS, "Type": [1 + at % 6 for at in range(ROWS)]}, "Type"),
    "heart": (
        {"age": WHOLE, "sex": BITS, "chol": WHOLE, "smoking": BITS, "HeartDisease": BITS},
        "HeartDisease",
    ),
    "fetal health": (
        {"baseline value": WHOLE, "peaks": NUMBERS, "fetal_health": [1 + at % 3 for at in range(ROWS)]},
        "fetal_health",
    ),
    "a house with many answers": ({"price": WHOLE, "area": NUMBERS, "driveway": TWO, "garage": TWO}, "price"),
    "a time series": ({"time": [1949 + at / 12 for at in range(ROWS)], "passengers": WHOLE}, "passengers"),
    "an experiment": ({"breaks": WHOLE, "wool": TWO, "tension": THREE}, "breaks"),
    "insect sprays": ({"count": WHOLE, "spray": THREE}, "count"),
    "a vote": ({"region": THREE, "age": WHOLE, "income": NUMBERS, "vote": THREE}, "vote"),
}


@pytest.mark.parametrize("name", WELL_KNOWN)
def test_targets_of_well_known_tables_are_found(name: str, read: Read) -> None:
    columns, target = WELL_KNOWN[name]
    data = read(columns)
    assert data.table is not None
    assert data.table.target == target
    assert data.notes[0].startswith(f"target: {target} (")


@pytest.mark.parametrize(
    ("columns", "never"),
    [
        ({"height": NUMBERS, "weight": OTHERS}, {}),
        ({"speed": NUMBERS, "dist": OTHERS, "row_id": COUNTER}, {"row_id": "it is an id"}),
        ({"speed": NUMBERS, "dist": OTHERS, "when": DATES}, {"when": "it is a date"}),
        ({"speed": NUMBERS, "dist": OTHERS, "same": [1] * ROWS}, {"same": "it is the same in all rows"}),
        ({"speed": NUMBERS, "dist": OTHERS, "lat": WHOLE, "lon": WHOLE}, {"lat": "it is a coordinate"}),
        ({"speed": NUMBERS, "dist": OTHERS, "about": TEXTS}, {"about": "nearly every row has another text"}),
        ({"speed": NUMBERS, "dist": OTHERS, "n": COUNTER}, {"n": "it counts the rows"}),
        ({"size": WHOLE, "rooms": OTHERS, "smoker": TWO, "sex": TWO}, {}),
        ({"age": WHOLE, "income": NUMBERS, "cigs": OTHERS}, {}),
        ({"yield": NUMBERS, "variety": THREE, "year": WHOLE, "site": TWO}, {}),
        ({"type": THREE, "education": WHOLE, "prestige": NUMBERS}, {}),
        ({"education": WHOLE, "income": NUMBERS, "type": THREE}, {}),
        ({"price": WHOLE, "income": NUMBERS, "temperature": OTHERS}, {}),
        ({"county": THREE, "area": NUMBERS, "people": WHOLE, "category": THREE}, {}),
        ({"inflation": NUMBERS, "deficit": OTHERS, "y77": BITS}, {}),
        ({"food": NUMBERS, "size": OTHERS, "sex": TWO}, {}),
        ({"stores": WHOLE, "stars": OTHERS, "Weekend": TWO}, {}),
        ({"parts": NUMBERS, "pieces": WHOLE, "member": ["MF"[at % 2] for at in range(ROWS)]}, {}),
        ({"miles": NUMBERS, "passenger_count": WHOLE, "fare": OTHERS}, {}),
        ({"bore": NUMBERS, "stroke": OTHERS, "power": WHOLE}, {}),
    ],
)
def test_where_none_stands_out_the_user_is_asked(
    columns: dict[str, Any], never: dict[str, str], read: Read
) -> None:
    with pytest.raises(TargetUnclear) as caught:
        read(columns)
    found = {candidate.name: candidate for candidate in caught.value.candidates}
    assert {*found} == {*columns}
    assert {name: found[name].never for name in never} == never
    assert not caught.value.candidates[0].never
    assert caught.value.exit_code == 2
    data = read(columns, target=caught.value.candidates[0].name)
    assert "as given" in data.notes[0]


@pytest.mark.parametrize(
    ("name", "likely"),
    [
        ("SalePrice", True),
        ("is_fraud", True),
        ("Churn?", True),
        ("HeartDisease", True),
        ("colour", False),
        ("sold_date", False),
    ],
)
def test_names_are_compared_by_their_words(name: str, likely: bool) -> None:
    assert (target_name(name).score > 40) is likely


def test_a_class_that_follows_from_a_finer_one_is_asked_about(read: Read) -> None:
    models = [f"model {'abcdefghij'[at % 10]}" for at in range(ROWS)]
    cars = {
        "model": models,
        "miles": NUMBERS,
        "power": WHOLE,
        "drive": ["fr4"[at % 7 % 3] for at in range(ROWS)],
    }
    with pytest.raises(TargetUnclear):
        read(cars | {"class": ["abc"[at % 10 % 3] for at in range(ROWS)]})
    assert (
        read(cars | {"class": ["abc"[at // 7 % 3] for at in range(ROWS)]})
        .notes[0]
        .startswith("target: class (")
    )


def test_copies_of_other_columns_come_last_among_those_to_choose_from(read: Read) -> None:
    sizes = [1 + abs(value) for value in NUMBERS]
    columns = {
        "size": sizes,
        "hours": WHOLE,
        "lsize": np.log(sizes).round(4).tolist(),
        "sizesq": np.square(sizes).round(3).tolist(),
        "lhours": OTHERS,
    }
    with pytest.raises(TargetUnclear) as caught:
        read(columns)
    assert {each.name for each in caught.value.candidates[-2:]} == {"lsize", "sizesq"}


NAMELESS: dict[str, tuple[list[list[Any]], int | None]] = {
    "classes": ([NUMBERS, OTHERS, THREE], 3),
    "numbers": ([NUMBERS, OTHERS, WHOLE], 3),
    "two numbers": ([WHOLE, NUMBERS, BITS], 3),
    "sexes first": ([["MFI"[at % 3] for at in range(ROWS)], NUMBERS, WHOLE], 3),
    "classes first": ([THREE, NUMBERS, WHOLE], None),
    "two classes first": ([TWO, THREE, THREE], None),
}


@pytest.mark.parametrize("name", NAMELESS)
def test_without_names_the_last_column_is_the_target_unless_another_looks_like_one(
    name: str, tmp_path: Path
) -> None:
    columns, place = NAMELESS[name]
    path = tmp_path / "my.data"
    pl.DataFrame({str(at): column for at, column in enumerate(columns)}).write_csv(path, include_header=False)
    config = configuration.from_dict({"data": {"name": "csv", "path": str(path), "header": "no"}})
    if place is None:
        with pytest.raises(TargetUnclear):
            load(config.data)
    else:
        assert load(config.data).notes[0].startswith(f"target: column_{place} (")


@pytest.mark.parametrize(
    "columns",
    [
        {"": COUNTER, "speed": NUMBERS},
        {"id": COUNTER, "when": ["2021-01-01"] * ROWS, "kind": THREE},
    ],
)
def test_nothing_is_asked_where_nothing_could_be_learnt_from(columns: dict[str, Any], read: Read) -> None:
    with pytest.raises(DataError, match="has no column to learn from"):
        read(columns)


def test_names_of_ids() -> None:
    assert all(
        map(id_name, ("id", "PassengerId", "customer_id", "Unnamed: 0", "__index_level_0__", "", "UUID"))
    )
    assert not any(map(id_name, ("paid", "valid", "fluid", "grid", "humid")))


def test_rows_without_a_target_are_dropped_and_counted_unless_they_are_many(read: Read) -> None:
    few = [None if at < 9 else value for at, value in enumerate(TWO)]
    data = read({"size": NUMBERS, "target": few})
    assert "left out 9 rows whose target is missing" in data.notes
    assert sum(map(len, data.splits.values())) == ROWS - 9
    many = [None if at < 30 else value for at, value in enumerate(TWO)]
    with pytest.raises(
        DataError, match=r"target is missing in 30 of 60 rows.*missing_target=drop leaves them out"
    ):
        read({"size": NUMBERS, "target": many})
    assert sum(map(len, read({"size": NUMBERS, "target": many}, missing_target="drop").splits.values())) == 30
    with pytest.raises(DataError, match=r"my\.csv, line 2: target is missing \(and in 8 rows more\)"):
        read({"size": NUMBERS, "target": few}, missing_target="error")


def test_a_text_for_missing_that_may_be_a_class_is_asked_about(read: Read) -> None:
    countries = ["NA" if at % 4 == 0 else "DE" if at % 2 else "FR" for at in range(ROWS)]
    with pytest.raises(
        DataError, match=r"target holds 'NA' in 15 rows, which counts as missing but may be a class"
    ):
        read({"size": NUMBERS, "target": countries})
    assert read({"size": NUMBERS, "target": countries}, missing=["?"]).class_names == ("DE", "FR", "NA")
    assert len(read({"size": NUMBERS, "target": countries}, missing_target="drop").class_names) == 2


def test_a_text_for_missing_that_may_be_a_category_is_named(read: Read) -> None:
    countries = ["NA" if at % 4 == 0 else "DE" if at % 2 else "FR" for at in range(ROWS)]
    columns = {"size": NUMBERS, "country": countries, "target": TWO}
    data = read(columns)
    (note,) = (note for note in data.notes if "may be a category" in note)
    assert note.startswith("country holds 'NA' in 15 rows, which counts as missing but may be a category")
    assert "country=NA" in read(columns, missing=["?"]).feature_names
    assert not any("may be a category" in note for note in read(columns, missing=["?"]).notes)


def test_a_regular_file_is_read_once_also_to_name_texts_for_missing(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    countries = [" NA" if at % 4 == 0 else "na" if at % 5 == 0 else f"C{at % 3}" for at in range(ROWS)]
    whole = list[str]()
    computed = Source.computed

    def counting(
        source: Source, frame: pl.LazyFrame, compute: Callable[[pl.LazyFrame], pl.DataFrame] | None = None
    ) -> pl.DataFrame:
        plan = frame.explain()
        if "my.csv" in plan and "SLICE" not in plan:  # reads the file, and not the first rows alone
            whole.append(plan)
        return computed(source, frame, compute)

    monkeypatch.setattr(Source, "computed", counting)
    data = read({"size": NUMBERS, "country": countries, "count": [*"ab", None] * (ROWS // 3), "target": TWO})
    notes = [note.partition(" rows")[0] for note in data.notes if "may be a category" in note]
    assert notes == ["country holds 'NA' in 15", "country holds 'na' in 9"]
    assert set(data.feature_names) == {
        *("size", "country=C0", "country=C1", "country=C2", "country=(missing)"),
        *("count=a", "count=b", "count=(missing)"),
    }
    assert len(whole) == 1


@pytest.mark.parametrize(
    "positions", [[], [3], [2, 3, 4], [0, 2, 99], [0, 500, 999], [7, 3, 3], [*range(0, 1000, 3)]]
)
def test_rows_are_taken_by_their_positions(positions: list[int]) -> None:
    frame = pl.DataFrame({"a": np.arange(1000), "b": [str(at) if at % 3 else None for at in range(1000)]})
    at = np.array(positions, dtype=np.int64)
    assert rows_at(frame, at).equals(frame[at])


def test_a_class_of_one_row_is_dropped_and_named(read: Read) -> None:
    kinds = ["rare" if at == 7 else value for at, value in enumerate(TWO)]
    data = read({"size": NUMBERS, "target": kinds})
    assert data.class_names == ("no", "yes")
    assert any(
        note.startswith("left out 1 class of target with a single row") and "line 9" in note
        for note in data.notes
    )
    with pytest.raises(DataError, match="class rare of target has a single row"):
        read({"size": NUMBERS, "target": kinds}, rare_classes="error")


def test_classes_of_two_rows_are_kept_in_train(read: Read) -> None:
    kinds = ["rare" if at in (7, 8) else value for at, value in enumerate(TWO)]
    data = read({"size": NUMBERS, "target": kinds})
    rare = data.class_names.index("rare")
    assert rare in data.train.targets.tolist()


def test_many_classes_in_few_rows_are_split_without_words_of_other_libraries(read: Read) -> None:
    kinds = [f"k{at % 15}" for at in range(ROWS)]
    data = read({"size": NUMBERS, "target": kinds})
    assert {name: len(split) for name, split in data.splits.items()} == {
        "train": 43,
        "validation": 5,
        "test": 12,
    }
    assert len({*data.train.targets.tolist()}) == 15
    assert any(note.startswith("validation has no row of 10 of 15 classes") for note in data.notes)


def test_classes_that_a_test_file_spells_in_another_way_are_matched(read: Read, tmp_path: Path) -> None:
    salaries = ["<=50K" if at % 3 else ">50K" for at in range(ROWS)]
    other = tmp_path / "other.csv"
    other.write_text("size,target\n1.5,<=50K.\n2.5, >50K.\n")
    data = read({"size": NUMBERS, "target": salaries}, test_path=str(other))
    assert data.test.targets.tolist() == [0, 1]
    assert "class '<=50K.' of other.csv is taken for '<=50K'" in data.notes


def test_one_wrong_value_is_clipped_from_the_training_rows_alone(read: Read) -> None:
    sizes = [*NUMBERS]
    wrong = int(read({"size": NUMBERS, "target": TWO}).train.indices[3])
    sizes[wrong] = 1e9
    data = read({"size": sizes, "target": TWO})
    assert instance(torch.Tensor, data.train.inputs).abs().max() < 20
    assert (
        0.2
        < instance(torch.Tensor, data.train.inputs)[instance(torch.Tensor, data.train.inputs).abs() < 5].std()
        < 2
    )
    assert any(
        note.startswith("heavy tails are clipped, in predictions as well: size to") for note in data.notes
    )
    assert data.table is not None
    new = data.table.encoding.apply(pl.DataFrame({"size": [1e12, -1e12]}))
    assert np.abs(new).max() < 30


def test_heavy_tails_of_a_target_are_clipped_in_train_alone(read: Read) -> None:
    plain = read({"size": OTHERS, "target": NUMBERS})
    prices = [*NUMBERS]
    prices[int(plain.train.indices[0])] = 1e9
    prices[int(plain.test.indices[0])] = 1e9
    data = read({"size": OTHERS, "target": prices})
    assert data.target_std[0] < 10
    assert data.train.targets.max() < 50
    assert data.test.targets.max() == 1e9
    assert any("are clipped in train alone" in note for note in data.notes)


def test_normal_and_skewed_columns_are_not_clipped() -> None:
    values = np.random.default_rng(0).normal(size=5000)
    assert limits(pl.Series(values)) is None
    assert limits(pl.Series(np.exp(values))) is None
    assert limits(pl.Series(np.where(values > 2, values * 10, 0.0))) is None


def test_targets_far_from_0_keep_their_differences(read: Read) -> None:
    seconds = [1.7e9 + value for value in WHOLE]
    data = read({"size": NUMBERS, "target": seconds})
    assert len(data.train.targets.unique()) == len({seconds[at] for at in data.train.indices})
    assert read({"size": NUMBERS, "target": NUMBERS}).train.targets.dtype.itemsize == 4


@pytest.mark.parametrize(
    ("code", "others", "reported"), [(-999, WHOLE, True), (9999, WHOLE, True), (99, WHOLE, False)]
)
def test_codes_far_from_all_values_are_reported(
    code: int, others: list[int], reported: bool, read: Read
) -> None:
    values = [code if at % 10 == 0 else value for at, value in enumerate(others)]
    notes = "\n".join(read({"size": values, "target": TWO}).notes)
    assert (f"size is {code} in 6 rows, far from its other values" in notes) is reported
    assert (f'"{code}"]' in notes) is reported


def test_ids_and_texts_of_their_own_are_left_out(read: Read) -> None:
    data = read(
        {"PassengerId": COUNTER, "ticket": [f"t{at}" for at in COUNTER], "size": NUMBERS, "target": TWO}
    )
    assert data.feature_names == ("size",)


@pytest.mark.parametrize(("odd", "hint"), [("17", "data.numbers=[city]"), ("Bonn", "Choose another column")])
def test_numbers_are_suggested_only_for_a_target_that_holds_some(odd: str, hint: str, read: Read) -> None:
    cities = [f"{'abcdefghij'[at // 10]}{'klmnopqrst'[at % 10]}" for at in range(ROWS - 1)]
    with pytest.raises(DataError, match="too many for classes") as caught:
        read({"a": NUMBERS, "city": [*cities, odd]}, target="city")
    assert hint in str(caught.value)
    assert ("data.numbers" in str(caught.value)) is (odd == "17")


def test_a_mistyped_column_gets_a_suggestion(read: Read) -> None:
    for fields in (
        {"target": "Target"},
        {"numbers": ["sizes"]},
        {"categories": ["siez"]},
        {"drop": ["sise"]},
    ):
        with pytest.raises(DataError, match=r"Did you mean '(target|size)'"):
            read({"size": NUMBERS, "target": TWO}, **fields)


@pytest.mark.slow
def test_5000_columns_are_loaded(read: Read) -> None:
    columns = {f"x{at}": [at % 7 + row for row in range(12)] for at in range(5000)}
    assert len(read(columns | {"target": TWO[:12]}).feature_names) == 5000


def test_a_class_that_losses_ignore_is_reported_with_the_setting_that_leaves_it_out(read: Read) -> None:
    columns = {"a": NUMBERS, "target": [(-100, 0, 1)[at % 3] for at in range(ROWS)]}
    (note,) = [note for note in read(columns).notes if "-100 is a class" in note]
    assert 'data.missing=["?", ' in note
    left = read(columns, missing=["-100"])
    assert left.class_names == ("0", "1")
    assert not any("is a class like" in note for note in left.notes)


IDS = (
    "id_cliente",
    "Kundennummer",
    "Kunden-Nr",
    "numero_client",
    "N° client",
    "matricula",
    "no_dossier",
    "client_no",
)


@pytest.mark.parametrize("name", IDS)
def test_another_whole_number_in_each_row_is_an_id_in_any_language(name: str) -> None:
    assert id_name(name)


@pytest.mark.parametrize(
    "name", ["num_clients", "numero_clientes", "number of users", "customer_age", "Ausgaben", "of"]
)
def test_what_counts_or_describes_somebody_is_no_id(name: str) -> None:
    assert not id_name(name)
