"""The columns to choose a target from, as the command line prints them."""

import shlex
from pathlib import Path

import pytest

from core.config import schema as configuration
from core.data.registry import load
from core.data.tables.options import Csv
from core.data.tables.targets.choose import TargetUnclear
from tests.support.narrow import instance
from tui.forms.targets import target_help, target_lines


@pytest.fixture
def unclear(tmp_path: Path) -> TargetUnclear:
    """Return the message about a file in which no column stands out."""
    path = tmp_path / "my cars.csv"
    rows = [f"{at % 7}.5,{at % 11}.25,{at},2021-01-{1 + at % 28:02}" for at in range(60)]
    path.write_text("\n".join(["speed,on: the way,car_id,day", *rows]))
    with pytest.raises(TargetUnclear) as caught:
        load(configuration.from_dict({"data": str(path)}).data)
    return caught.value


def test_each_column_has_a_line_with_what_it_holds_and_why_it_is_not_likely(unclear: TargetUnclear) -> None:
    lines = target_lines(unclear.candidates)
    assert len(lines) == 4
    assert {line.split("  ")[0].strip() for line in lines[:2]} == {"speed", "on: the way"}
    assert any(line.startswith("car_id") and line.endswith("it is an id") for line in lines)
    assert any(line.startswith("day") and "dates" in line and line.endswith("it is a date") for line in lines)


def test_the_commands_lead_to_a_target(unclear: TargetUnclear) -> None:
    commands = [line for line in target_help(unclear) if line.startswith("  tui train")]
    assert len(commands) == 2
    targets = set()
    for command in commands:
        words = shlex.split(command)
        values = configuration.set_path(
            {"data": words[words.index("--data") + 1]}, words[words.index("--set") + 1]
        )
        config = configuration.from_dict(values)
        assert load(config.data).notes[0].endswith("(as given), numbers, regression")
        targets.add(instance(Csv, config.data).target)
    assert targets == {"speed", "on: the way"}
