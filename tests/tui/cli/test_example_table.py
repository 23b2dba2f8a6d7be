"""The example of one's own table works as it stands."""

import csv
import os
import subprocess
import sys
from pathlib import Path

from tests.support.repository import REPOSITORY


def test_own_table(tmp_path: Path) -> None:
    script = REPOSITORY / "examples" / "own_table.py"
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "filled missing values with the median of the training rows: rooms 1" in done.stderr
    answers = csv.DictReader(done.stdout[done.stdout.index("id,prediction") :].splitlines())
    prices = {row["id"]: float(row["prediction"]) for row in answers}
    assert set(prices) == {"small", "large", "?"}
    assert 180_000 < prices["small"] < 260_000 < 480_000 < prices["large"] < 580_000
