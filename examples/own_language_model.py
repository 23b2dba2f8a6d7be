"""A language model of characters: an own data function, tokens that stay as they are, and text to look at.

python examples/own_language_model.py
tui train --model examples/own_language_model.py:LanguageModel --data examples/own_language_model.py:sentences \\
    --set data.scaling=none --optimizer adam
"""

import math
import random

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tui.cli import main

ALPHABET = " .abcdefghijklmnopqrstuvwxyz"
WORDS = {
    "subject": ["the cat", "a dog", "my friend", "the old man", "a bird"],
    "verb": ["sees", "likes", "follows", "hears"],
    "object": ["the moon", "a river", "the garden", "some cake", "a song"],
}


def sentences(count: int = 800, length: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Return windows of made-up sentences as tokens.

    Returns:
        Tokens, int64 (n, length), and the one after each window, int64 (n,), which this network does not need.
    """
    dice = random.Random(0)
    parts = [" ".join(map(dice.choice, WORDS.values())) + ". " for _ in range(count)]
    tokens = np.array([ALPHABET.index(letter) for letter in "".join(parts)])
    starts = np.arange(0, len(tokens) - length, length // 2)
    return tokens[starts[:, None] + np.arange(length)], tokens[starts + length]


class LanguageModel(nn.Module):
    """Reads characters with a GRU and predicts each from those before it."""

    higher_is_better = {"bits_per_character": False}
    """The direction of a number whose name does not end in loss or error."""

    def __init__(self, width: int = 64, embedding: int = 16) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(ALPHABET), embedding)
        self.gru = nn.GRU(embedding, width, batch_first=True)
        self.output = nn.Linear(width, len(ALPHABET))

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (batch, length), of any number type, to scores of what follows each (batch, length, characters)."""
        hidden, _ = self.gru(self.embedding(tokens.long()))
        return self.output(hidden)

    def training_step(self, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Return the cross-entropy of the next character in nats, and how often the likeliest is right."""
        tokens = batch[0].long()
        scores, following = self(tokens)[:, :-1], tokens[:, 1:]
        loss = cross_entropy(scores.flatten(0, 1), following.flatten())
        right = (scores.argmax(dim=2) == following).float().mean()
        return {"loss": loss, "accuracy": right}

    def validation_step(self, batch: tuple[Tensor, Tensor]) -> dict[str, object]:
        """Return the same numbers, the loss in bits, and a text that the network wrote for Evaluate."""
        numbers = self.training_step(batch)
        bits = numbers["loss"] / math.log(2)
        return {**numbers, "bits_per_character": bits, "samples": self.write("the ")}

    def write(self, text: str, length: int = 120) -> str:
        """Return `text` with so many characters more, each drawn from the scores."""
        for _ in range(length):
            tokens = torch.tensor(
                [[ALPHABET.index(letter) for letter in text[-64:]]], device=self.output.weight.device
            )
            text += ALPHABET[int(torch.multinomial(self(tokens)[0, -1].softmax(dim=0), 1))]
        return text


if __name__ == "__main__":
    import sys

    choices = ["--model", f"{__file__}:LanguageModel", "--data", f"{__file__}:sentences"]
    choices += ["--set", "data.scaling=none", "--optimizer", "adam", "--lr", "0.005", "--epochs", "6"]
    sys.argv = ["tui", "train", "--no-ui", *choices, *sys.argv[1:]]
    main()
