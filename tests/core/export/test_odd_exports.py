"""Networks that a format cannot hold are refused with the cause; their numbers and extra state do no harm."""

from pathlib import Path

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence

from core.errors import ModelError
from core.export.export import export
from core.export.reasons import export_reason
from core.user_code.trust import trust
from tests.support.fixtures import TrainRun
from tests.support.repository import REPOSITORY

FILE = REPOSITORY / "tests" / "support" / "odd_networks.py"


def written(name: str, to: str, train_run: TrainRun, folder: Path) -> float | None:
    trust(FILE)
    model = {"name": "python", "path": f"{FILE}:{name}"}
    trained = train_run({"model": model, "training": {"epochs": 1, "batch_size": 500}})
    done = export(trained.run, to, folder, data_root=None, progress=lambda what, done, total: None)
    return done.difference


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "to"),
    [
        ("Half", "pt2"),
        ("Half", "safetensors"),
        ("ExtraState", "safetensors"),
        ("ReturnsDict", "pt2"),
        ("scripted", "safetensors"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_exported(name: str, to: str, train_run: TrainRun, tmp_path: Path) -> None:
    assert (written(name, to, train_run, tmp_path / "out") or 0.0) < 1e-4


@pytest.mark.parametrize(
    ("name", "to", "reason"),
    [
        ("Item", "pt2", r"odd_networks.py, line \d+: .*data-dependent"),
        ("CacheHidden", "pt2", "takes the number of samples, 2 in the trial, for a constant"),
        ("scripted", "pt2", "it is scripted"),
        pytest.param("Orthogonal", "onnx", "No ONNX function found", marks=pytest.mark.slow),
        pytest.param("Half", "onnx", "does not run: .*Gemm", marks=pytest.mark.slow),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_refused_with_the_cause(name: str, to: str, reason: str, train_run: TrainRun, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=reason) as refused:
        written(name, to, train_run, tmp_path / "out")
    assert "\n" not in str(refused.value)
    assert "\x1b" not in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_the_innermost_cause_without_escape_codes() -> None:
    inner, outer = (
        ValueError("No \x1b[96mfunction\x1b[0m for it\nand so on"),
        RuntimeError("Failed. Next steps:"),
    )
    outer.__cause__ = inner
    assert export_reason(outer) == "ValueError: No function for it"
    assert export_reason(ValueError()) == "ValueError"


@pytest.mark.filterwarnings("ignore:The tensor attributes")
def test_packed_sequences_are_named_as_the_reason() -> None:
    class Packed(torch.nn.GRU):
        def forward(self, steps: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:  # type: ignore[override] # named
            packed = pack_padded_sequence(steps, lengths, batch_first=True, enforce_sorted=False)
            last: torch.Tensor = super().forward(packed)[1]
            return last

    with pytest.raises(Exception) as told:  # whichever the tracer raises
        torch.export.export(Packed(3, 4, batch_first=True), (torch.zeros(2, 5, 3), torch.tensor([5, 3])))
    assert "packed sequences" in export_reason(told.value)
