"""The registry of hosts: the union of their classes. To add one, write its module and name it here."""

from collections.abc import Mapping
from typing import Annotated, Any, cast

from pydantic import Field, ValidationError

from core.errors import InputError
from core.field_errors import as_config_error
from core.options import choices
from tui.runtime.hosts.background import Background
from tui.runtime.hosts.here import Here
from tui.runtime.hosts.host import Host
from tui.runtime.hosts.processes import Processes
from tui.runtime.hosts.queued import Queued
from tui.runtime.hosts.slurm import Slurm

__all__ = ["DEFAULT_HOST", "HOSTS", "available_hosts", "host_class", "make_host"]

AnyHost = Annotated[Here | Background | Processes | Slurm | Queued, Field(discriminator="name")]
HOSTS = cast("Mapping[str, type[Host]]", choices(AnyHost))
"""The classes by name, in the order in which they are offered."""
DEFAULT_HOST = next(iter(HOSTS))


def available_hosts() -> list[str]:
    """Return the names of the hosts on which a run can be started from this machine."""
    return [name for name, host in HOSTS.items() if not host.unavailable()]


def host_class(name: object) -> type[Host]:
    """Return the class of a host.

    Raises:
        InputError: there is none of that name.
    """
    if not isinstance(name, str) or name not in HOSTS:
        raise InputError(f"no such host '{name}'", f"Known: {', '.join(HOSTS)}")
    return HOSTS[name]


def make_host(values: Mapping[str, Any]) -> Host:
    """Return a host with its settings; ``name`` says which.

    Raises:
        InputError: there is none of that name.
        ConfigError: a setting is unknown or wrong.
    """
    kind = host_class(values.get("name"))
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise as_config_error(error, kind) from None
