"""Heavy modules are imported when they are needed, and the core knows nothing of the terminal."""

import subprocess
import sys

import pytest

from tests.support.repository import REPOSITORY

HEAVY = ("torch", "polars", "torchvision", "textual", "plotext", "sklearn", "scipy")
TERMINAL = ("tui", "textual", "textual_image", "plotext", "rich", "typer")


def imported_by(code: str) -> set[str]:
    """Top-level packages that a new interpreter has loaded after `code`."""
    answer = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sorted(sys.modules))"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in answer.stdout.splitlines()[-1].split()}


def test_light_modules_import_nothing_heavy() -> None:
    assert imported_by("import core, core.config.schema, core.runs.summary, tui.cli").isdisjoint(HEAVY)


def test_configuration_commands_import_nothing_heavy() -> None:
    code = "import sys; sys.argv = ['tui', 'config']\nfrom tui.cli import main\n"
    assert imported_by(code + "try: main()\nexcept SystemExit: pass").isdisjoint(HEAVY)


def test_the_first_paint_waits_for_textual_alone() -> None:
    code = """
import os, sys
os.environ["TEXTUAL_DRIVER"] = "textual.drivers.headless_driver:HeadlessDriver"
from tui.app.app import TuiApp
TuiApp.run = lambda app: None
sys.argv = ["tui"]
from tui.cli import main
main()"""
    loaded = imported_by(code)
    assert "textual" in loaded
    assert loaded.isdisjoint({*HEAVY, "numpy", "pydantic", "yaml"} - {"textual"})


@pytest.mark.slow
def test_the_core_imports_nothing_of_the_terminal() -> None:
    """Every module of the core at once, but those for other frameworks, which import these."""
    files = (REPOSITORY / "core").rglob("*.py")
    names = [".".join(file.relative_to(REPOSITORY).with_suffix("").parts) for file in sorted(files)]
    modules = [name.removesuffix(".__init__") for name in names]
    assert "core.training.engine" in modules
    foreign = ("core.adapters.", "core.interop.adapters.")
    ours = [module for module in modules if not module.startswith(foreign)]
    assert imported_by("\n".join(f"import {module}" for module in ours)).isdisjoint(TERMINAL)
