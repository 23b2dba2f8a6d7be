"""Logs that the tools themselves write, read to their end."""

from pathlib import Path

import pytest
import torch

from core.interop.readers.logs import find_log, find_logs
from tests.support.foreign_logs import history_of, points, read_all

pytestmark = pytest.mark.heavy


def test_a_file_store_of_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed")
    client = mlflow.MlflowClient(f"file://{tmp_path}/mlruns")
    run = client.create_run(client.create_experiment("first try"), run_name="bold-run").info.run_id
    client.log_param(run, "lr", 0.1)
    for step in range(3):
        client.log_metric(run, "train/loss", 2 / (step + 1), timestamp=1000 * step, step=step)
        client.log_metric(run, "val_loss", 4 / (step + 1), timestamp=1000 * step, step=step)
    client.set_terminated(run)
    (found,) = find_logs(tmp_path)
    history = history_of(read_all(found.reader()))
    assert found.format.title(found.path) == "first try bold-run"
    assert points(history, "validation loss") == [(1, 4), (2, 2), (3, 1.3333)]
    assert history.started is not None
    assert history.started.config["optimizer"] == {"lr": 0.1}
    assert history.finished is not None
    assert history.finished.status == "completed"


class Linear(torch.nn.Module):
    """A network as Hugging Face's Trainer calls it."""

    def __init__(self) -> None:
        super().__init__()
        self.net = torch.nn.Linear(4, 2)

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        outputs = self.net(x)
        return {"loss": torch.nn.functional.cross_entropy(outputs, labels), "logits": outputs}


def test_checkpoints_of_hugging_faces_trainer(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    pytest.importorskip("accelerate", reason="accelerate is not installed")
    rows = [{"x": torch.full((4,), float(row)), "labels": row % 2} for row in range(32)]
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path / "out"),
        num_train_epochs=3,
        per_device_train_batch_size=8,
        logging_steps=2,
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=1,
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
    )
    trainer = transformers.Trainer(Linear(), arguments, train_dataset=rows, eval_dataset=rows)
    trainer.train()
    history = history_of(read_all(find_log(tmp_path)))
    expected = [round(entry["eval_loss"], 4) for entry in trainer.state.log_history if "eval_loss" in entry]
    assert points(history, "validation loss") == [(epoch + 1, loss) for epoch, loss in enumerate(expected)]
    assert len(expected) == 3
    assert history.step == 12
    assert history.finished is not None
    assert history.finished.status == "completed"
