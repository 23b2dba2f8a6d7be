"""Kinds of files by their ending: images, and the others in words."""

import posixpath
from collections import Counter
from collections.abc import Iterable

from core.data.images.endings import PICTURES

__all__ = [
    "ARCHIVES",
    "ENDINGS",
    "HEIC",
    "TABLE_ENDINGS",
    "describe",
    "ending_of",
    "is_image",
    "is_litter",
    "recognise",
]

HEIC = frozenset({".heic", ".heif", ".hif"})
"""Images of phones, read by the package pillow-heif."""
ENDINGS = HEIC | PICTURES
"""Endings of images, in lower case."""
TABLE_ENDINGS = frozenset({".csv", ".tsv", ".parquet", ".xlsx", ".json", ".jsonl", ".feather"})

ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".7z", ".rar")

KINDS = {
    "audio": (".wav", ".mp3", ".flac", ".ogg", ".m4a", ".aac", ".opus", ".wma", ".aiff"),
    "video": (".mp4", ".avi", ".mov", ".mkv", ".webm", ".mpg", ".mpeg", ".m4v"),
    "DICOM": (".dcm", ".dicom"),
    "volume": (".nii", ".nrrd", ".mha", ".mhd"),
    "SVG": (".svg",),
    "raw camera": (".cr2", ".cr3", ".nef", ".arw", ".dng", ".raf", ".orf", ".rw2"),
    "NumPy": (".npy", ".npz"),
    "Arrow": (".arrow",),
    "table": tuple(TABLE_ENDINGS),
    "text": (".txt", ".xml", ".md"),
    "archive": (*ARCHIVES, ".gz", ".bz2", ".xz"),
}
ADVICE = {
    "audio": "Sound is not read: compute spectrograms and give them as images, or as arrays in an .npz file",
    "video": "Videos are not read: save the frames you need as images",
    "DICOM": "DICOM is not read: save the slices as PNG or TIFF, with pydicom for instance",
    "volume": "Volumes are not read: save slices as PNG or TIFF, or arrays in an .npz file",
    "SVG": "Drawings are not read: save them as PNG",
    "raw camera": "Raw photographs are not read: save them as JPEG, PNG or TIFF",
    "NumPy": "Arrays in separate files are not read: save all of them in one .npz file, with images and labels",
    "Arrow": "It may be a folder that the package datasets saved: write it out with its to_parquet or to_csv",
    "table": "Give a table itself as data.path",
    "text": "Texts are not read from folders: put them into one .csv file with their classes",
    "archive": "Unpack it",
}
LITTER = frozenset(
    {"__macosx", "@eadir", "$recycle.bin", "system volume information", "lost+found", "#recycle"}
)
LITTER_FILES = frozenset({"thumbs.db", "desktop.ini", "_success", "icon\r"})
HEADS = (
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"\x89PNG", "a PNG image"),
    (b"GIF8", "a GIF image"),
    (b"BM", "a BMP image"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"%PDF", "a PDF file"),
    (b"PK\x03\x04", "a zip file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself: fetch it with git lfs pull"),
    (b"<svg", "an SVG drawing"),
)
"""First bytes of files, and what these are."""
BRANDS = {
    b"heic": "HEIC",
    b"heix": "HEIC",
    b"mif1": "HEIC",
    b"msf1": "HEIC",
    b"hevc": "HEIC",
    b"avif": "AVIF",
}
"""Names of formats in the same container, in the bytes from 8 to 12."""


def ending_of(name: str) -> str:
    """Return the ending of a file name in lower case, with its dot."""
    return posixpath.splitext(name)[1].lower()


def is_image(name: str) -> bool:
    """Return whether a file is an image by its ending."""
    return ending_of(name) in ENDINGS


def is_litter(name: str) -> bool:
    """Return whether a file or folder was left by an operating system, or is hidden."""
    return name.startswith(".") or name.lower() in LITTER or name.lower() in LITTER_FILES


def describe(names: Iterable[str]) -> tuple[str, str]:
    """Describe files that are not images.

    Returns:
        The most frequent kind with its count, such as "12 audio files (.wav)", and what to do with it; both empty
        where there are no files.
    """
    counts = Counter(ending_of(name) for name in names)
    if not counts:
        return "", ""
    ending, count = counts.most_common(1)[0]
    kind = next((kind for kind, endings in KINDS.items() if ending in endings), "")
    files = f"{kind} files" if kind else "files"
    if count == 1:
        files = files.removesuffix("s")
    return f"{count:,} {files} ({ending or 'without an ending'})", ADVICE.get(kind, "")


def recognise(head: bytes) -> str:
    """Return what a file is by its first bytes, such as "a JPEG image"; empty where that is unknown."""
    if not head.strip(b"\0"):
        return "empty" if not head else "nothing but zeros"
    if head[4:8] == b"ftyp":
        brand = BRANDS.get(head[8:12], "")
        return f"an {brand} image" if brand == "AVIF" else f"a {brand} image" if brand else "a video"
    if head[:4] == b"RIFF":
        return "a WebP image" if head[8:12] == b"WEBP" else "a sound or video file"
    if head.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
        return "a web page"
    return next((what for first, what in HEADS if head.startswith(first)), "")
