"""Meaning of the names that people log under: ``val_loss``, ``Loss/train``, ``eval/acc`` ..."""

import re
from functools import lru_cache
from typing import Literal

from core.metrics import has_direction

__all__ = ["SPLIT_NAMES", "Place", "is_of_epoch", "place_of", "words_of"]

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
RATES = re.compile(r"^(lr|learning_rate)([-_/].*)?$")
ENDINGS = re.compile(r"[_/](step|epoch)$")
LOADER = re.compile(r"/dataloader_idx_(\d+)$")
"""Lightning's ending where there are several validation sets; the first one counts as the validation set."""
BESIDE = re.compile(
    r"^(time|hparam)/|^hp_metric$|(^|[_/])(runtime|samples_per_second|steps_per_second|total_flos)$"
    r"|^train/train_|^evaluation_.*_vs_iterations$"
)
"""Names of no metric: how long something took, results beside hyper-parameters, and means over a whole run."""
MAX_NAMES = 10_000


@lru_cache(MAX_NAMES)
def place_of(name: str) -> Place:
    """The split and the metric that a name stands for; a name without a split counts as training.

    >>> place_of("val_loss"), place_of("Accuracy/train"), place_of("lr")
    (('validation', 'loss'), ('train', 'accuracy'), ('lr', 'lr'))
    """
    plain = LOADER.sub(lambda match: f"/set_{match[1]}" if match[1] != "0" else "", name.strip().lower())
    if plain in ("epoch", "train/epoch"):
        return "epoch", "epoch"
    if BESIDE.search(plain):
        return "system", plain
    words = words_of(plain)
    if len(words) > 1 and words[0] == "epoch":  # Keras: epoch_loss, in a folder that names the split
        words = words[1:]
    elif plain.startswith("metrics/"):  # Ultralytics: metrics of validation, where no split is named
        words = words[1:] if SPLIT_NAMES.keys() & {*words[1:]} else ["validation", *words[1:]]
    elif [*map(SPLIT_NAMES.get, words[:1])] != [None] and words[1:2] == ["epoch"] and len(words) > 2:
        words = [words[0], *words[2:]]
    elif words[:1] == ["loss"] and len(words) > 2 and words[1] in SPLIT_NAMES:  # skorch: Loss/valid_acc
        words = words[1:] if has_direction(_joined(words[1:])) else words
    rest = _joined(words)
    if RATES.match(rest) or RATES.match(plain):
        return "lr", "lr"
    split: Split = next((SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES), "train")
    return split, rest or "value"


def words_of(name: str) -> list[str]:
    """Return the words of a name, in small letters."""
    return [word for word in re.split(r"[/_.,\s()-]+", ENDINGS.sub("", name.lower())) if word]


def _joined(words: list[str]) -> str:
    return "_".join(SHORT.get(word, word) for word in words if word not in SPLIT_NAMES)


def is_of_epoch(name: str) -> bool:
    """Return whether a name says that its number is the mean of an epoch, as Lightning's ``train_loss_epoch``."""
    return name.endswith(("_epoch", "/epoch"))
