"""Layout of folders into splits and classes: inferred from their names and from what lies in them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from core.counting import counted
from core.data.images.folder_names import SplitName, is_numbered_part, names_fold, names_masks, split_of
from core.data.images.folder_tree import Node, shown
from core.data.targets import in_class_order
from core.errors import DataError
from core.remedies import setting

__all__ = ["LAYOUT", "Layout", "NoClasses", "Part", "find_parts", "find_splits", "listed"]

Layout = Literal["auto", "classes", "nested"]
LAYOUT = "Put the images of each class into a folder of its own, maybe within train, val and test"
TAKE_CLASSES = setting("data.layout", "classes")
AS_CLASSES = "set data.layout to classes if they are classes"
PLAIN = frozenset({"train", "training", "val", "valid", "validation", "test", "testing"})
"""Names of splits that need no note."""
SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")
TRAIN = ("train", ())
MAX_LISTED = 4


class NoClasses(Exception):
    """The folders are not classes; labels may be found elsewhere.

    Args:
        path: of the folder within the root.
        found: what it holds, such as "holds no images".
    """

    def __init__(self, path: str, found: str) -> None:
        super().__init__(found)
        self.path, self.found = path, found


class Part(NamedTuple):
    """A folder whose images are all of one split and one class."""

    split: SplitName
    label: str
    folder: Node


def find_parts(tree: Node, asked: Layout, notes: list[str]) -> list[Part]:
    """Find the classes of a folder: those of train first, in their order.

    Args:
        asked: ``classes`` takes the folders for classes whatever they are called, ``nested`` the folders one level
            deeper, which are alike in all of them; ``auto`` infers it.
        notes: takes a line for each thing that was inferred or left out.

    Raises:
        NoClasses: the folders are not classes.
        DataError: they could be more than one thing.
    """
    top = tree if asked == "classes" else _enter(tree, notes)
    splits = {} if asked == "classes" else find_splits(top, notes)
    inner = {split: _enter(folder, []) for split, folder in splits.items()} or {"train": top}
    how = _kind_of_level(inner["train"], asked, notes)
    parts = _parts("train", inner["train"], how, notes)
    labels = [part.label for part in parts if part.split == "train"]
    if len(set(labels)) < 2:
        raise _no_classes(inner["train"], labels)
    for split in SPLITS[1:]:
        if split in splits:
            parts += _other_split(split, splits[split], how, set(labels), notes)
    return parts


def find_splits(tree: Node, notes: list[str]) -> Mapping[SplitName, Node]:
    """Find the folders of splits, train first; empty where the folders are not splits.

    Raises:
        DataError: they are named like splits, but which is which is not clear.
    """
    folders = _without_masks(tree, notes)
    meant = {name: found for name in folders if (found := split_of(name)) is not None}
    groups = {
        rest: [name for name in meant if meant[name][1] == rest]
        for split, rest in meant.values()
        if split == "train"
    }
    groups = {rest: group for rest, group in groups.items() if len(group) > 1 or len(folders) == 1}
    if len(groups) != 1:
        if len(folders) > 1 and len(meant) == len(folders):
            raise DataError(
                f"data.path: {listed(folders)} are named like splits, but which of them is train is not clear",
                ("Name them train, val and test, or give ", TAKE_CLASSES, " if they are classes"),
            )
        return {}
    (group,) = groups.values()
    by_split = _assigned(group)
    if any(name.lower() not in PLAIN for name in group):
        texts = [f"{split} from {shown(name)}" for split, name in by_split.items()]
        notes.append(f"splits: {', '.join(texts)}; {AS_CLASSES}")
    left = [name for name in folders if name not in by_split.values()]
    if left:
        notes.append(f"left out {listed(left)} beside the folders of the splits")
    return {split: folders[by_split[split]] for split in SPLITS if split in by_split}


def _assigned(names: Iterable[str]) -> dict[SplitName, str]:
    """The name of each split's folder; a second one for validation is the test set if there is no other."""
    by_split: dict[SplitName, str] = {}
    for name in sorted(names, key=lambda name: ("eval" in name.lower(), name)):
        found = split_of(name)
        assert found is not None
        split = found[0]
        if "eval" in name.lower() and "validation" in by_split:
            split = "test"
        if split in by_split:
            raise DataError(
                f"data.path: both {shown(by_split[split])} and {shown(name)} could be the {split} split",
                ("Rename one, or give ", TAKE_CLASSES, " if they are classes"),
            )
        by_split[split] = name
    return {split: by_split[split] for split in SPLITS if split in by_split}


LevelKind = Literal["classes", "nested", "splits"]


def _kind_of_level(node: Node, asked: Layout, notes: list[str]) -> LevelKind:
    """Tell whether the folders in one are classes, parts that hold the classes, or classes that hold the splits."""
    if asked != "auto":
        return asked
    folders = _without_masks(node, [])
    inner = {name: set(_enter(folder, []).folders) for name, folder in folders.items()}
    every = set().union(*inner.values())
    meant = [split_of(name) for name in every]
    if every and all(inner.values()) and all(meant) and any(found and found[0] == "train" for found in meant):
        notes.append(f"splits: from {listed(every)} within each class; {AS_CLASSES}")
        return "splits"
    if _alike(list(inner.values())):
        if not is_numbered_part(folders):
            raise DataError(
                f"data.path: {listed(folders)} hold the same folders, {listed(every)}, and either may be the classes",
                (
                    *("Give ", TAKE_CLASSES, f" for {listed(folders, 2)}, or "),
                    *(setting("data.layout", "nested"), f" for {listed(every, 2)}"),
                ),
            )
        notes.append(
            f"classes: {listed(every)}, merged from {listed(folders)}, each of which may be in both train and test; "
            "data.layout sets it"
        )
        return "nested"
    if len(folders) > 1 and all(map(names_fold, folders)):
        raise DataError(
            f"data.path: {listed(folders)} are named like parts of the data, and hold no folders of classes",
            (f"{LAYOUT}, or give ", TAKE_CLASSES, " if they are classes"),
        )
    return "classes"


def _alike(inner: list[set[str]]) -> bool:
    """Return whether most folders hold the same folders, two or more."""
    counts = Counter(name for names in inner for name in names)
    common = {name for name, count in counts.items() if 2 * count > len(inner)}
    shared = sum(len(names & common) for names in inner)
    return len(inner) > 1 and len(common) > 1 and 2 * shared > counts.total()


def _parts(split: SplitName, node: Node, how: LevelKind, notes: list[str]) -> list[Part]:
    """The classes in the folder of a split."""
    folders = node.folders if how == "classes" else _without_masks(node, [])
    if how == "classes":
        folders = _without_masks(node, notes)
        empty = [child.name for child in node.children if isinstance(child, Node) and not child.has_images]
        if split == "train":
            notes += [f"left out the class {shown(name)}: its folder holds no images" for name in empty]
        return [Part(split, name, folders[name]) for name in in_class_order(folders)]
    if how == "nested":
        inner = [_without_masks(_enter(folder, []), []) for folder in folders.values()]
        labels = in_class_order({label for names in inner for label in names})
        return [Part(split, label, names[label]) for label in labels for names in inner if label in names]
    found: list[Part] = []
    for label in in_class_order(folders):
        inner_splits = find_splits(_enter(folders[label], []), [])
        found += [Part(inner_split, label, folder) for inner_split, folder in inner_splits.items()]
    return sorted(found, key=lambda part: SPLITS.index(part.split))


def _other_split(
    split: SplitName, folder: Node, how: LevelKind, known: set[str], notes: list[str]
) -> list[Part]:
    """The classes in the folder of validation or test; none, and a note, where its images have no classes."""
    inner = folder if set(folder.folders) & known else _enter(folder, [])
    names = set(inner.folders)
    if not names or (len(names) == 1 and not names & known):
        count = sum(1 for _ in folder.images())
        notes.append(
            f"left out {counted(count, 'image')} of {shown(folder.path)}, which has no folders of classes"
        )
        return []
    parts = _parts(split, inner, how, notes)
    new = sorted({part.label for part in parts} - known)
    if new:
        raise DataError(
            f"data.path: {shown(folder.path)} has the class {shown(new[0])}, which train lacks",
            f"Move that folder away, or give train images of {shown(new[0])}",
        )
    return parts


def _enter(node: Node, notes: list[str]) -> Node:
    """The folder that holds more than one folder of images, or images: others around it say nothing."""
    entered = node
    while not entered.loose:
        folders = list(_without_masks(entered, []).values())
        if len(folders) != 1 or not folders[0].folders:
            break
        if split_of(folders[0].name) == TRAIN and split_of(entered.name) != TRAIN:
            break
        _without_masks(entered, notes)
        entered = folders[0]
    if entered is not node:
        notes.append(f"classes: from the folders in {shown(entered.path)}; data.path can name another folder")
    return entered


def _without_masks(node: Node, notes: list[str]) -> dict[str, Node]:
    """The folders of images in one, without those that hold masks of the images in another."""
    folders = node.folders
    masks = [name for name in folders if names_masks(name, folders)]
    if masks:
        notes.append(f"left out {listed(masks)}: masks of the images beside, by the name; {AS_CLASSES}")
    return {name: folder for name, folder in folders.items() if name not in masks}


def _no_classes(node: Node, labels: list[str]) -> NoClasses:
    loose = len(node.loose)
    if labels:
        return NoClasses(node.path, f"holds the one class {shown(labels[0])}")
    return NoClasses(
        node.path,
        f"holds {counted(loose, 'image')} but no folders of classes" if loose else "holds no images",
    )


def listed(names: Iterable[str], most: int = MAX_LISTED) -> str:
    """The first names in a list, as text."""
    some = sorted(map(shown, names))
    return ", ".join(some[:most]) + (" ..." if len(some) > most else "")
