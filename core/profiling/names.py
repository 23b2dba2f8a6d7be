"""Names of what a profile tells, known before PyTorch is imported."""

from typing import Final

__all__ = ["ALTERNATIVES", "PHASES"]

ALTERNATIVES: Final = ("threads", "workers", "batch", "precision", "compile")
"""Settings that can be tried."""
PHASES: Final = {
    "data": "waiting for data",
    "forward": "forward pass",
    "backward": "loss and backward pass",
    "optimizer": "optimizer",
    "logging": "logging",
}
"""The parts of a step, in their order."""
