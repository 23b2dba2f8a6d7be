"""Install the libraries that torchtui is compared with, each by itself, so that one that fails costs only its own row.

    python -m benchmarks.install

They are the extra ``bench`` of this package. Nothing that is installed already is moved.
"""

import subprocess
import sys
import tempfile
from importlib.metadata import requires
from pathlib import Path

MARK = 'extra == "bench"'


def main() -> None:
    """Install what is missing, and tell what cannot be."""
    wanted = [line.partition(";")[0].strip() for line in requires("torchtui") or [] if MARK in line]
    pip = [sys.executable, "-m", "pip"]
    frozen = subprocess.run(
        [*pip, "freeze", "--exclude-editable"], capture_output=True, text=True, check=True
    ).stdout
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("\n".join(line for line in frozen.splitlines() if "==" in line))
        for requirement in wanted:
            install = [*pip, "install", "--quiet", "--constraint", str(constraints), requirement]
            if subprocess.run(install, check=False).returncode != 0:
                print(f"{requirement} cannot be installed here: it takes no part", file=sys.stderr)


if __name__ == "__main__":
    main()
