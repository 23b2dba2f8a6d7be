"""Meanings of folder names: a split, masks, or a part of the data such as a fold or a person."""

import re
from collections.abc import Iterable
from typing import Literal

__all__ = ["SplitName", "is_numbered_part", "names_fold", "names_masks", "split_of", "words_of"]

SplitName = Literal["train", "validation", "test"]

SPLIT_WORDS: dict[str, SplitName] = {
    **dict.fromkeys(("train", "training", "trn", "trainset"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "eval", "evaluation", "valset"), "validation"),
    **dict.fromkeys(("test", "testing", "tst", "testset", "holdout"), "test"),
}
NEUTRAL = re.compile("set|data|dataset|images?|imgs?|photos?|pictures|pics|split|folder|files|seg|x|all")
"""Words that say nothing more beside the name of a split."""
IMAGES = re.compile("images?|imgs?|photos?|pictures|jpegs?|rgb|inputs?|originals?")
MASKS = re.compile("masks?|segmentations?|seg|annotations?|groundtruth|gt|labels?|trimaps?")
OF_MASKS = re.compile("class|classes|objects?|binary|colou?r")
"""Words beside those for masks, as in SegmentationClass."""
FOLDS = re.compile("fold|split|part|partition|cv")
PARTS = re.compile(
    f"{FOLDS.pattern}|subject|sub|s|p|person|people|patient|pat|participant|volunteer|user|speaker|actor|individual|"
    "session|site|camera|cam|domain|batch|scene|day|run|cent(er|re)|hospital|slide|case|video|clip"
)
"""Words of numbered folders that are parts of the data, not classes."""


def words_of(name: str) -> list[str]:
    """Return the words of a name in lower case, without numbers: "trainImages_2017" has train and images."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return re.findall(r"[^\W\d_]+", parted.lower())


def split_of(name: str) -> tuple[SplitName, tuple[str, ...]] | None:
    """Return the split that a name stands for, and its other words; None where there is none, or more than one."""
    words = words_of(name)
    splits = {SPLIT_WORDS[word] for word in words if word in SPLIT_WORDS}
    if len(splits) != 1:
        return None
    rest = tuple(word for word in words if word not in SPLIT_WORDS and not NEUTRAL.fullmatch(word))
    return splits.pop(), rest


def names_masks(name: str, siblings: Iterable[str]) -> bool:
    """Return whether a folder holds masks of the images in one of its siblings, by their names.

    "masks" does beside "images", and "train_masks" beside "train"; "with_mask" beside "without_mask" does not.
    """
    words = words_of(name)
    rest = [word for word in words if not MASKS.fullmatch(word)]
    if len(rest) == len(words):
        return False
    others = [words_of(other) for other in siblings if other != name]
    if rest and rest in others:
        return True
    images = [other for other in others if any(map(IMAGES.fullmatch, other))]
    plain = all(map(OF_MASKS.fullmatch, rest))
    return (bool(images) and plain) or any(
        [word for word in other if not IMAGES.fullmatch(word)] == rest for other in images
    )


def is_numbered_part(names: Iterable[str]) -> bool:
    """Return whether all names are one word for a part of the data, with numbers: fold1, fold2 or p01, p02."""
    listed = list(names)
    words = {tuple(words_of(name)) for name in listed}
    numbered = all(re.search(r"\d", name) for name in listed)
    return bool(listed) and numbered and len(words) == 1 and all(map(PARTS.fullmatch, words.pop() or [""]))


def names_fold(name: str) -> bool:
    """Return whether a folder is one of the numbered parts that data is split into, such as fold1."""
    words = words_of(name)
    return bool(words) and all(map(FOLDS.fullmatch, words)) and bool(re.search(r"\d", name))
