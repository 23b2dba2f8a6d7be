"""Named settings of hosts, kept as YAML files beside the app's settings."""

import os
import re
from pathlib import Path

from core.config.yaml_files import read_yaml, sections_to_yaml
from core.errors import ConfigError, InputError, RunError
from core.files.atomic import creating, write_atomically
from tui.runtime.hosts.host import Host
from tui.runtime.hosts.registry import make_host
from tui.runtime.settings import settings_file

__all__ = [
    "delete_profile",
    "load_profile",
    "profile_names",
    "profiles_folder",
    "rename_profile",
    "save_profile",
]

NAME = re.compile(r"\w[\w .+-]{0,59}")
SECTION = "run_in"


def profiles_folder() -> Path:
    """Return the folder of profiles: beside the app's settings."""
    return settings_file().parent / "profiles"


def profile_names() -> list[str]:
    """Return the names of all profiles, in alphabetical order."""
    try:
        files = os.listdir(profiles_folder())
    except OSError:
        return []
    names = (name.removesuffix(".yaml") for name in files if name.endswith(".yaml"))
    return sorted(name for name in names if NAME.fullmatch(name))


def load_profile(name: str) -> Host:
    """Return the host and its settings that a profile names.

    Raises:
        InputError: there is none of that name, or its host is unknown.
        ConfigError: it cannot be read, or a setting in it is wrong.
    """
    if name not in profile_names():
        known = ", ".join(profile_names())
        raise InputError(
            f"there is no profile '{name}'", f"Known: {known}" if known else "None was saved yet"
        )
    values = read_yaml(_file(name)).get(SECTION)
    if not isinstance(values, dict):
        raise ConfigError(f"profile {name}: {_file(name)} has no section {SECTION}", "Save it again")
    try:
        return make_host(values)
    except (ConfigError, InputError) as error:
        raise ConfigError(f"profile {name}: {error.message}", error.hint) from None


def save_profile(name: str, host: Host) -> Path:
    """Keep the settings of a host by a name, in place of what had that name, and return the file.

    Raises:
        InputError: the name does not fit.
        RunError: the file cannot be written.
    """
    path = _file(name)
    with creating(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    text = sections_to_yaml(
        {SECTION: host.model_dump(mode="json", exclude_defaults=True) | {"name": host.host_name}}
    )
    write_atomically(path, lambda file: file.write(text.encode()))
    return path


def rename_profile(name: str, new: str) -> None:
    """Give a profile another name.

    Raises:
        InputError: the name does not fit, or another profile has it.
        RunError: that fails.
    """
    path = _file(new)
    if new != name and new in profile_names():
        raise InputError(f"there is a profile '{new}' already", "Give another name")
    try:
        _file(name).rename(path)
    except OSError as error:
        raise RunError(f"cannot rename the profile {name}: {error.strerror}") from None


def delete_profile(name: str) -> None:
    """Delete a profile.

    Raises:
        RunError: that fails.
    """
    try:
        _file(name).unlink()
    except OSError as error:
        raise RunError(f"cannot delete the profile {name}: {error.strerror}") from None


def _file(name: str) -> Path:
    if not NAME.fullmatch(name):
        raise InputError(
            f"'{name}' cannot name a profile", "Use letters, digits, spaces, points and dashes, 60 at most"
        )
    return profiles_folder() / f"{name}.yaml"
