"""Formats by the first bytes of a file, and those that are not read, with what converts them."""

import re

__all__ = ["UNREAD", "sniffed"]

TO_PARQUET = "with pandas: pandas.{reader}('{name}').to_parquet('{stem}.parquet')"
UNREAD = {
    ".pkl": (
        "a pickle, which can run code when it is read",
        "Convert it where you trust it, " + TO_PARQUET.replace("{reader}", "read_pickle"),
    ),
    ".dta": ("a Stata file", "Convert it " + TO_PARQUET.replace("{reader}", "read_stata")),
    ".sav": ("an SPSS file", "Convert it " + TO_PARQUET.replace("{reader}", "read_spss")),
    ".sas7bdat": ("a SAS file", "Convert it " + TO_PARQUET.replace("{reader}", "read_sas")),
    ".xpt": ("a SAS transport file", "Convert it " + TO_PARQUET.replace("{reader}", "read_sas")),
    ".h5": (
        "an HDF5 file",
        "Convert it "
        + TO_PARQUET.replace("{reader}", "read_hdf")
        + ", or its arrays with h5py and numpy.savez",
    ),
    ".orc": ("an ORC file", "Convert it " + TO_PARQUET.replace("{reader}", "read_orc")),
    ".html": (
        "a web page",
        "Convert its table with pandas: pandas.read_html('{name}')[0].to_csv('{stem}.csv', index=False)",
    ),
    ".xml": (
        "an XML file",
        "Convert it with pandas: pandas.read_xml('{name}').to_csv('{stem}.csv', index=False)",
    ),
    ".rds": ("a file of R", "Write it in R: write.csv(readRDS('{name}'), '{stem}.csv', row.names = FALSE)"),
    ".rda": (
        "a file of R",
        "Write it in R: load('{name}'), then write.csv(TABLE, '{stem}.csv', row.names = FALSE)",
    ),
    ".pt": (
        "a file of PyTorch",
        "Write its tensors with numpy: numpy.savez('{stem}.npz', x=x.numpy(), y=y.numpy())",
    ),
    ".safetensors": (
        "a file of tensors",
        "Write its tensors with numpy: numpy.savez('{stem}.npz', x=x, y=y)",
    ),
    ".sql": (
        "a dump of a database in SQL",
        "Run it in a database, and give that, or a CSV file of its table: sqlite3 {stem}.db < {name}",
    ),
    ".pdf": ("a PDF file", "Copy its table into a CSV file"),
    ".doc": ("a Word file", "Copy its table into a CSV file"),
    ".7z": ("a 7z archive", "Unpack it, and give the file in it"),
    ".rar": ("a RAR archive", "Unpack it, and give the file in it"),
}
"""Suffixes of files that are not read: what they are, and how to convert them."""
UNREAD |= {
    same: UNREAD[other]
    for same, other in {
        ".pickle": ".pkl",
        ".joblib": ".pkl",
        ".hdf5": ".h5",
        ".hdf": ".h5",
        ".htm": ".html",
        ".rdata": ".rda",
        ".pth": ".pt",
        ".docx": ".doc",
        ".zsav": ".sav",
    }.items()
}
SQL = re.compile(
    rb"(?:\s|--[^\n]*\n|/\*.*?\*/;?)*(?:INSERT\s+INTO\s|CREATE\s+(?:TABLE|DATABASE|SCHEMA)\s|DROP\s+TABLE\s|"
    rb"PRAGMA\s+\w+\s*=|LOCK\s+TABLES\s|"
    rb"(?:BEGIN|BEGIN\s+TRANSACTION|START\s+TRANSACTION|USE\s+\S+|SET\s+(?:\S+\s*=|\S+\s+TO\b|NAMES\s)[^\n]*);\s*\n)",
    re.IGNORECASE | re.DOTALL,
)
"""The first statement of a dump, behind its comments."""
MAGIC = (
    (b"PAR1", ".parquet"),
    (b"ARROW1", ".arrow"),
    (b"SQLite format 3", ".sqlite"),
    (b"\x89HDF", ".h5"),
    (b"\x1f\x8b", ".gz"),
    (b"BZh", ".bz2"),
    (b"\xfd7zXZ", ".xz"),
    (b"\x28\xb5\x2f\xfd", ".zst"),
    (b"\xd0\xcf\x11\xe0", ".xls"),
    (b"MATLAB 5.0", ".mat"),
    (b"RDX", ".rda"),
    (b"%PDF", ".pdf"),
    (b"<!DOCTYPE html", ".html"),
    (b"<!doctype html", ".html"),
    (b"<html", ".html"),
    (b"<?xml", ".xml"),
)


def sniffed(content: bytes) -> str:
    """Return the suffix that fits the first bytes of a file; empty for texts and whatever is not known."""
    if content.startswith(b"PK\x03\x04"):
        return ".xlsx" if b"[Content_Types].xml" in content[:4096] or b"xl/" in content[:4096] else ".zip"
    found = next(
        (suffix for start, suffix in MAGIC if content.lstrip(b"\xef\xbb\xbf \r\n").startswith(start)), ""
    )
    if not found and SQL.match(content.removeprefix(b"\xef\xbb\xbf")):
        return ".sql"
    if not found and content[:1] == b"\x80" and content[1:2] in b"\x02\x03\x04\x05":
        return ".pkl"
    return found
