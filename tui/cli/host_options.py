"""Options that choose where a run trains, made from the registry of hosts, and profiles that keep them."""

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import typer

from core.errors import InputError
from core.options import are_lines, unit_of
from tui.cli.gathered import gathers, option_parameter
from tui.forms.form import value_of
from tui.forms.form_fields import FieldSpec, specs_of
from tui.forms.option_form import flag_of
from tui.runtime.hosts import profiles
from tui.runtime.hosts.here import Here
from tui.runtime.hosts.host import Host
from tui.runtime.hosts.registry import HOSTS, host_class, make_host

__all__ = ["PROFILE", "Place", "option_of", "settings_of", "with_host", "without_place"]

PANEL = "Run in"
CHOOSING = ("--run-in", "--profile", "--save-profile")


@dataclass(frozen=True)
class Place:
    """Where a run was asked to train.

    Attributes:
        only_shown: print the command, or the job script, and start nothing.
    """

    host: Host
    only_shown: bool = False

    @property
    def is_elsewhere(self) -> bool:
        """Return whether the command does not train the run itself, or only shows how."""
        return self.only_shown or not isinstance(self.host, Here)


def with_host(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command ``--run-in``, profiles, ``--dry-run`` and a flag for each field of a host.

    Its argument ``place`` is where the run was asked to train.
    """
    fields = [_option(key, hosts) for key, hosts in _fields().items()]
    return gathers("place", _place, [*CHOICES, *fields])(command)


def _place(
    run_in: str | None, profile: str | None, save_profile: str | None, dry_run: bool, **given: Any
) -> Place:
    chosen = {key: value for key, value in given.items() if value not in (None, [])}
    place = Place(_chosen(run_in, profile, chosen), dry_run)
    if save_profile is not None:
        print(f"saved as {profiles.save_profile(save_profile, place.host)}", file=sys.stderr)
    return place


def without_place(words: Sequence[str], also: Iterable[str] = ()) -> list[str]:
    """Return the words of a command line without those that say where the run trains.

    Args:
        also: further flags to leave out, with their values.
    """
    takes_value, alone = {*CHOOSING, *also}, {"--dry-run"}
    for key, hosts in _fields().items():
        if HOSTS[hosts[0]].model_fields[key].annotation is bool:
            alone |= {flag_of(key), flag_of(f"no_{key}")}
        else:
            takes_value.add(flag_of(key))
    kept: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in takes_value:
            next(rest, None)
        elif word not in alone and word.partition("=")[0] not in takes_value:
            kept.append(word)
    return kept


def _chosen(name: str | None, profile: str | None, given: Mapping[str, Any]) -> Host:
    """Return the host that was named, or else that of the profile, or the first that has all given settings."""
    saved = profiles.load_profile(profile) if profile is not None else None
    if saved is not None and name not in (None, saved.host_name):
        raise InputError(
            f"--run-in is {name}, but the profile {profile} is for {saved.host_name}", "Leave one out"
        )
    if name is None:
        name = saved.host_name if saved is not None else _meant(given)
    kind = host_class(name)
    for key in given:
        if key not in kind.model_fields:
            having = ", ".join(_fields()[key])
            queued = name == "queue" and "processes" in _fields()[key]
            others = "; `tui queue add train` takes it, too" if queued else ""
            raise InputError(
                f"{flag_of(key)} is not a setting of --run-in {name}", f"It is one of {having}{others}"
            )
    return settings_of(kind, saved, given)


def settings_of(kind: type[Host], saved: Host | None, given: Mapping[str, Any]) -> Host:
    """Return a host with saved settings, and others in their place that were given as texts.

    Raises:
        ConfigError: a setting is wrong.
    """
    specs = {spec.path.partition(".")[2]: spec for spec in specs_of(kind, "run_in")}
    values = saved.model_dump() if saved is not None else {"name": kind.model_fields["name"].default}
    return make_host(values | {key: _value(specs[key], value) for key, value in given.items()})


def _meant(given: Mapping[str, Any]) -> str:
    """Return the first host that has all given settings.

    Raises:
        InputError: there is none.
    """
    for name, kind in HOSTS.items():
        if all(key in kind.model_fields for key in given):
            return name
    raise InputError(f"no host has all of {', '.join(map(flag_of, given))}", "Leave some out")


def _value(spec: FieldSpec, given: Any) -> Any:
    return value_of(spec, given) if isinstance(given, str) else given


def _fields() -> dict[str, list[str]]:
    """Return the names of the hosts that have a field, by the name of the field."""
    fields: dict[str, list[str]] = {}
    for name, kind in HOSTS.items():
        for key in kind.model_fields:
            if key != "name":
                fields.setdefault(key, []).append(name)
    return fields


def _option(key: str, hosts: Sequence[str]) -> inspect.Parameter:
    return option_of(HOSTS[hosts[0]], key, f"With --run-in {' or '.join(hosts)}.", PANEL)


def option_of(kind: type[Host], key: str, more: str, panel: str) -> inspect.Parameter:
    """Return the flag of a field of a host; texts among several are given one by one.

    Args:
        more: a sentence after its description.
    """
    field = kind.model_fields[key]
    flag = flag_of(key)
    annotation: Any = str | None
    metavar: str | None = unit_of(field).upper() or key.upper()
    if field.annotation is bool:
        annotation, metavar, flag = bool | None, None, f"{flag}/{flag_of(f'no_{key}')}"
    elif are_lines(field):
        annotation = list[str] | None
    help_text = f"{field.description} {more}"
    option = typer.Option(None, flag, help=help_text, metavar=metavar, rich_help_panel=panel)
    return option_parameter(key, annotation, option)


def _parameter(name: str, annotation: Any, default: Any, **facts: Any) -> inspect.Parameter:
    option = typer.Option(default, flag_of(name), rich_help_panel=PANEL, **facts)
    return option_parameter(name, annotation, option)


def _complete(names: Callable[[], Sequence[str]]) -> Callable[[str], list[str]]:
    return lambda incomplete: [name for name in names() if name.startswith(incomplete)]


PROFILE = _parameter(
    "profile",
    str | None,
    None,
    metavar="NAME",
    help="Take host and settings from a saved profile; other settings given here count more.",
    autocompletion=_complete(profiles.profile_names),
)
CHOICES = (
    _parameter(
        "run_in",
        str | None,
        None,
        metavar="HOST",
        help=f"Where to train, headless: {', '.join(HOSTS)}. A setting implies the first that has it.",
        autocompletion=_complete(lambda: list(HOSTS)),
    ),
    PROFILE,
    _parameter("save_profile", str | None, None, metavar="NAME", help="Save host and settings as a profile."),
    _parameter(
        "dry_run", bool, False, help="Print the command that would run, or the job script, and start nothing."
    ),
)
