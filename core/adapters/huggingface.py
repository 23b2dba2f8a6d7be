"""The documented import path of the callback for Hugging Face's Trainer."""

from core.interop.adapters.huggingface import RunCallback

__all__ = ["RunCallback"]
