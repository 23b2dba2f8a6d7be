"""The documented import path of the Lightning callback."""

from core.interop.adapters.lightning import RunCallback

__all__ = ["RunCallback"]
