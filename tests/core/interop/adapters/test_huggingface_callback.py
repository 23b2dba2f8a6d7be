"""Length of a run as the callback for Hugging Face's Trainer reports it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset, IterableDataset

from core.events import EpochFinished, RunStarted
from core.runs.log import LogReader

pytestmark = pytest.mark.filterwarnings("ignore")
SAMPLES = 20
BATCH = 4


class Line(nn.Module):
    """One weight."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def forward(self, x: Tensor, labels: Tensor) -> dict[str, Tensor]:
        answer = self.layer(x)
        return {"loss": (answer - labels).square().mean(), "logits": answer}


def sample(number: int) -> dict[str, Tensor]:
    return {"x": torch.full((1,), number / SAMPLES), "labels": torch.zeros(1)}


class Samples(Dataset[dict[str, Tensor]]):
    """With a length."""

    def __len__(self) -> int:
        return SAMPLES

    def __getitem__(self, at: int) -> dict[str, Tensor]:
        return sample(at)


class Stream(IterableDataset[dict[str, Tensor]]):
    """Without one."""

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        return map(sample, range(SAMPLES))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("samples", "given", "epochs", "steps_per_epoch", "settings"),
    [
        (Samples, {"num_train_epochs": 2}, 2, 5, {"epochs": 2}),
        (Samples, {"num_train_epochs": 1.5}, 2, 5, {"epochs": 1.5}),
        (Samples, {"num_train_epochs": 2, "gradient_accumulation_steps": 2}, 2, 3, {"epochs": 2}),
        (Samples, {"max_steps": 7}, 2, 5, {}),
        (Samples, {"max_steps": 3}, 1, 3, {}),
        (Stream, {"max_steps": 7}, 0, 0, {}),
    ],
)
def test_a_run_is_as_long_as_the_trainer_trains(
    samples: Callable[[], Any],
    given: dict[str, Any],
    epochs: int,
    steps_per_epoch: int,
    settings: dict[str, Any],
    tmp_path: Path,
) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    pytest.importorskip("accelerate", reason="accelerate is not installed, which transformers' Trainer needs")
    from core.interop.adapters.huggingface import RunCallback  # the library costs seconds

    callback = RunCallback("line", runs_dir=tmp_path)
    options = {
        "report_to": "none",
        "save_strategy": "no",
        "use_cpu": True,
        "disable_tqdm": True,
        "logging_steps": 1,
    }
    arguments = transformers.TrainingArguments(
        str(tmp_path / "trainer"), per_device_train_batch_size=BATCH, **options, **given
    )
    transformers.Trainer(Line(), arguments, train_dataset=samples(), callbacks=[callback]).train()
    assert callback.run is not None
    events = LogReader(callback.run.run.log_file).read()
    started = next(event for event in events if isinstance(event, RunStarted))
    assert (started.epochs, started.steps_per_epoch) == (epochs, steps_per_epoch)
    training = started.config["training"]
    assert {name: training[name] for name in ("epochs",) if name in training} == settings
    told = [event for event in events if isinstance(event, EpochFinished)]
    assert len(told) == (epochs or 2)
