"""Memory that is free is given back by those that allocate it."""

import os
import subprocess
import sys

import pytest

from core.data.stream.memory import POLARS

ASKED = "import core.data.tables.files.source, os, sys; print('polars' in sys.modules, os.environ[{name!r}])"


@pytest.mark.heavy
@pytest.mark.parametrize("own", ["", "narenas:1"])
def test_polars_is_asked_to_unless_the_user_asked_for_something(own: str) -> None:
    name = "_RJEM_MALLOC_CONF"
    value = POLARS[name]
    environment = {key: text for key, text in os.environ.items() if key != name} | (
        {name: own} if own else {}
    )
    command = [sys.executable, "-c", ASKED.format(name=name)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    imported, asked = done.stdout.split()
    assert imported == "True"
    assert asked.endswith(own or value)  # polars puts its own wishes before
