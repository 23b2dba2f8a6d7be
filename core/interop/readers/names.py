"""Meaning of the names that people log under: ``val_loss``, ``Loss/train``, ``eval/acc`` ..."""

import re
from typing import Literal

__all__ = ["SPLIT_NAMES", "Place", "place_of"]

Split = Literal["train", "validation", "test", "lr", "epoch", "system"]
Place = tuple[Split, str]
"""Where a number belongs, and the name of its metric there."""

SPLIT_NAMES: dict[str, Split] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "eval", "evaluation", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
    "system": "system",
}
SHORT = {"acc": "accuracy"}
RATES = re.compile(r"^(lr|learning_rate|lr-.*)$")
ENDINGS = re.compile(r"[_/](step|epoch)$")


def place_of(name: str) -> Place:
    """The split and the metric that a name stands for; a name without a split counts as training.

    >>> place_of("val_loss"), place_of("Accuracy/train"), place_of("lr")
    (('validation', 'loss'), ('train', 'accuracy'), ('lr', 'lr'))
    """
    plain = name.strip().lower()
    if plain in ("epoch", "train/epoch"):
        return "epoch", "epoch"
    words = [word for word in re.split(r"[/_.\s-]+", ENDINGS.sub("", plain)) if word]
    rest = "_".join(SHORT.get(word, word) for word in words if word not in SPLIT_NAMES)
    if RATES.match(rest) or RATES.match(plain):
        return "lr", "lr"
    split: Split = next((SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES), "train")
    return split, rest or "value"
