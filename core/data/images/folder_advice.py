"""Errors for folders without classes: what they hold, and what to do about it."""

from pathlib import Path

from core.data.images.file_kinds import ARCHIVES, ENDINGS, describe, ending_of, recognise
from core.data.images.folder_layout import LAYOUT
from core.data.images.folder_names import names_masks, words_of
from core.data.images.folder_tree import Node
from core.data.images.name_pattern import suggest_pattern
from core.errors import DataError
from core.files.reading import open_regular
from core.remedies import setting

__all__ = ["explain", "refuse_file"]

HEAD_BYTES = 32
ONE_CLASS = "One class an image is learnt"


def explain(folder: Path, tree: Node, reason: str) -> DataError:
    """Return the error for a folder whose images have no classes.

    Args:
        reason: what was found, such as "photos holds the one class a".
    """
    purpose = _purpose(tree)
    if purpose:
        return DataError(f"data.path: {reason}. It looks like {purpose}", f"{ONE_CLASS}: {LAYOUT.lower()}")
    names = [file.path.rpartition("/")[2] for file in tree.images()]
    if not names:
        return _without_images(folder, tree)
    suggested = suggest_pattern(names) or suggest_pattern(_train_names(tree))
    if suggested:
        pattern, labels = suggested
        more = " ..." if len(labels) > 3 else ""
        return DataError(
            f"data.path: {reason}. Names of files seem to hold classes: {', '.join(labels[:3])}{more}",
            ("Give ", setting("data.pattern", pattern)),
        )
    return DataError(f"data.path: {reason}", f"{LAYOUT}, or give a table of file names and labels")


def _train_names(tree: Node) -> list[str]:
    found = [node for node in tree.walk() if "train" in words_of(node.name)]
    return [file.path.rpartition("/")[2] for node in found for file in node.loose]


def _without_images(folder: Path, tree: Node) -> DataError:
    files = [(node, name) for node in tree.walk() for name in node.others]
    arrow = [name for _, name in files if ending_of(name) == ".arrow"]
    what, advice = describe(arrow or [name for _, name in files])
    listed = ", ".join(sorted(ENDINGS))
    if not files:
        found = "holds no images" if tree.children else "is empty"
        return DataError(f"data.path: {folder} {found}", f"{LAYOUT}; images end in {listed}")
    unnamed = next(((node, name) for node, name in files if not ending_of(name)), None)
    if unnamed:
        found = _recognised(folder / unnamed[0].path / unnamed[1])
        if found:
            what, advice = f"{what}; {unnamed[1]} is {found}", "Give the files an ending, such as .jpg"
    return DataError(f"data.path: {folder} holds no images, but {what}", advice or f"Images end in {listed}")


def _recognised(path: Path) -> str:
    try:
        with open_regular(path, follow_links=True) as file:
            return recognise(file.read(HEAD_BYTES))
    except OSError:
        return ""


def _purpose(tree: Node) -> str:
    """The purpose of a folder that is not for classes: detection or segmentation; empty if unknown."""
    nodes = list(tree.walk())
    for node in nodes:
        endings = {ending_of(name) for name in node.others}
        words = set(words_of(node.name))
        if ".json" in endings and (
            words & {"annotations"} or any("annotations" in name for name in node.others)
        ):
            return f"object detection (COCO annotations in {node.path or 'it'})"
        if ".xml" in endings and words & {"annotations", "annotation", "xmls", "labels"}:
            return f"object detection (PASCAL VOC annotations in {node.path})"
        if ".txt" in endings and node.path.split("/")[0].lower() == "labels":
            return f"object detection (YOLO annotations in {node.path})"
    masks = [node for node in nodes if names_masks(node.name, _siblings(tree, node))]
    return f"segmentation (masks in {masks[0].path})" if masks else ""


def _siblings(tree: Node, node: Node) -> list[str]:
    above = node.path.rpartition("/")[0]
    parent = next(other for other in tree.walk() if other.path == above)
    return [child.name for child in parent.children if isinstance(child, Node)]


def refuse_file(path: Path) -> DataError:
    """Return the error for a path that is a file, but not a table of labels."""
    name = path.name.lower()
    if name.endswith(ARCHIVES):
        return DataError(f"data.path: {path.name} is an archive", "Unpack it, and give the folder in it")
    return DataError(
        f"data.path: {path} is a file", "Give a folder of images, or a .csv of file names and labels"
    )
