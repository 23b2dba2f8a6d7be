"""Files of bytes in the IDX format, that of MNIST: a type, the sizes in big-endian order, then the values."""

from pathlib import Path

import numpy as np

from core.files.reading import open_regular

__all__ = ["read_idx"]

BYTES = 8
"""Type of unsigned bytes."""


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """Return the values of a file, uint8, in as many dimensions.

    Raises:
        ValueError: it is not such a file, or longer or shorter than it says.
        OSError: it cannot be read.
    """
    with open_regular(path, follow_links=True) as file:
        content = np.fromfile(file, np.uint8)
    begin = 4 + 4 * dimensions
    if len(content) < begin or content[:4].tolist() != [0, 0, BYTES, dimensions]:
        raise ValueError(f"{path.name} is not an IDX file of bytes in {dimensions} dimensions")
    sizes = content[4:begin].view(">u4").tolist()
    values = content[begin:]
    if len(values) != np.prod(sizes, dtype=object):
        given = " x ".join(map(str, sizes))
        raise ValueError(f"{path.name} holds {len(values):,} values, and says that it holds {given}")
    return values.reshape(sizes)
