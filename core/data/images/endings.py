"""Endings of images, also for the program that goes with an exported model."""

__all__ = ["PICTURES"]

PICTURES = frozenset(
    {
        ".png",
        ".apng",
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".jp2",
        ".j2k",
        ".bmp",
        ".dib",
        ".gif",
        ".webp",
        ".avif",
    }
    | {".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".pcx"}
)
"""Of those that are read by Pillow alone, in lower case."""
