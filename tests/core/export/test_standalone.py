"""The exported program encodes rows as the training does, in one file that needs none of our packages."""

import ast
import json
from pathlib import Path

import numpy as np
import torch

from core.config.schema import from_dict
from core.data.registry import load
from core.export import predict
from core.export.predict_tables import encode, read_rows
from core.export.standalone import standalone
from tests.support.narrow import instance, some

SIZES = ("1.234,5 €", "7,25 €", "12,00 €", "-999")
COLOURS = ("r\\ed", '"bl""ue"', "NA")


def test_rows_are_encoded_as_in_the_training(tmp_path: Path) -> None:
    path = tmp_path / "my.csv"
    rows = ["Title of it", "when;size;share;colour;code;kind"]
    for at in range(120):
        when, code = (
            f"{1 + at % 28:02}.{1 + at % 12:02}.{19 + at % 3:02}",
            "-999.0" if at % 9 == 0 else str(at),
        )
        rows.append(f"{when};{SIZES[at % 4]};{at % 50}%;{COLOURS[at % 3]};{code};{'ab'[at % 2]}")
    path.write_text("\n".join(rows))
    fields = {"name": "csv", "path": str(path), "target": "kind", "missing": ["NA", "-999"]}
    data = load(from_dict({"data": fields}).data)
    table = json.loads(json.dumps(some(data.table).deployed()))
    features = encode(read_rows(path, table), table, path).astype(np.float32)
    for split in (data.train, data.validation, data.test):
        assert np.array_equal(features[split.indices], instance(torch.Tensor, split.inputs).numpy())


def test_no_name_of_the_modules_that_are_written_into_it_is_taken_twice() -> None:
    text = standalone(Path(str(predict.__file__)))
    names: list[str] = []
    for node in ast.parse(text).body:
        targets = [target.id for target in getattr(node, "targets", []) if isinstance(target, ast.Name)]
        names += [node.name] if isinstance(node, ast.FunctionDef | ast.ClassDef) else targets
    assert len(names) == len({*names})
    assert "from core" not in text
