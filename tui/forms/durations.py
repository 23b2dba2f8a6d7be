"""Times as people write them."""

import re

from core.errors import ConfigError

__all__ = ["parse_duration"]

SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
WRITTEN = re.compile(r"(\d{1,9}(?:\.\d+)?)([smh]?)")


def parse_duration(option: str, text: str) -> float:
    """Return the seconds of ``90``, ``90s``, ``10m`` or ``2h``.

    Raises:
        ConfigError: it is not a time; the message names the option.
    """
    found = WRITTEN.fullmatch(text.strip())
    if found is None or float(found[1]) <= 0:
        raise ConfigError(f"{option}: got '{text}'", "It takes a time such as 90s, 10m or 2h")
    return float(found[1]) * SECONDS[found[2]]
