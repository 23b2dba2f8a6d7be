"""Headers of files of arrays, looked at before the arrays are read."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from core.data.arrays.array_files import pair_names, read_arrays
from core.data.masks.mask_arrays import has_masks
from core.errors import DataError
from core.files.reading import open_regular

__all__ = ["holds_masks"]


def holds_masks(path: str, inputs: str, targets: str) -> bool:
    """Return whether a file has masks by its types and shapes; False, too, where that cannot be told.

    Args:
        path, inputs, targets: as `Arrays` has them.
    """
    file = Path(path).expanduser()
    try:
        if file.suffix.lower() == ".npy":
            return has_masks(read_arrays(path, inputs, targets).train)
        with open_regular(file, follow_links=True) as opened, zipfile.ZipFile(opened) as archive:
            held = tuple(name.removesuffix(".npy") for name in archive.namelist())
            first, second = (_outline(archive, name) for name in pair_names(file, held, inputs, targets))
    except (DataError, OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error):
        return False
    return has_masks((first, second))


def _outline(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """An array of the shape and type of a member, without memory for its values."""
    with archive.open(f"{name}.npy") as member:
        newer = np.lib.format.read_magic(member) != (1, 0)
        read = np.lib.format.read_array_header_2_0 if newer else np.lib.format.read_array_header_1_0
        shape, _, dtype = read(member)
    return np.broadcast_to(np.empty((), dtype), shape)
