"""Folders of tables: files of the same columns, one below the other."""

from pathlib import Path

from core.counting import counted
from core.data.images.label_files import is_image_source
from core.data.tables.files.formats import READERS, TEXT_SUFFIXES
from core.data.tables.files.packed import plain_name
from core.errors import DataError

__all__ = ["folder_files", "table_folder"]

SUFFIXES = (".csv", ".tsv", ".parquet", ".pq", ".feather", ".arrow", ".ipc", ".jsonl", ".ndjson")
AUDIO = (".wav", ".mp3", ".flac", ".ogg", ".m4a", ".aac", ".opus", ".aiff")
TRAIN, TEST = ("train", "training"), ("test", "testing", "validation", "valid", "val", "dev", "eval")
MAX_FILES = 10_000


def table_folder(path: Path) -> bool:
    """Return whether a folder holds tables rather than images: at its top, or in folders named after splits."""
    if not path.is_dir() or is_image_source(path):
        return False
    return bool(_tables(path)) or bool(_audio(path)) or _train_folder(path) is not None


def folder_files(path: Path) -> tuple[list[Path], str]:
    """Return the files of a folder that make one table, and a line that says which.

    Raises:
        DataError: it holds no tables, or some that are not parts of one.
    """
    files = _tables(path)
    inner = _train_folder(path)
    if not files and inner is not None:
        return _tables(inner), f"read {inner.name}/ of {path.name}; the other folders are not used"
    if not files:
        audio = _audio(path)
        if audio:
            raise DataError(
                f"{path} is a folder of audio files, such as {audio[0].name}",
                "Compute features of them, and give an .npz of arrays or a table",
            )
        raise DataError(
            f"{path} is a folder without tables",
            f"Give a file that ends in {' '.join(SUFFIXES[:3])}, or a folder of these",
        )
    names = {file: _words(file) for file in files}
    train = [file for file in files if names[file] & {*TRAIN}]
    test = [file for file in files if names[file] & {*TEST}]
    if train and len(train) + len(test) < len(files) and len(files) > 2 and len(train) == 1:
        files = train + test
    if train and test:
        others = ", ".join(file.name for file in test[:3])
        return (
            train,
            f"read {', '.join(file.name for file in train[:3])} of {path.name}; {others} can be data.test_path",
        )
    kinds = {file.suffix.lower() for file in files}
    if len(kinds) > 1:
        listed = ", ".join(file.name for file in files[:6])
        raise DataError(
            f"{path} holds tables of different kinds: {listed}",
            f"Give one of them, such as {files[0]}",
        )
    if len(files) == 1:
        return files, f"read {files[0].name} of {path.name}"
    return (
        files,
        f"read {counted(len(files), 'file')} of {path.name} as one table, from {files[0].name} to {files[-1].name}",
    )


def _tables(path: Path) -> list[Path]:
    """The tables at the top of a folder, in order of their names."""
    try:
        files = sorted(
            file for file in path.iterdir() if file.is_file() and not file.name.startswith((".", "_"))
        )
    except OSError:
        return []
    known = {*SUFFIXES} & ({*READERS} | {*TEXT_SUFFIXES})
    return [file for file in files if Path(plain_name(file)).suffix.lower() in known][:MAX_FILES]


def _train_folder(path: Path) -> Path | None:
    """The folder of the training split, as Hugging Face's data sets have it."""
    inner = (path / name for name in (*TRAIN, "data"))
    return next(
        (folder for folder in inner if folder.is_dir() and _tables(folder) and not _images(folder)), None
    )


def _images(path: Path) -> bool:
    return any(file.suffix.lower() in (".jpg", ".jpeg", ".png") for file in path.iterdir())


def _audio(path: Path) -> list[Path]:
    """Audio files at the top of a folder, or in folders of classes."""
    try:
        top = [file for file in sorted(path.iterdir()) if file.is_dir() or file.suffix.lower() in AUDIO]
        inner = (file for folder in top if folder.is_dir() for file in sorted(folder.iterdir())[:5])
        return [file for file in [*top, *inner] if file.suffix.lower() in AUDIO][:1]
    except OSError:
        return []


def _words(file: Path) -> set[str]:
    name = plain_name(file).rpartition(".")[0].lower()
    return {*name.replace("-", "_").replace(" ", "_").replace(".", "_").split("_")}
