"""Configurations of scripts, put into the sections of a run."""

import subprocess
import sys

from core.config.schema import FAMILIES
from core.runs.script import CHOSEN
from tests.support.repository import REPOSITORY


def test_the_sections_with_a_chosen_name_are_those_of_the_schema() -> None:
    assert set(CHOSEN) == set(FAMILIES)


def test_a_script_that_logs_loads_neither_the_schema_nor_a_heavy_library() -> None:
    heavy = (
        "torch",
        "numpy",
        "pydantic",
        "sklearn",
        "torchtui.core.config.schema",
        "torchtui.core.user_code",
    )
    code = f"import sys\nfrom torchtui import RunWriter\nprint(set({heavy}) & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True)
    assert answer.stdout.strip() == "set()", answer.stdout + answer.stderr
