"""Several inputs, and sequences of different lengths, from archives of NumPy; and new samples of such."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.config import schema as configuration
from core.data.dataset import Dataset
from core.data.fingerprint import fingerprint, same
from core.data.inputs import InputField
from core.data.registry import load
from core.errors import DataError, InputError
from core.inference.inputs import read_inputs

Y = np.arange(40) % 2
IMAGE = (np.arange(40 * 16).reshape(40, 4, 4) % 251).astype(np.uint8)
META = np.arange(80, dtype=np.float32).reshape(40, 2)
SEQUENCES = [np.arange(i % 4 + 1) for i in range(40)]
STEPS, OFFSETS = np.concatenate(SEQUENCES), np.cumsum([0, *map(len, SEQUENCES)])
Saved = Callable[..., Any]


@pytest.fixture
def data(tmp_path: Path) -> Callable[..., Dataset]:
    def data(arrays: dict[str, Any], **fields: Any) -> Dataset:
        np.savez(tmp_path / "my.npz", **arrays)
        return load(configuration.from_dict({"data": {"name": f"{tmp_path / 'my.npz'}", **fields}}).data)

    return data


def test_several_arrays_are_inputs_by_name(data: Saved) -> None:
    loaded = data({"image": IMAGE, "meta": META, "label": Y}, inputs="image, meta")
    assert [field.label for field in loaded.fields] == ["image (4x4)", "meta (2)"]
    assert loaded.notes[0].startswith("arrays: image, meta holds the inputs, label the targets")
    arrays = {
        "image": IMAGE,
        "meta": META,
        "y": Y,
        "image_val": IMAGE[:6],
        "meta_val": META[:6],
        "y_val": Y[:6],
    }
    assert len(data(arrays, inputs="image,meta").validation) == 6
    with pytest.raises(
        DataError, match="has image_val, y_val, but not all inputs and targets of the validation"
    ):
        data({key: value for key, value in arrays.items() if key != "meta_val"}, inputs="image,meta")
    with pytest.raises(DataError, match=r"data\.inputs: .* no 'metta'\. Did you mean 'meta'"):
        data(arrays, inputs="image,metta")
    with pytest.raises(DataError, match=r"several separated by commas"):
        data({"image": IMAGE, "meta": META, "answer": Y})


def test_sequences_are_steps_and_offsets(data: Saved) -> None:
    loaded = data({"x": STEPS, "x_offsets": OFFSETS, "y": Y})
    assert loaded.fields[0].label == "input 0 (up to 4)"
    column = loaded.train.inputs.columns[0]
    assert column.lengths.tolist() == [at % 4 + 1 for at in loaded.train.indices]
    wrong = OFFSETS.copy()
    wrong[-1] += 1
    with pytest.raises(DataError, match="x_offsets does not say where sequences start in the 100 steps"):
        data({"x": STEPS, "x_offsets": wrong, "y": Y})
    with pytest.raises(DataError, match=r"holds Python objects .* as x_offsets"):
        data({"x": np.array(SEQUENCES, dtype=object), "y": Y})


def test_facts_of_fields_survive_a_run(data: Saved) -> None:
    loaded = data(
        {"x": STEPS, "x_offsets": OFFSETS, "meta": META.astype(np.float64), "y": Y}, inputs="x,meta"
    )
    for field in loaded.fields:
        again = InputField.from_plain(field.plain())
        assert again.plain() == field.plain()
        assert again.empty().dtype == field.dtype


def test_fingerprints_tell_changed_inputs(data: Saved) -> None:
    arrays = {"x": STEPS, "x_offsets": OFFSETS, "meta": META, "y": Y}
    before = fingerprint(data(arrays, inputs="x,meta"))
    assert same(before, fingerprint(data(arrays, inputs="x,meta")))
    changed = META.copy()
    changed[3, 1] += 1
    for other in ({"meta": changed}, {"x": STEPS[::-1]}):
        assert not same(before, fingerprint(data({**arrays, **other}, inputs="x,meta")))


def test_new_samples_come_by_name(data: Saved, tmp_path: Path) -> None:
    loaded = data(
        {"image": IMAGE, "meta": META, "seq": STEPS, "seq_offsets": OFFSETS, "y": Y}, inputs="image,meta,seq"
    )
    new = tmp_path / "new.npz"
    arrays: dict[str, Any] = {
        "meta": np.arange(4).reshape(2, 2), "image": IMAGE[:2], "seq": STEPS[:3], "seq_offsets": np.array([0, 1, 3]),
    }  # fmt: skip
    np.savez(new, **arrays)
    given: Any = read_inputs(new, loaded)
    assert given.ids == ["0", "1"]
    assert given.inputs.columns["meta"].tolist() == [[0, 1], [2, 3]]
    assert given.inputs.columns["seq"].lengths.tolist() == [1, 2]
    for change, message in (
        ({"meta": None}, "but no meta. Give the arrays image, meta, seq"),
        ({"seq_offsets": None}, "has no seq_offsets"),
        ({"image": IMAGE[:2, :3]}, "image has samples of 3x4 uint8, the training samples have 4x4 uint8"),
        ({"image": IMAGE[:1]}, "has 1 samples in image and 2 in meta"),
    ):
        np.savez(new, **{key: value for key, value in {**arrays, **change}.items() if value is not None})
        with pytest.raises(InputError, match=message):
            read_inputs(new, loaded)
    numbered = replace(loaded, fields=(replace(loaded.fields[1], name=0), replace(loaded.fields[0], name=1)))
    columns = loaded.train.inputs.columns
    numbered.train.inputs.columns = {0: columns["meta"], 1: columns["image"]}
    np.savez(new, META[:3], IMAGE[:3])
    given = read_inputs(new, numbered)
    assert given.inputs.columns[1].shape == (3, 4, 4)
