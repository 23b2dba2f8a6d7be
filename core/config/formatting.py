"""Settings as text: one notation for lists, searches, reports and the fields of a form."""

__all__ = ["format_setting"]


def format_setting(value: object, digits: int | None = None) -> str:
    """Return a setting as text: ``256, 128``, ``on``, ``1e-5``, ``none`` for an empty list, ``–`` for None.

    Args:
        value: as a configuration holds it, or from a log that anything may have written.
        digits: significant digits of fractions; None keeps all of them.
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {format_setting(part, digits)}' for key, part in value.items())}}}"
    if isinstance(value, list | tuple):
        return ", ".join(format_setting(part, digits) for part in value) or "none"
    if isinstance(value, float):
        text = repr(value) if digits is None else f"{value:.{digits}g}"
        mantissa, exponent, power = text.removesuffix(".0").partition("e")
        return f"{mantissa}e{int(power)}" if exponent else mantissa
    return str(value)
