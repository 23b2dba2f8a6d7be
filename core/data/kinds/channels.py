"""Where the channels of new samples stand. Exported models carry this module: it imports NumPy alone."""

import numpy as np

__all__ = ["channels_first"]


def channels_first(samples: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return samples (n, ...) as (n, channels, ...), where they have channels.

    Args:
        shape: of a sample, its channels first. An only channel may be left out, others may come last.
    """
    if samples.shape[1:] == shape:
        return samples
    if shape[0] == 1 and samples.shape[1:] == shape[1:]:
        return samples[:, None]
    return np.moveaxis(samples, -1, 1) if samples.shape[1:] == (*shape[1:], shape[0]) else samples
