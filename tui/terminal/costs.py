"""Costs of a network as text: a count, bytes, or a time."""

from tui.terminal.text import bytes_, count, number

__all__ = ["weighed_text"]

TIMES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))


def weighed_text(name: str, value: float | None) -> str:
    """Return a cost, or a metric, as it is shown beside its name."""
    if value is None:
        return number(None)
    if name == "parameters":
        return count(round(value))
    if name == "size":
        return bytes_(value)
    if name in ("seconds", "latency"):
        scale, unit = next((pair for pair in TIMES if value >= pair[0]), TIMES[-1])
        return f"{value / scale:.3g} {unit}"
    return number(value)
