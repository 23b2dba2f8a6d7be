"""What the names that people log under mean: ``val_loss``, ``Loss/train``, ``eval/acc`` ..."""

import re
from typing import Literal

__all__ = ["Place", "place_of"]

Place = tuple[Literal["train", "validation", "lr", "epoch"], str]
"""Where a number belongs, and the name of its metric there."""

TRAIN = frozenset({"train", "training"})
VALIDATION = frozenset({"val", "valid", "validation", "eval", "evaluation", "test", "dev"})
SHORT = {"acc": "accuracy"}
RATES = re.compile(r"^(lr|learning_rate|lr-.*)$")
ENDINGS = re.compile(r"[_/](step|epoch)$")


def place_of(name: str) -> Place:
    """The split and the metric that a name stands for; a name without a split is of training.

    >>> place_of("val_loss"), place_of("Accuracy/train"), place_of("lr")
    (('validation', 'loss'), ('train', 'accuracy'), ('lr', 'lr'))
    """
    plain = name.strip().lower()
    words = [word for word in re.split(r"[/_.\s-]+", ENDINGS.sub("", plain)) if word]
    if plain == "epoch":
        return "epoch", "epoch"
    rest = [SHORT.get(word, word) for word in words if word not in TRAIN | VALIDATION]
    if RATES.match("_".join(rest)) or RATES.match(plain):
        return "lr", "lr"
    split: Literal["train", "validation"] = "validation" if VALIDATION & set(words) else "train"
    return split, "_".join(rest) or "value"
