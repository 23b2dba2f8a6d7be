"""Pictures of tensors, arrays, files and figures; every guess is reported."""

import io
import os
import warnings
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from core.arrays import as_array, as_pixels
from core.errors import DataError

__all__ = [
    "MAX_PICTURES",
    "MAX_SIDE",
    "Notes",
    "Pixels",
    "as_bytes",
    "decoded",
    "joined",
    "picture",
    "png",
    "side_by_side",
]

Pixels = NDArray[np.uint8]
"""(height, width), or (height, width, 3)."""
Notes = dict[str, str]
"""What was guessed or changed, by a key: each is reported once for a name."""

MAX_PICTURES = 64
MAX_SIDE = 4096
CHANNELS = (1, 3, 4)
LAYOUTS = ("HW", "CHW", "HWC", "NHW", "NCHW", "NHWC")
ENCODINGS = ("PNG", "JPEG", "GIF", "BMP", "WEBP")
"""Of pictures in files that anybody may have written."""
WHITE = 255
PNG_LEVEL = 3
"""Of compression: a third of the time of the usual one, at a tenth more bytes."""
TAKEN = (
    "Give (height, width), (channels, height, width), (height, width, channels) or (n, ...) with 1, 3 or 4 channels, "
    "an image of Pillow, a figure of matplotlib, or the path of a file"
)


def picture(value: Any, layout: str = "") -> tuple[Pixels, Notes]:
    """Return anything that `core.runs.media.kinds.Image` takes as pixels, and what was guessed.

    Raises:
        DataError: it is not a picture.
    """
    notes: Notes = {}
    if isinstance(value, str | os.PathLike):
        pixels = _from_file(value)
    elif hasattr(value, "savefig"):
        pixels = _from_figure(value)
    elif hasattr(value, "getbands"):
        pixels = _from_pillow(value)
    else:
        pixels = _from_array(value, layout, notes)
    return _small_enough(pixels, notes), notes


def decoded(content: bytes) -> Pixels:
    """Return the picture that the bytes of a file hold.

    Raises:
        DataError: they hold none.
    """
    return _small_enough(_opened(io.BytesIO(content), ENCODINGS, "this"), {})


def joined(pictures: list[Pixels]) -> Pixels:
    """Return pictures of one size side by side; of others the first one.

    Raises:
        DataError: there are none.
    """
    if not pictures:
        raise DataError("no picture is there", TAKEN)
    if len({each.shape for each in pictures}) > 1:
        return pictures[0]
    stacked = np.stack(pictures[:MAX_PICTURES])
    return _small_enough(side_by_side(stacked if stacked.ndim == 4 else stacked[..., None]), {})


def png(pixels: Pixels) -> bytes:
    """Return pixels as the content of a PNG file."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG", compress_level=PNG_LEVEL)
    return file.getvalue()


def as_bytes(values: NDArray[Any], notes: Notes) -> Pixels:
    """Return numbers of any shape as bytes from 0 to 255; what is not finite is black."""
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.bool_:
        return as_pixels(values, (0, 1))
    if values.dtype.kind not in "fiu":
        raise DataError(f"a picture of the type {values.dtype}", "Give numbers from 0 to 1, or bytes")
    numbers = values.astype(np.float64)
    finite = np.isfinite(numbers)
    if not finite.all():
        notes["finite"] = f"{np.count_nonzero(~finite):,} of {finite.size:,} values are not finite, and black"
        numbers = np.where(finite, numbers, 0.0)
    low, high = float(numbers.min()), float(numbers.max())
    if low >= 0 and high <= 1:
        return as_pixels(numbers, (0, 1))
    if low >= 0 and high <= 255 and (values.dtype.kind != "f" or not np.any(numbers % 1)):
        if values.dtype.kind == "f":
            notes["range"] = (
                f"whole numbers up to {high:g} are taken as bytes: give 0 to 1 where they are not"
            )
        return as_pixels(numbers, (0, 255))
    notes["range"] = f"values from {low:.3g} to {high:.3g} are stretched from black to white: give 0 to 1"
    return as_pixels(numbers, (low, high))


def side_by_side(pictures: Pixels) -> Pixels:
    """Lay pictures (n, height, width, channels) out in about as many rows as columns."""
    count, height, width, channels = pictures.shape
    columns = int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    room = np.zeros((rows * columns, height, width, channels), dtype=np.uint8)
    room[:count] = pictures
    grid = room.reshape(rows, columns, height, width, channels).transpose(0, 2, 1, 3, 4)
    whole: Pixels = grid.reshape(rows * height, columns * width, channels)
    return whole[..., 0] if channels == 1 else whole


def _from_array(value: Any, layout: str, notes: Notes) -> Pixels:
    try:
        array = as_array(value)
    except Exception as error:  # any object can be asked for an array, and can fail
        reason = str(error).partition("\n")[0]
        raise DataError(f"a {type(value).__name__} is not a picture: {reason}", TAKEN) from None
    shape = "x".join(map(str, array.shape)) or "a single value"
    if not array.size or array.ndim not in (2, 3, 4):
        raise DataError(f"a picture of the shape {shape}", TAKEN)
    found = _checked_layout(layout, array.ndim) or _guessed_layout(
        array.shape, hasattr(value, "detach"), notes
    )
    if found is None:
        raise DataError(f"a picture of the shape {shape}", TAKEN)
    pictures = _channels_last(array, found)
    if pictures.shape[-1] not in CHANNELS:
        raise DataError(f"a picture of the shape {shape} as {found}: {pictures.shape[-1]} channels", TAKEN)
    if len(pictures) > MAX_PICTURES:
        notes["count"] = f"{len(pictures)} pictures: the first {MAX_PICTURES} are kept"
    pixels = as_bytes(pictures[:MAX_PICTURES], notes)
    return side_by_side(_on_white(pixels) if pixels.shape[-1] == 4 else pixels)


def _checked_layout(layout: str, dimensions: int) -> str:
    given = layout.upper()
    if given and (given not in LAYOUTS or len(given) != dimensions):
        fitting = " or ".join(each for each in LAYOUTS if len(each) == dimensions)
        raise DataError(f"layout: got {layout!r:.20} for {dimensions} dimensions", f"It takes {fitting}")
    return given


def _guessed_layout(shape: tuple[int, ...], is_tensor: bool, notes: Notes) -> str | None:
    """Return how a shape is read; where it is ambiguous, as tensors (channels first) or arrays (last) usually are."""
    several = "N" * (len(shape) == 4)
    if len(shape) == 2:
        return "HW"
    first, last = shape[-3] in CHANNELS, shape[-1] in CHANNELS
    if not first and not last:
        if several:
            return None
        notes["layout"] = f"{_shape(shape)} is taken as {shape[0]} grey pictures: layout= says otherwise"
        return "NHW"
    found = several + ("CHW" if first and (is_tensor or not last) else "HWC")
    if first and last:
        other = several + ("HWC" if found.endswith("CHW") else "CHW")
        notes["layout"] = f"{_shape(shape)} is taken as {found}: layout='{other}' says otherwise"
    return found


def _channels_last(array: NDArray[Any], layout: str) -> NDArray[Any]:
    """Return pictures as (n, height, width, channels)."""
    for name in "NC":
        if name not in layout:
            array, layout = array[None], name + layout
    return array.transpose([layout.index(axis) for axis in "NHWC"])


def _on_white(pixels: Pixels) -> Pixels:
    opaque = pixels[..., 3:].astype(np.float64) / 255
    mixed: Pixels = np.rint(pixels[..., :3] * opaque + WHITE * (1 - opaque)).astype(np.uint8)
    return mixed


def _from_file(path: str | os.PathLike[str]) -> Pixels:
    from core.files.reading import open_regular

    try:
        with open_regular(os.fspath(path), follow_links=True) as file:
            return _opened(file, None, os.fspath(path))
    except OSError as error:
        raise DataError(f"{os.fspath(path)} is not a picture: {error.strerror}", TAKEN) from None


def _opened(file: BinaryIO, encodings: tuple[str, ...] | None, name: str) -> Pixels:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=encodings) as opened:
                return _from_pillow(opened)
    except Exception as error:  # Pillow raises whatever it trips over in a damaged file
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise DataError(f"{name} is not a picture: {reason}", TAKEN) from None


def _from_figure(figure: Any) -> Pixels:
    from PIL import Image

    file = io.BytesIO()
    try:
        figure.savefig(file, format="png")
    except Exception as error:  # a figure fails with whatever its artists raise
        raise DataError(
            f"the figure cannot be drawn: {str(error).partition(chr(10))[0]}", "Draw it first"
        ) from None
    with Image.open(file) as opened:
        return _from_pillow(opened)


def _from_pillow(image: Any) -> Pixels:
    bands = image.getbands()
    if "A" in bands or "transparency" in image.info:
        return _on_white(np.asarray(image.convert("RGBA")))
    if image.mode in ("1", "L"):
        return np.asarray(image.convert("L"))
    if len(bands) == 1 and image.mode != "P":  # 16 bits, or floats
        return as_bytes(np.asarray(image), {})
    return np.asarray(image.convert("RGB"))


def _small_enough(pixels: Pixels, notes: Notes) -> Pixels:
    height, width = pixels.shape[:2]
    if max(height, width) <= MAX_SIDE:
        return pixels
    from PIL import Image

    smaller = Image.fromarray(pixels)
    smaller.thumbnail((MAX_SIDE, MAX_SIDE))
    notes["size"] = f"{width}x{height} pixels are reduced to {smaller.width}x{smaller.height}"
    return np.asarray(smaller)


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
