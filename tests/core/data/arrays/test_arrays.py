"""Arrays from NumPy's files: what they hold is found, what is wrong is told, and nothing in them is run."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.config import schema as configuration
from core.data import mapped
from core.data.conditioning import Conditioning
from core.data.dataset import Dataset
from core.data.registry import load
from core.errors import DataError
from core.export.deployed import Deployed
from core.inference.inputs import read_inputs
from tests.support.narrow import instance, some

N = 60
CLASSES = np.arange(N) % 3
RANDOM = np.random.default_rng(0)


def loaded(path: Path, **fields: Any) -> Dataset:
    return load(configuration.from_dict({"data": {"name": "arrays", "path": str(path), **fields}}).data)


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    def save(**arrays: Any) -> Path:
        np.savez(tmp_path / "my.npz", **arrays)
        return tmp_path / "my.npz"

    return save


Save = Callable[..., Path]


@pytest.mark.parametrize(
    ("inputs", "kind", "shape"),
    [
        (RANDOM.normal(size=(N, 5)), "table", (5,)),
        (RANDOM.normal(size=N), "table", (1,)),
        (RANDOM.integers(0, 9, (N, 8, 6)).astype(np.uint8), "image", (1, 8, 6)),
        (RANDOM.integers(0, 9, (N, 8, 6, 3)).astype(np.uint8), "image", (3, 8, 6)),
        (RANDOM.integers(0, 9, (N, 3, 8, 6)).astype(np.uint8), "image", (3, 8, 6)),
        (RANDOM.uniform(size=(N, 8, 6)) > 0.5, "image", (1, 8, 6)),
        (RANDOM.integers(0, 60_000, (N, 8, 6)).astype(np.uint16), "image", (1, 8, 6)),
        (RANDOM.uniform(size=(N, 4, 4, 3)).astype(np.float64), "image", (3, 4, 4)),
    ],
)
def test_the_shape_says_what_a_sample_is(
    inputs: np.ndarray, kind: str, shape: tuple[int, ...], save: Save
) -> None:
    data = loaded(save(x=inputs, y=CLASSES))
    assert (data.kind, data.sample_shape, data.task) == (kind, shape, "multiclass")
    wanted = torch.uint8 if inputs.dtype in (np.uint8, np.bool_) else torch.float32
    assert data.train.inputs.dtype == wanted
    assert [len(split) for split in data.splits.values()] == [43, 5, 12]
    low, high = data.value_range
    rows = instance(torch.Tensor, data.train.inputs)
    assert low <= float(rows.min()) <= float(rows.max()) <= high or kind == "table"


def test_samples_keep_their_values_and_places(save: Save) -> None:
    inputs = RANDOM.integers(0, 256, (N, 8, 6, 3)).astype(np.uint8)
    data = loaded(save(x=inputs, y=CLASSES))
    for split in data.splits.values():
        assert np.array_equal(split.inputs[:], inputs[split.indices].transpose(0, 3, 1, 2))
        assert np.array_equal(split.targets, CLASSES[split.indices])


@pytest.mark.parametrize(
    ("shape", "expected"),
    [("table", (96,)), ("channels_first", (4, 8, 3)), ("channels_last", (3, 4, 8))],
)
def test_the_shape_can_be_said(shape: str, expected: tuple[int, ...], save: Save) -> None:
    assert loaded(save(x=np.ones((N, 4, 8, 3)), y=CLASSES), shape=shape).sample_shape == expected


@pytest.mark.parametrize(
    ("targets", "task", "names"),
    [
        (CLASSES, "multiclass", ("0", "1", "2")),
        (CLASSES * 10 - 10, "multiclass", ("-10", "0", "10")),
        (CLASSES[:, None].astype(np.uint8), "multiclass", ("0", "1", "2")),
        (CLASSES > 0, "binary", ("False", "True")),
        (np.eye(3)[CLASSES], "multiclass", ("0", "1", "2")),
        (np.array(["dog", "cat", "bird"])[CLASSES], "multiclass", ("bird", "cat", "dog")),
        (np.array([b"b", b"a"])[CLASSES % 2], "binary", ("a", "b")),
        (CLASSES.astype(float), "multiclass", ("0", "1", "2")),
        (np.array([9, 10, 11])[CLASSES], "multiclass", ("9", "10", "11")),
        (np.array(["9", "10", "11"])[CLASSES], "multiclass", ("9", "10", "11")),
        (CLASSES - 1, "multiclass", ("-1", "0", "1")),
        (CLASSES.astype(">i4"), "multiclass", ("0", "1", "2")),
        (CLASSES[:, None, None], "multiclass", ("0", "1", "2")),
        (CLASSES + 0.5, "regression", ()),
        ((CLASSES + 0.5)[:, None], "regression", ()),
    ],
)
def test_the_type_says_what_the_targets_are(
    targets: np.ndarray, task: str, names: tuple[str, ...], save: Save
) -> None:
    data = loaded(save(x=np.arange(N * 2.0).reshape(N, 2), y=targets))
    assert (data.task, data.class_names) == (task, names)
    if names:
        by_name = np.array(data.class_names)[data.train.targets]
        given = targets.argmax(1) if targets.shape == (N, 3) else targets.reshape(N)
        given = given.astype(int) if given.dtype.kind == "f" else given
        known = [value.decode() if isinstance(value, bytes) else str(value) for value in given]
        assert by_name.tolist() == [known[at] for at in data.train.indices]


def test_the_task_can_be_said(save: Save) -> None:
    path = save(x=np.ones((N, 2)), y=CLASSES.astype(float) + 9)
    assert loaded(path, task="classification").class_names == ("9", "10", "11")
    assert loaded(save(x=np.ones((N, 2)), y=CLASSES), task="regression").task == "regression"


def test_an_archive_may_bring_its_own_test_set(save: Save) -> None:
    inputs, labels = RANDOM.integers(0, 256, (N, 4, 4)).astype(np.uint8), np.array(["b", "a", "c"])[CLASSES]
    data = loaded(save(x_train=inputs, y_train=labels, x_test=inputs[:6], y_test=labels[:6]))
    assert [len(split) for split in data.splits.values()] == [54, 6, 6]
    assert np.array_equal(data.test.inputs[:][:, 0], inputs[:6])
    assert [data.class_names[target] for target in data.test.targets] == list(labels[:6])


def test_names_are_found_or_given(save: Save) -> None:
    arrays = {"Images": np.zeros((N, 4, 4)), "LABELS": CLASSES, "other": CLASSES + 0.5}
    assert loaded(save(**arrays)).outputs == 3
    assert loaded(save(**arrays), targets="other").task == "regression"
    assert loaded(save(pixels=arrays["Images"], LABELS=CLASSES), inputs="pixels").kind == "image"


def test_single_arrays_lie_beside_each_other(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((N, 4, 4), np.uint8))
    np.save(tmp_path / "y.npy", CLASSES)
    np.save(tmp_path / "numbers.npy", CLASSES.astype(np.float32) / 2)
    assert loaded(tmp_path / "x.npy").outputs == 3
    assert loaded(tmp_path / "x.npy", targets="numbers.npy").task == "regression"
    with pytest.raises(DataError, match=r"numbers\.npy is a single array, and no file beside it"):
        loaded(tmp_path / "numbers.npy")


def test_images_larger_than_memory_stay_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "x.npy", RANDOM.integers(0, 256, (N, 4, 4)).astype(np.uint8))
    np.save(tmp_path / "y.npy", CLASSES)
    resident = loaded(tmp_path / "x.npy")
    monkeypatch.setattr(mapped, "LARGEST_RESIDENT", 0)
    on_disk = loaded(tmp_path / "x.npy")
    assert isinstance(on_disk.train.inputs, mapped.MappedRows)
    assert torch.equal(on_disk.train.inputs[:], resident.train.inputs[:])
    assert torch.equal(on_disk.mean, resident.mean)


def test_a_path_alone_names_the_source(save: Save) -> None:
    config = configuration.from_dict({"data": str(save(x=np.ones((N, 2)), y=CLASSES))})
    assert config.data.name == "arrays"
    assert len(load(config.data).test) == 12


X = np.ones((N, 2))


@pytest.mark.parametrize(
    "names",
    [
        ("val_images", "val_labels"),
        ("valid_images", "valid_labels"),
        ("validation_images", "validation_labels"),
    ],
)
def test_an_archive_may_bring_its_own_validation_set(names: tuple[str, str], save: Save) -> None:
    inputs = RANDOM.integers(0, 256, (N, 6, 6)).astype(np.uint8)
    arrays = {"train_images": inputs, "train_labels": CLASSES[:, None].astype(np.uint8)}
    path = save(**arrays, **{names[0]: inputs[:9], names[1]: CLASSES[:9, None]})
    data = loaded(path)
    assert [len(split) for split in data.splits.values()] == [48, 9, 12]
    assert np.array_equal(data.validation.inputs[:][:, 0], inputs[:9])
    assert np.array_equal(data.validation.targets, CLASSES[:9])
    assert f"validation from {names[0]} and {names[1]}" in data.notes[0]
    with pytest.raises(DataError, match=r"data\.folds: the data has a validation split of its own"):
        loaded(path, folds=3)


def test_all_three_splits_may_be_given(save: Save) -> None:
    rows = RANDOM.normal(size=(N, 3))
    path = save(
        X_train=rows,
        y_train=CLASSES,
        x_valid=rows[:9],
        y_valid=CLASSES[:9],
        X_test=rows[9:],
        y_test=CLASSES[9:],
    )
    data = loaded(path)
    assert [len(split) for split in data.splits.values()] == [N, 9, N - 9]
    path = save(x=rows, y=CLASSES, x_val=rows[:9], y_val=CLASSES[:9], spare=rows)
    data = loaded(path)
    assert [len(split) for split in data.splits.values()] == [48, 9, 12]
    assert data.notes[1] == "left out the arrays spare"


def test_names_of_classes_and_columns_are_taken(save: Save) -> None:
    names = {"feature_names": np.array(["a", "b"]), "target_names": np.array(["x", "y", "z"])}
    data = loaded(save(data=RANDOM.normal(size=(N, 2)), target=CLASSES, **names))
    assert (data.class_names, data.feature_names) == (("x", "y", "z"), ("a", "b"))


@pytest.mark.parametrize(
    "inputs",
    [
        RANDOM.normal(size=(N, 100, 3)).astype(np.float32),
        RANDOM.normal(size=(N, 1, 50)).astype(np.float32),
        RANDOM.normal(size=(N, 128, 9)),
        RANDOM.integers(-99, 99, (N, 250, 12)),
        RANDOM.integers(0, 99, (N, 100, 3)).astype(np.uint8),
        RANDOM.normal(size=(N, 8, 8, 8)),
        RANDOM.normal(size=(N, 6, 7, 8)),
    ],
)
def test_series_and_volumes_are_never_taken_for_images(inputs: np.ndarray, save: Save) -> None:
    path = save(x=inputs, y=CLASSES)
    if inputs.ndim == 3:
        assert loaded(path).kind == "signal"
    else:
        with pytest.raises(
            DataError, match=r"x has the shape 60x.*Set data\.shape to channels_first .*table"
        ):
            loaded(path)
    assert loaded(path, shape="channels_first").kind == "image"
    assert loaded(path, shape="table").sample_shape == (int(np.prod(inputs.shape[1:])),)


@pytest.mark.parametrize(
    ("inputs", "name", "shape"),
    [
        (RANDOM.normal(size=(N, 20, 20)), "x", (1, 20, 20)),
        (RANDOM.normal(size=(N, 20, 28)), "x", (1, 20, 28)),
        (RANDOM.normal(size=(N, 4, 40)), "images", (1, 4, 40)),
        (RANDOM.normal(size=(N, 8, 8, 13)), "x", (13, 8, 8)),
        (RANDOM.normal(size=(N, 13, 8, 8)), "x", (13, 8, 8)),
    ],
)
def test_images_are_reported_by_their_shape(
    inputs: np.ndarray, name: str, shape: tuple[int, ...], save: Save
) -> None:
    data = loaded(save(**{name: inputs}, labels=CLASSES, y=CLASSES), targets="y", inputs=name)
    assert data.sample_shape == shape
    text = " x ".join(map(str, shape))
    assert (
        f"inputs: images of {text} (channels x height x width), by the shape of {name}; data.shape sets it"
        in data.notes
    )


@pytest.mark.parametrize("dtype", [np.float16, ">f4", ">f8", np.int8, np.uint64, np.bool_])
@pytest.mark.parametrize("order", ["C", "F"])
def test_numbers_of_every_type_and_order(dtype: Any, order: Any, save: Save) -> None:
    rows = np.array(RANDOM.integers(0, 2, (N, 3)), dtype=dtype, order=order)
    data = loaded(save(x=rows, y=CLASSES))
    for split in data.splits.values():
        assert np.array_equal(split.inputs[:], rows[split.indices].astype(np.float32))


def test_single_arrays_may_stay_joined_or_structured_but_not_silently(tmp_path: Path) -> None:
    np.save(tmp_path / "all.npy", RANDOM.normal(size=(N, 4)))
    with pytest.raises(DataError, match=r"all\.npy is a single array.*x=a\[:, :-1\], y=a\[:, -1\]"):
        loaded(tmp_path / "all.npy")
    rows = np.array([(0.5, 1)] * N, dtype=[("a", "f4"), ("target", "i4")])
    np.save(tmp_path / "fields.npy", rows)
    np.savez(tmp_path / "fields.npz", x=rows, y=CLASSES)
    for file in ("fields.npy", "fields.npz"):
        with pytest.raises(
            DataError, match=r"has the named fields a, target: it is a table\. .*write_parquet"
        ):
            loaded(tmp_path / file)


def test_columns_far_from_0_are_centred_before_they_become_float32(save: Save) -> None:
    rows = np.stack([1e8 + np.arange(N) / 100, RANDOM.normal(size=N)], 1)
    data = loaded(save(x=rows, y=CLASSES, feature_names=np.array(["time", "size"])))
    note = "columns far from 0 are centred before they become float32, in predictions as well: time"
    assert note in data.notes
    for split in data.splits.values():
        inputs = instance(torch.Tensor, split.inputs)
        assert inputs.dtype == torch.float32
        assert np.allclose(data.in_unit(inputs)[:, 0], rows[split.indices, 0], rtol=0, atol=1e-5)
        assert np.array_equal(inputs[:, 1], rows[split.indices, 1].astype(np.float32))
    assert 0.1 < data.std[0] < 0.3
    assert loaded(save(x=rows.astype(np.float32), y=CLASSES)).conditioning is None
    whole = loaded(save(x=np.stack([10**15 + np.arange(N), np.arange(N) % 7], 1) // 1, y=CLASSES))
    assert len(instance(torch.Tensor, whole.train.inputs)[:, 0].unique()) > N // 3


def test_targets_far_from_0_keep_their_differences(save: Save) -> None:
    seconds = np.linspace(1.7e9, 1.7e9 + 90, N)
    data = loaded(save(x=RANDOM.normal(size=(N, 2)), y=seconds))
    assert np.array_equal(data.train.targets[:, 0], seconds[data.train.indices])
    assert 20 < data.target_std[0] < 30


def test_heavy_tails_are_clipped_as_in_tables_by_train_alone(save: Save) -> None:
    rows, numbers = RANDOM.normal(size=(300, 2)), RANDOM.normal(size=300)
    plain = loaded(save(x=rows, y=numbers))
    assert plain.conditioning is None
    wrong, other = plain.train.indices[3], plain.test.indices[3]
    rows[wrong, 1] = numbers[wrong] = numbers[other] = 1e9
    rows[other, 0] = 1e9
    data = loaded(save(x=rows, y=numbers))
    assert any("heavy tails are clipped, in predictions as well: column 2 to" in note for note in data.notes)
    assert any("the heavy tails of y are clipped in train alone" in note for note in data.notes)
    assert instance(torch.Tensor, data.train.inputs).abs().max() < 50
    assert instance(torch.Tensor, data.test.inputs).max() == 1e9
    assert data.test.targets.max() == 1e9
    assert data.train.targets.max() < 50
    assert data.target_std[0] < 5


def test_clipped_and_centred_columns_predict_as_they_were_trained(save: Save, tmp_path: Path) -> None:
    rows = np.stack([1e8 + RANDOM.normal(size=200), RANDOM.normal(size=200)], 1)
    numbers = rows[:, 0] - 1e8 + rows[:, 1]
    rows[7, 1] = 1e9
    data = loaded(save(x=rows, y=numbers, x_test=rows, y_test=numbers))
    np.savez(tmp_path / "new.npz", x=rows)
    given = read_inputs(tmp_path / "new.npz", data).inputs
    assert torch.equal(given, instance(torch.Tensor, data.test.inputs))
    made = Deployed(torch.nn.Sequential(torch.nn.Linear(2, 1)), data, configuration.TrainConfig().loss)
    inputs = (given - data.mean) / data.std
    with torch.no_grad():
        own = made.model(inputs).squeeze(1) * data.target_std[0] + data.target_mean[0]
        assert torch.allclose(made(torch.from_numpy(rows)), own, atol=1e-5)
    kept = Conditioning.from_plain(json.loads(json.dumps(some(data.conditioning).plain())))
    assert np.array_equal(kept.apply(rows), given)


BAD_ARRAYS: list[tuple[dict[str, Any], str]] = [
    ({"x": X}, r"my\.npz holds x, none of which are known names of inputs and targets"),
    ({"a": X, "b": CLASSES}, r"my\.npz holds a, b, none of which are"),
    ({}, "holds nothing, none of which"),
    ({"x": X[:-1], "y": CLASSES}, r"has 59 samples in x and 60 in y"),
    ({"x": X[:0], "y": CLASSES[:0]}, r"my\.npz, x holds no samples: its shape is 0x2"),
    ({"x": np.float64(3), "y": CLASSES}, "x holds no samples: its shape is a single number"),
    ({"x": X.astype(str), "y": CLASSES}, "x holds texts, not numbers"),
    ({"x": X.astype(object), "y": CLASSES}, r"x in .*my\.npz holds Python objects \(a pickle\)"),
    ({"x": X, "y": CLASSES.astype(object)}, r"y in .*my\.npz holds Python objects"),
    (
        {"x": np.where(np.arange(N) < 7, X.T, np.nan).T, "y": CLASSES},
        "x has NaN or .* in 53 samples, first in sample 7",
    ),
    (
        {"x": X, "y": np.where(CLASSES == 2, np.inf, 0)},
        "y is NaN or infinite for 20 samples, first for sample 2",
    ),
    ({"x": X, "y": np.zeros(N, int)}, "the targets are all 0: there is nothing to classify"),
    ({"x": X, "y": np.arange(N)}, "60 different values in 60 samples, too many for classes"),
    ({"x": X, "y": np.ones((N, 2, 2))}, "y has the shape 60x2x2"),
    (
        {"x": X, "y": np.ones((N, 4))},
        "each of label_0, .* is the same in all rows: there is nothing to learn",
    ),
    ({"x": X, "y": np.full((N, 4), 0.5)}, "each of target 1, target 2, .* is the same in all rows"),
    ({"x": X.T, "y": CLASSES}, "has 2 samples in x and 60 in y. Samples come first: transpose x"),
    (
        {"x": X, "y": np.arange(N) % 25 * 3 - 9},
        "25 different whole numbers from -9 to 63, which may be classes or quantities",
    ),
    (
        {"x": 2**60 + np.arange(2 * N).reshape(N, 2), "y": CLASSES},
        r"x, column 1 has values around 1\.15292e\+18 that differ by less than float64 can hold",
    ),
    ({"x": X, "y": CLASSES.astype("datetime64[D]")}, r"y is of type datetime64\[D\]"),
    ({"x": np.ones((N, 2, 2, 2, 2)), "y": CLASSES}, "60x2x2x2x2, which is neither a table nor images"),
    (
        {"x": X, "y": np.minimum(np.arange(N), 1)},
        "data.test: only one sample of 0 is left, and each class needs",
    ),
    (
        {"x_train": X, "y_train": CLASSES, "x_test": X[:, :1], "y_test": CLASSES},
        "the test set has inputs of the shape",
    ),
    ({"x_train": X, "y_train": CLASSES, "x_test": X, "y_test": CLASSES + 1}, "the test set has the class 3"),
]


@pytest.mark.parametrize(("arrays", "message"), BAD_ARRAYS)
def test_what_is_wrong_is_told(arrays: dict[str, Any], message: str, save: Save) -> None:
    with pytest.raises(DataError, match=message) as caught:
        loaded(save(**arrays))
    assert "\n" not in str(caught.value)


def pickled(path: Path) -> None:
    np.save(path, np.array([print], dtype=object), allow_pickle=True)


def cut_archive(path: Path) -> None:
    content = io.BytesIO()
    np.savez(content, x=X, y=CLASSES)
    path.write_bytes(content.getvalue()[:300])


def damaged_member(path: Path) -> None:
    np.savez_compressed(path, x=RANDOM.normal(size=(N, 50)), y=CLASSES)
    content = bytearray(path.read_bytes())
    content[400:500] = bytes(100)
    path.write_bytes(content)


def no_arrays(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", "text")
        archive.writestr("y.npy", "text")


@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        ("a.npz", lambda path: None, "cannot read .*: No such file"),
        ("a.npz", Path.mkdir, "is a folder"),
        ("a.npz", Path.touch, "is empty"),
        ("a.npz", lambda path: path.write_bytes(b"\x80\x04K\x01."), "holds Python objects"),
        ("a.npz", cut_archive, "is not an array file, or a damaged one"),
        ("a.npz", damaged_member, r"x in .* is not an array file, or a damaged one"),
        ("a.npz", no_arrays, r"x holds texts, not numbers"),
        ("a.npz", lambda path: path.write_bytes(X.tobytes()), "holds Python objects|is not an array file"),
        ("x.npy", pickled, "holds Python objects"),
        (
            "x.npy",
            lambda path: path.write_bytes(b"\x93NUMPY\x01\x00"),
            "is not an array file, or a damaged one",
        ),
    ],
)
def test_bad_files_are_told(name: str, write: Callable[[Path], None], message: str, tmp_path: Path) -> None:
    np.save(tmp_path / "y.npy", CLASSES)
    write(tmp_path / name)
    with pytest.raises(DataError, match=message) as caught:
        loaded(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("field", ["inputs", "targets"])
def test_a_name_that_is_not_there_is_told_with_those_that_are(field: str, save: Save) -> None:
    with pytest.raises(DataError, match=rf"data\.{field}: my\.npz holds x, y, but no 'z'"):
        loaded(save(x=X, y=CLASSES), **{field: "z"})


def test_no_path_is_told() -> None:
    with pytest.raises(DataError, match=r"data\.path: no file is given\. Give an \.npz or \.npy file"):
        load(configuration.from_dict({"data": "arrays"}).data)
