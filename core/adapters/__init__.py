"""The documented import paths of the adapters, which are in `core.interop.adapters`."""
