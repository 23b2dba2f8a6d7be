"""Hugging Face's Trainer, followed by `tui`: one callback.

python examples/with_huggingface.py    # and meanwhile, in another terminal: tui watch
"""

import tempfile

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import EvalPrediction, Trainer, TrainingArguments

from core.adapters.huggingface import RunCallback


class Digits(nn.Module):
    """A small classifier of handwritten digits, as the Trainer wants models: it gives loss and logits."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))

    def forward(self, pixels: Tensor, labels: Tensor) -> dict[str, Tensor]:
        logits = self.layers(pixels)
        return {"loss": cross_entropy(logits, labels), "logits": logits}


def accuracy(answers: EvalPrediction) -> dict[str, float]:
    """Return the accuracy on the validation split."""
    return {"accuracy": float(np.mean(answers.predictions.argmax(1) == answers.label_ids))}


torch.manual_seed(0)
digits = load_digits()
pixels = torch.tensor(digits.data / 16, dtype=torch.float32)
samples = [{"pixels": row, "labels": int(label)} for row, label in zip(pixels, digits.target, strict=True)]
with tempfile.TemporaryDirectory() as folder:
    settings = TrainingArguments(
        folder,
        num_train_epochs=3,
        per_device_train_batch_size=64,
        learning_rate=0.01,
        eval_strategy="epoch",
        save_strategy="no",
        logging_steps=5,
        report_to="none",
        use_cpu=True,
        disable_tqdm=True,
    )
    trainer = Trainer(
        Digits(),
        settings,
        train_dataset=samples[:1500],
        eval_dataset=samples[1500:],
        compute_metrics=accuracy,
        callbacks=[RunCallback("with-huggingface")],
    )
    trainer.train()
