"""Files of text: a sample each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.data.tables.files.encodings import find_encoding
from core.errors import DataError
from core.files.reading import open_regular

__all__ = ["ENDINGS", "Documents", "read_documents", "text_files"]

ENDINGS = (".txt", ".text", ".md", "")
"""Endings of files of text; many collections have files without one."""
MAX_BYTES = 16 << 20
"""Of one file, and of the files that an encoding is found from."""


@dataclass(frozen=True)
class Documents:
    """Where the texts of a folder are.

    Attributes:
        encoding: of the files that are not UTF-8.
        folder, files: of all of them, in the order of their samples; none when it was read from a run's folder.
    """

    encoding: str
    folder: Path = Path()
    files: tuple[str, ...] = field(default=(), repr=False)

    def text(self, at: int) -> str:
        """Read the text of a sample.

        Raises:
            DataError: its file cannot be read any more.
        """
        return _decoded(_content(self.folder / self.files[at]), self.encoding)


def text_files(folder: Path) -> list[str]:
    """Return the files of text in a folder and all folders in it, but for hidden ones, sorted by name."""
    files = (path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file())
    inner = (path.relative_to(folder) for path in files)
    return sorted(str(path) for path in inner if not any(part.startswith((".", "__")) for part in path.parts))


def read_documents(
    folder: Path, files: Sequence[str], encoding: str
) -> tuple[list[str], Documents, list[str]]:
    """Read files of text.

    Args:
        encoding: of files that are not UTF-8; ``auto`` finds one for all of them.

    Returns:
        The texts, where they are, and a line where an encoding was found.

    Raises:
        DataError: one cannot be read.
    """
    contents = [_content(folder / file) for file in files]
    others = b"\n".join(content for content in contents if not _is_unicode(content))
    found = find_encoding(others[:MAX_BYTES], encoding, len(others) <= MAX_BYTES) if others else None
    documents = Documents(str(found) if found else "utf-8", folder, tuple(files))
    return (
        [_decoded(content, documents.encoding) for content in contents],
        documents,
        [found.note] if found and found.note else [],
    )


def _content(path: Path) -> bytes:
    try:
        with open_regular(path, follow_links=True) as file:
            content: bytes = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DataError(
            f"cannot read {path}: {error.strerror or error}", "Restore it, or leave it out"
        ) from None
    if len(content) > MAX_BYTES:
        raise DataError(f"{path} has more than {MAX_BYTES >> 20} MiB", "Give one file a sample")
    return content


def _is_unicode(content: bytes) -> bool:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return True
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _decoded(content: bytes, encoding: str) -> str:
    """A text: UTF-8 where it is, or with a mark of UTF-16, else in an encoding."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode(encoding, "replace")
