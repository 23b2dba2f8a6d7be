"""Known leaks are reported before training, and clean data is not: twenty small data sets of each."""

import datetime
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from sklearn import datasets as toys

from core.config.schema import from_dict
from core.data.registry import load
from core.data.suspicions import duplicates
from core.data.suspicions.columns import Checked, CheckedColumn
from core.data.suspicions.giveaways import giveaways
from core.data.suspicions.names import dates, repeated_ids

LEAST_REPORTED, MAX_FLAGGED = 18, 1

Columns = Mapping[str, Any]
Made = dict[str, Any]
"""Fields of ``data``: the data set of a case."""


class Maker:
    """Writes the files of one case."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.rng = folder, np.random.default_rng(seed)

    def features(self, rows: int = 300, width: int = 5) -> tuple[np.ndarray, np.ndarray]:
        """Features (rows, width), and classes that go with the first of them."""
        features = self.rng.normal(size=(rows, width))
        return features, (features[:, 0] + self.rng.normal(size=rows) > 0).astype(int)

    def table(self, features: np.ndarray, target: Any, more: Columns = {}, **fields: Any) -> Made:  # noqa: B006
        path = self.folder / f"t{len([*self.folder.iterdir()])}.csv"
        columns = {f"f{place}": np.round(values, 4) for place, values in enumerate(features.T)}
        pl.DataFrame({**more, **columns, "y": target}).write_csv(path)
        return {"name": "csv", "path": str(path), "target": "y", **fields}

    def arrays(self, inputs: np.ndarray, targets: np.ndarray) -> Made:
        path = self.folder / f"a{len([*self.folder.iterdir()])}.npz"
        np.savez(path, x=inputs, y=targets)
        return {"name": "arrays", "path": str(path)}

    def images(self, count: int) -> np.ndarray:
        """Smooth images uint8 (count, 12, 12, 1)."""
        coarse = torch.from_numpy(self.rng.random((count, 1, 4, 4)))
        smooth = torch.nn.functional.interpolate(coarse, 12, mode="bicubic").clamp(0, 1)
        return (smooth * 255).byte().permute(0, 2, 3, 1).numpy()

    def again(self, rows: int, more: int) -> np.ndarray:
        """Positions of so many rows, and of some of them once more, in random order."""
        return self.rng.permutation(
            np.concatenate([np.arange(rows), self.rng.choice(rows, more, replace=False)])
        )


def rows_again(make: Maker) -> Made:
    features, target = make.features()
    at = make.again(300, 30)
    return make.table(features[at], target[at])


def rows_three_times(make: Maker) -> Made:
    features, target = make.features(120)
    at = make.rng.permutation(np.repeat(np.arange(120), 3))
    return make.table(features[at], target[at])


def numbers_again(make: Maker) -> Made:
    features, _ = make.features(200)
    at = make.again(200, 30)
    return make.table(features[at], np.round(features[at] @ np.arange(5.0) + 1, 4))


def arrays_again(make: Maker) -> Made:
    features, target = make.features(300, 20)
    at = make.again(300, 30)
    return make.arrays(features[at], target[at])


def images_again(make: Maker) -> Made:
    images, at = make.images(300), make.again(300, 30)
    return make.arrays(images[at], make.rng.integers(0, 2, 300)[at])


def test_rows_in_train(make: Maker) -> Made:
    features, target = make.features()
    train = make.table(features, target)
    test = make.table(features[:50], target[:50])
    return {**train, "test_path": test["path"]}


test_rows_in_train.__test__ = False  # type: ignore[attr-defined]  # a case, though it is called like a test


def rows_with_noise(make: Maker) -> Made:
    features, target = make.features()
    at = np.concatenate([np.arange(300), make.rng.choice(300, 60, replace=False)])
    noisy = features[at] + (np.arange(360) >= 300)[:, None] * make.rng.normal(size=(360, 5)) * 0.01
    order = make.rng.permutation(360)
    return make.table(noisy[order], target[at][order])


def arrays_with_noise(make: Maker) -> Made:
    features, target = make.features(300, 15)
    at = np.concatenate([np.arange(300), make.rng.choice(300, 50, replace=False)])
    noisy = features[at] + (np.arange(350) >= 300)[:, None] * make.rng.normal(size=(350, 15)) * 0.03
    order = make.rng.permutation(350)
    return make.arrays(noisy[order], target[at][order])


def images_brightened(make: Maker) -> Made:
    images = make.images(300)
    copies = np.clip(images[:50].astype(int) * 9 // 10 + 12, 0, 255).astype(np.uint8)
    order = make.rng.permutation(350)
    labels = make.rng.integers(0, 2, 300)
    return make.arrays(np.concatenate([images, copies])[order], np.concatenate([labels, labels[:50]])[order])


def persons(make: Maker, name: str, form: Callable[[int], Any], count: int = 40) -> Made:
    features, _ = make.features(400)
    who = make.rng.integers(0, count, 400)
    effect = make.rng.normal(size=count)[who]
    return make.table(
        features + effect[:, None], (effect > 0).astype(int), {name: [form(each) for each in who]}
    )


def patients(make: Maker) -> Made:
    return persons(make, "patient_id", lambda number: f"P{number:03d}")


def numbered_subjects(make: Maker) -> Made:
    return persons(make, "subject", lambda number: number + 100)


def names(make: Maker) -> Made:
    first = ("Ann", "Bea", "Cid", "Dan", "Eve", "Fay", "Gus", "Hal")
    return persons(make, "name", lambda number: first[number % 8] + chr(65 + number // 8))


def codes(make: Maker) -> Made:
    return persons(make, "ref", lambda number: f"K-{number:04d}")


def days(count: int) -> list[str]:
    return [(datetime.date(2020, 1, 1) + datetime.timedelta(days=each)).isoformat() for each in range(count)]


def a_date(make: Maker) -> Made:
    features, target = make.features()
    return make.table(features, target, {"date": days(300)})


def a_time_stamp(make: Maker) -> Made:
    features, target = make.features()
    return make.table(features, target, {"created_at": [f"{day} 10:30:00" for day in days(300)]})


def copied_class(make: Maker) -> Made:
    features, target = make.features()
    return make.table(features, target, {"score": target + make.rng.normal(size=300) * 0.1})


def copied_number(make: Maker) -> Made:
    features, _ = make.features()
    numbers = features @ np.arange(5.0) + make.rng.normal(size=300)
    return make.table(features, numbers, {"total": np.exp(numbers / 5)})


def telling_category(make: Maker) -> Made:
    features, target = make.features()
    return make.table(
        features, target, {"ward": [("ABC", "DEF")[each][make.rng.integers(3)] for each in target]}
    )


def telling_gap(make: Maker) -> Made:
    features, target = make.features()
    paid = [round(float(make.rng.normal()), 3) if each else None for each in target]
    return make.table(features, target, {"paid": paid})


def drifted_test(make: Maker) -> Made:
    features, target = make.features()
    other, others = make.features(200)
    train, test = make.table(features, target), make.table(other + np.eye(5)[1], others)
    return {**train, "test_path": test["path"]}


def drifting_time(make: Maker) -> Made:
    features, target = make.features(400)
    features[:, 1] += np.linspace(0, 3, 400)
    return make.table(features, target, {"step": np.arange(400)}, time="step")


def of_somebody(make: Maker, name: str, form: Callable[[int], Any]) -> Made:
    """Rows of 60 somebodies, whose target is that of each."""
    features, _ = make.features(400)
    who = make.rng.integers(0, 60, 400)
    return make.table(
        features, (make.rng.normal(size=60)[who] > 0).astype(int), {name: [form(each) for each in who]}
    )


def emails(make: Maker) -> Made:
    return of_somebody(make, "email", lambda number: f"user{number}@x.org")


def serial_numbers(make: Maker) -> Made:
    return of_somebody(make, "serial", lambda number: f"SN{1000 + 7 * number}")


def households(make: Maker) -> Made:
    return of_somebody(make, "HouseholdId", lambda number: number + 5000)


def german_dates(make: Maker) -> Made:
    features, target = make.features()
    first = datetime.date(2019, 3, 1)
    dated = [(first + datetime.timedelta(days=2 * day)).strftime("%d.%m.%Y") for day in range(300)]
    return make.table(features, target, {"datum": dated})


def seconds(make: Maker) -> Made:
    features, target = make.features()
    return make.table(features, target, {"timestamp": 1_600_000_000 + np.arange(300) * 3600})


def telling_number_of_a_category(make: Maker) -> Made:
    features, target = make.features(600)
    codes = np.where(target == 1, make.rng.choice([1, 4, 7], 600), make.rng.choice([2, 3, 9], 600))
    return make.table(features, target, {"outcome_code": codes})


def prices_by_number(make: Maker) -> Made:
    features, _ = make.features(400)
    kinds = make.rng.integers(0, 15, 400)
    prices = make.rng.normal(size=15)[kinds] * 100 + make.rng.normal(size=400)
    return make.table(features, prices, {"tariff": kinds})


def another_unit(make: Maker) -> Made:
    features, _ = make.features()
    numbers = features @ np.arange(5.0) + make.rng.normal(size=300)
    return make.table(features, np.round(numbers, 3), {"inches": np.round(numbers / 2.54, 1)})


def test_in_other_units(make: Maker) -> Made:
    features, target = make.features()
    others, classes = make.features(200)
    train, test = make.table(features, target), make.table(others * [1, 1, 10, 1, 1], classes)
    return {**train, "test_path": test["path"]}


test_in_other_units.__test__ = False  # type: ignore[attr-defined]  # a case, though it is called like a test


def one_cell_changed(make: Maker) -> Made:
    features, target = make.features(300, 8)
    at = np.concatenate([np.arange(300), make.rng.choice(300, 60, replace=False)])
    changed = features[at]
    changed[np.arange(300, 360), make.rng.integers(0, 8, 60)] += 0.3
    order = make.rng.permutation(360)
    return make.table(changed[order], target[at][order])


def signals_again(make: Maker) -> Made:
    signals = np.cumsum(make.rng.normal(size=(300, 2, 50)), axis=2).astype(np.float32)
    at = make.again(300, 40)
    return make.arrays(signals[at], make.rng.integers(0, 2, 300)[at])


OTHER_LEAKS = (
    *(emails, serial_numbers, households, german_dates, seconds, telling_number_of_a_category),
    *(prices_by_number, another_unit, test_in_other_units, one_cell_changed, signals_again),
)


LEAKS = (
    *(rows_again, rows_three_times, numbers_again, arrays_again, images_again, test_rows_in_train),
    *(rows_with_noise, arrays_with_noise, images_brightened, patients, numbered_subjects, names, codes),
    *(a_date, a_time_stamp, copied_class, copied_number, telling_category, telling_gap, drifted_test),
    drifting_time,
)


def few_values(make: Maker) -> Made:
    """Rows of four small categories, which repeat by chance."""
    cells = make.rng.integers(0, [2, 3, 2, 4], (500, 4))
    target = (cells[:, 0] + make.rng.random(500) * 2 > 1.2).astype(int)
    return make.table(np.zeros((500, 0)), target, {name: cells[:, at] for at, name in enumerate("abcd")})


def grades(make: Maker) -> Made:
    """Columns of grades from 1 to 10 that go together, most of them 1."""
    common = make.rng.geometric(0.4, (600, 1))
    grades = np.clip(common + make.rng.geometric(0.6, (600, 7)) - 1, 1, 10)
    return make.table(grades, (grades.mean(axis=1) + make.rng.normal(size=600) > 3).astype(int))


def lattice(make: Maker) -> Made:
    features, target = make.features(400, 3)
    return make.table(np.round(features, 1), target)


def one_row_each(make: Maker) -> Made:
    features, target = make.features()
    return make.table(
        features, target, {"id": np.arange(300), "name": [f"n{number}" for number in range(300)]}
    )


def cities(make: Maker) -> Made:
    features, target = make.features()
    city = make.rng.choice(["Bonn", "Paris", "Rome", "Wien", "Prag", "Oslo", "Riga", "Bern"], 300)
    return make.table(
        features, target, {"city": city, "birth_date": days(300), "children": make.rng.poisson(1, 300)}
    )


def same_test(make: Maker) -> Made:
    train, test = (make.table(*make.features(200)) for _ in range(2))
    return {**train, "test_path": test["path"]}


def steady_time(make: Maker) -> Made:
    features, target = make.features()
    return make.table(features, target, {"date": days(300)}, time="date")


def grouped(make: Maker) -> Made:
    return {**patients(make), "group": "patient_id"}


def gaps(make: Maker) -> Made:
    features, target = make.features()
    features[make.rng.random(features.shape) < 0.2] = np.nan
    return make.table(features, target)


def wide(make: Maker) -> Made:
    return make.arrays(*make.features(200, 400))


def pictures(make: Maker) -> Made:
    return make.arrays(make.images(250), make.rng.integers(0, 2, 250))


def separable(make: Maker) -> Made:
    return make.arrays(*toys.make_blobs(300, 6, centers=3, random_state=4))


def curve(make: Maker) -> Made:
    return make.arrays(*toys.make_s_curve(400, random_state=0))


def many_classes(make: Maker) -> Made:
    return make.arrays(
        *toys.make_classification(600, 30, n_informative=10, n_classes=6, class_sep=2, random_state=0)
    )


def noisy_sum(make: Maker) -> Made:
    return make.arrays(*toys.make_regression(300, 8, noise=20.0, random_state=0))


def answers(make: Maker) -> Made:
    """Ten answers from 1 to 5."""
    return make.table(make.rng.integers(1, 6, (400, 10)), make.rng.integers(0, 2, 400))


def words_of_documents(make: Maker) -> Made:
    present = (make.rng.random((400, 30)) < 0.08).astype(int)
    return make.table(present, (present[:, 0] + present[:, 1] + (make.rng.random(400) < 0.2) > 0).astype(int))


def counts(make: Maker) -> Made:
    return make.table(make.rng.poisson(2, (400, 6)), make.rng.poisson(3, 400))


def heavy_tails(make: Maker) -> Made:
    return make.table(make.rng.standard_cauchy((300, 5)), make.rng.integers(0, 2, 300))


def a_rare_class(make: Maker) -> Made:
    features, _ = make.features(400)
    return make.table(features, (make.rng.random(400) < 0.04).astype(int))


def what_names_describe(make: Maker) -> Made:
    features, target = make.features(400)
    described = {
        "device_type": make.rng.choice(["desktop", "mobile", "tablet"], 400),
        "customer_segment": make.rng.choice(list("ABCDEFG"), 400),
        "account_age": make.rng.integers(1, 60, 400),
        "session_length": make.rng.integers(1, 90, 400),
        "zip": make.rng.choice([10115, 20095, 50667, 80331, 60311, 70173], 400),
    }
    return make.table(features, target, described)


def products(make: Maker) -> Made:
    features, target = make.features(400)
    return make.table(
        features, target, {"product": [f"item {number}" for number in make.rng.integers(0, 120, 400)]}
    )


def a_good_feature(make: Maker) -> Made:
    features, _ = make.features()
    numbers = features @ np.arange(5.0)
    noise = make.rng.normal(size=(2, 300))
    return make.table(features, numbers + noise[0] / 2, {"near": numbers + 2 * noise[1]})


def seasons(make: Maker) -> Made:
    features, target = make.features(600)
    features[:, 1] += np.sin(np.arange(600) / 5)
    return make.table(features, target, {"date": days(600)}, time="date")


def waves(make: Maker) -> Made:
    time, shape = np.linspace(0, 6, 40), make.rng.random((400, 3))
    signals = shape[:, :1] * np.sin(time * (1 + shape[:, 1:2]) + 6 * shape[:, 2:])
    return make.arrays(signals.astype(np.float32), (shape[:, 1] > 0.5).astype(int))


OTHER_CLEAN = (
    *(answers, words_of_documents, counts, heavy_tails, a_rare_class, what_names_describe, products),
    *(a_good_feature, seasons, waves),
)


def built_in(name: str) -> Callable[[Maker], Made]:
    return lambda _: {"name": name}


CLEAN = (
    *(
        few_values,
        grades,
        lattice,
        one_row_each,
        cities,
        same_test,
        steady_time,
        grouped,
        gaps,
        wide,
        pictures,
    ),
    *(separable, curve, many_classes, noisy_sum),
    *map(built_in, ("iris", "wine", "breast_cancer", "diabetes", "digits", "moons")),
)


def warned(
    tmp_path: Path, cases: tuple[Callable[[Maker], Made], ...]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for seed, case in enumerate(cases):
        folder = tmp_path / str(seed)
        folder.mkdir()
        data = load(from_dict({"data": case(Maker(folder, seed))}).data, None, examine=True)
        assert data.raw is None
        yield getattr(case, "__name__", ""), data.warnings


@pytest.mark.slow
def test_known_leaks_are_reported(tmp_path: Path) -> None:
    found = dict(warned(tmp_path, LEAKS))
    assert len(LEAKS) > 20
    assert len([name for name, lines in found.items() if lines]) >= LEAST_REPORTED + 1, found
    assert "exact duplicates across splits" in found["rows_again"][0]
    assert "near duplicates across splits" in found["images_brightened"][0]
    assert "data.group=patient_id" in found["patients"][0]
    assert "data.time=date" in found["a_date"][0]
    assert "ward alone gives the target away, by its values" in found["telling_category"][0]
    assert "paid alone gives the target away, by whether it is missing" in found["telling_gap"][0]
    assert "test is distributed otherwise than train in f1" in found["drifted_test"][0]


def test_images_are_compared_alike_however_many_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = load(from_dict({"data": images_brightened(Maker(tmp_path, 8))}).data, None)
    whole, lines = duplicates.vectors(data), duplicates.near_duplicates(data, set())
    monkeypatch.setattr(duplicates, "NUMBERS_AT_ONCE", 1500)
    pieces = [images for _, images in duplicates.in_pieces(data.train, np.arange(len(data.train)))]
    assert max(images.numel() for images in pieces) <= 1500
    assert torch.equal(torch.cat(pieces), data.train.inputs[:].double())
    found = duplicates.vectors(data)
    assert whole is not None
    assert found is not None
    for one, other in zip(whole, found, strict=True):
        np.testing.assert_array_equal(one, other)
    assert lines
    assert duplicates.near_duplicates(data, set()) == lines


@pytest.mark.slow
def test_clean_data_is_not_flagged(tmp_path: Path) -> None:
    found = {place: lines for place, (_, lines) in enumerate(warned(tmp_path, CLEAN))}
    assert len(CLEAN) > 20
    assert len([place for place, lines in found.items() if lines]) <= MAX_FLAGGED, found


@pytest.mark.slow
def test_leaks_and_clean_data_of_other_kinds_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "leaks").mkdir()
    leaks = dict(warned(tmp_path / "leaks", OTHER_LEAKS))
    assert [name for name, lines in leaks.items() if not lines] == []
    assert "outcome_code alone gives the target away" in leaks["telling_number_of_a_category"][0]
    assert "tariff alone gives the target away" in leaks["prices_by_number"][0]
    clean = dict(warned(tmp_path, OTHER_CLEAN))
    assert {name: lines for name, lines in clean.items() if lines} == {}


def of(name: str, kind: Any, values: np.ndarray, texts: tuple[str, ...] = ()) -> Checked:
    """One column, the same in train and test."""
    parts = {"train": values, "validation": values[:0], "test": values}
    return Checked([CheckedColumn(name, kind, parts, True, texts)], None, True)


def indicators(count: int, classes: int, told: int) -> Checked:
    """Classes, noise, and columns that are 1 for one class each; of so many classes there is one."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, classes, count)
    values = {f"is_{place}": (targets == place).astype(np.float64) for place in range(told)}
    values |= {f"x{place}": rng.normal(size=count) for place in range(4)}
    none = np.zeros(0)
    columns = [
        CheckedColumn(name, "number", {"train": each, "validation": none, "test": none})
        for name, each in values.items()
    ]
    return Checked(columns, {"train": targets}, True)


def test_a_target_split_over_columns_gives_itself_away() -> None:
    (line,) = giveaways(indicators(200, 5, 4))
    assert line.startswith("is_0, is_1, is_2 and 1 more give the target away, one class each")
    assert not list(giveaways(indicators(200, 5, 2))), "feathers tell birds"


@pytest.mark.parametrize("name", ["children", "member", "customer_age", "region", "city", "x", "price"])
def test_properties_are_not_ids(name: str) -> None:
    assert list(repeated_ids(of(name, "number", np.repeat(np.arange(5.0), 20)))) == []


def test_answers_in_any_case_are_few_however_they_are_written() -> None:
    texts = ("NO", "No", "YES ", "Yes", "no", "yes", " yes")
    assert list(repeated_ids(of("member", "text", np.arange(70) % 7, texts))) == []
    names = tuple(f"person {letter}" for letter in "abcdefg")
    assert len(list(repeated_ids(of("member", "text", np.arange(70) % 7, names)))) == 1


@pytest.mark.parametrize(
    "name", ["patient", "PatientID", "subject no", "user_id", "household", "pid", "numero_cliente"]
)
def test_what_rows_belong_to_is_an_id(name: str) -> None:
    assert len(list(repeated_ids(of(name, "number", np.repeat(np.arange(30.0), 4))))) == 1


def test_dates_of_birth_do_not_order_rows() -> None:
    values = np.arange(100.0)
    assert list(dates(of("date_of_birth", "date", values))) == []
    assert len(list(dates(of("visited", "date", values)))) == 1


def test_an_easy_task_is_not_given_away() -> None:
    rng = np.random.default_rng(0)
    target = rng.integers(0, 2, 200)

    def column(name: str, noise: float) -> CheckedColumn:
        values = target + rng.normal(size=200) * noise
        return CheckedColumn(name, "number", {"train": values, "validation": values[:0], "test": values[:0]})

    def checked(*noises: float) -> Checked:
        return Checked([column(f"c{at}", noise) for at, noise in enumerate(noises)], {"train": target}, True)

    assert len(list(giveaways(checked(0.05, 5, 5, 5)))) == 1
    assert list(giveaways(checked(0.05, 0.3, 0.3, 0.3))) == []
    assert list(giveaways(checked(5, 5, 5, 5))) == []


def test_a_check_is_announced_where_it_takes_more_than_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    iris = from_dict({"data": "iris"}).data
    load(iris, progress=lambda what, done, total: told.append(what), examine=True)
    assert told == []
    monkeypatch.setattr("core.data.registry.LARGE", 1)
    load(iris, progress=lambda what, done, total: told.append(what), examine=True)
    assert told == ["checking the splits"]
