"""Install the libraries that torchtui is compared with, each by itself, so that one that fails costs only its own row.

    python -m benchmarks.install

They are the extra ``bench`` of this package. Nothing that is installed already is moved.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement

PRODUCT, EXTRA = "torchtui", "bench"


def main() -> None:
    """Install what is missing, and report what cannot be installed.

    Raises:
        SystemExit: the package is not installed, or its metadata name no peers.
    """
    try:
        peers = peers_of(requires(PRODUCT) or [])
    except PackageNotFoundError:
        raise SystemExit(f"{PRODUCT} is not installed for {sys.executable}: run `make bench`") from None
    if not peers:
        raise SystemExit(
            f"The installed {PRODUCT} has no extra '{EXTRA}', so there are no peers to install. "
            "Install it again from this folder: pip install --editable ."
        )
    pip = [sys.executable, "-m", "pip"]
    frozen = subprocess.run(
        [*pip, "freeze", "--exclude-editable"], capture_output=True, text=True, check=True
    ).stdout
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("\n".join(line for line in frozen.splitlines() if "==" in line))
        for peer in peers:
            install = [*pip, "install", "--quiet", "--constraint", str(constraints), peer]
            if subprocess.run(install, check=False).returncode != 0:
                print(f"{peer} cannot be installed here: it takes no part", file=sys.stderr)


def peers_of(requirements: Iterable[str]) -> list[str]:
    """Return those lines of a package's metadata that only the extra ``bench`` asks for, without their markers."""
    peers = []
    for requirement in map(Requirement, requirements):
        marker = requirement.marker
        if marker and marker.evaluate({"extra": EXTRA}) and not marker.evaluate({"extra": ""}):
            requirement.marker = None
            peers.append(str(requirement))
    return peers


if __name__ == "__main__":
    main()
