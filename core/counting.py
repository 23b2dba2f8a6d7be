"""Numbers of things in words."""

__all__ = ["counted"]


def counted(n: int, noun: str, plural: str = "") -> str:
    """Return a number of things: ``1 thread``, ``2,000 threads``; `plural` where it takes more than an s."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"
