"""Versions, devices, and folders that must be writable."""

import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from core.doctor.check import Check

__all__ = ["check_devices", "check_folder", "check_versions"]

PRODUCT = "torchtui"
EXTRA, DEVELOPERS = "extra ==", 'extra == "dev"'
FREE_BYTES = 1 << 30
"""Less free space than this is reported: checkpoints fill it soon."""


def check_versions() -> Iterator[Check]:
    """Python, the packages that must be there, and the optional ones that are."""
    ok = sys.version_info >= (3, 11)
    yield Check("python", ok, platform.python_version(), "" if ok else "Install Python 3.11 or newer")
    try:
        needed = [Requirement(text) for text in requires(PRODUCT) or []]
    except PackageNotFoundError:
        yield Check(PRODUCT, True, "run from its source, not installed")
        return
    yield Check(PRODUCT, True, version(PRODUCT))
    for requirement in needed:
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield _check_package(requirement)
    optional = [
        requirement
        for requirement in needed
        if EXTRA in str(requirement.marker) and DEVELOPERS not in str(requirement.marker)
    ]
    there = {requirement.name: found for requirement in optional if (found := _version(requirement.name))}
    yield Check(
        "optional packages", True, ", ".join(f"{name} {there[name]}" for name in sorted(there)) or "none"
    )
    for requirement in optional:
        if requirement.name in there and not (check := _check_package(requirement)).ok:
            yield check


def check_devices() -> Iterator[Check]:
    """Check the devices; a GPU that PyTorch cannot use is reported."""
    try:
        import torch

        from core.devices import discover
    except Exception as error:  # a broken installation raises whatever it trips over
        reason = str(error).partition("\n")[0]
        yield Check("devices", False, f"PyTorch cannot be imported: {reason}", "Reinstall torch")
        return
    for device in discover():
        yield Check(f"device {device.name}", True, f"{device.label}, {device.memory / 2**30:.1f} GiB")
    if shutil.which("nvidia-smi") and not torch.cuda.is_available():
        advice = "Update the NVIDIA driver" if torch.version.cuda else "Install a build of torch with CUDA"
        yield Check(
            "device cuda", False, "an NVIDIA GPU seems to be present, but PyTorch cannot use it", advice
        )


def check_folder(name: str, folder: Path, option: str) -> Check:
    """Return whether a folder, or the one in which it would be made, can be written and has room.

    Args:
        option: of the command line that gives another folder.
    """
    try:
        nearest = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
        with tempfile.TemporaryFile(dir=nearest) as file:
            file.write(b"x")
            file.flush()
        free = shutil.disk_usage(nearest).free
    except OSError as error:
        return Check(
            name, False, f"{folder} cannot be written: {error.strerror}", f"Give another with {option}"
        )
    found = f"{folder}, {free / 2**30:.1f} GiB free"
    if free < FREE_BYTES:
        return Check(name, False, found, f"Free some space, or give another folder with {option}")
    return Check(name, True, found)


def _check_package(requirement: Requirement) -> Check:
    found = _version(requirement.name)
    wanted = str(requirement.specifier)
    install = f'pip install "{requirement.name}{wanted}"'
    if not found:
        return Check(requirement.name, False, "not installed", install)
    if not requirement.specifier.contains(found, prereleases=True):
        return Check(requirement.name, False, f"{found}, but {wanted} is needed", install)
    return Check(requirement.name, True, found)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
