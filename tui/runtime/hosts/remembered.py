"""Hosts with the settings that they had last in the app."""

from core.errors import TorchtuiError
from tui.runtime.hosts.host import Host
from tui.runtime.hosts.registry import make_host
from tui.runtime.settings import Settings

__all__ = ["remembered"]


def remembered(settings: Settings, name: str) -> Host:
    """Return a host with the settings it had last, or else its defaults.

    Args:
        settings: of the app. name: of the host in the registry.
    """
    values = settings.hosts.get(name)
    try:
        return make_host({**(values if isinstance(values, dict) else {}), "name": name})
    except TorchtuiError:
        return make_host({"name": name})
