"""Defaults of single settings, by the choice of their section."""

from functools import cache
from typing import Any

from core.config.schema import FAMILIES, TrainConfig
from core.options import choices, default_of

__all__ = ["usual_value"]


@cache
def usual_value(section: str, name: str, key: str) -> Any:
    """Return the default of a setting as a configuration holds it; None if it is unknown.

    Args:
        section, key: of the setting, such as ``optimizer`` and ``lr``.
        name: of the choice of the section, such as ``adam``; of no account where it has one class alone.
    """
    field = TrainConfig.model_fields.get(section)
    if field is None:
        return None
    options = choices(FAMILIES[section]).get(name) if section in FAMILIES else type(default_of(field))
    setting = options.model_fields.get(key) if options else None
    default = default_of(setting) if setting else None
    return list(default) if isinstance(default, tuple) else default
