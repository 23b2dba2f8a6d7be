"""An occlusion map drawn over its picture."""

import numpy as np

from tui.terminal.themes import BLUE, ORANGE

__all__ = ["over_picture"]

STRONGEST = 0.8
"""Share of the colour where a score falls most."""


def over_picture(pixels: np.ndarray, falls: np.ndarray, *, no_color: bool) -> np.ndarray:
    """Return uint8 (h, w, 3): the picture in grey, orange where covering lowers the score, blue where it raises it.

    Without colour the falls alone, as brightness (h, w).

    Args:
        pixels: uint8 (h, w) or (h, w, 3). falls: (h, w).
    """
    share = falls / max(float(np.abs(falls).max()), 1e-12)
    if no_color:
        brightness: np.ndarray = (255 * share.clip(0)).round().astype(np.uint8)
        return brightness
    grey = pixels.reshape(*pixels.shape[:2], -1).mean(axis=2, keepdims=True) * np.ones(3)
    strength = STRONGEST * np.abs(share)[..., None]
    color = np.where(share[..., None] > 0, np.array(ORANGE), np.array(BLUE))
    mixed: np.ndarray = ((1 - strength) * grey + strength * color).round().astype(np.uint8)
    return mixed
