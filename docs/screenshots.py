"""Takes the README's pictures from the real app: trains digits, evaluates, compares, and saves each screen as SVG.

make screenshots
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SIZE = (120, 40)
DOCS = Path(__file__).parent.absolute()


OTHERS = ("--optimizer adagrad --lr 0.05", "--optimizer adam --lr 0.003", "--model cnn --optimizer rmsprop --lr 0.001")
"""More runs, to be compared."""


def train_others(folder: Path) -> None:
    """Train them in processes of their own."""
    for options in OTHERS:
        command = [sys.executable, "-m", "tui", "train", "--no-ui", "--quiet", "--epochs", "30", *options.split()]
        subprocess.run([*command, "--runs", str(folder / "runs")], check=True)


async def take() -> None:
    """Walk through the app as a person would, and keep what is seen."""
    from tui.app.app import TuiApp

    app = TuiApp(runs_dir=Path("runs"), values={"training": {"epochs": 30}}, start=True)
    async with app.run_test(size=SIZE) as pilot:

        def save(name: str) -> None:
            (DOCS / f"{name}.svg").write_text(app.export_screenshot(title="torchtui"), encoding="utf-8")

        await until(pilot, lambda: app.feed is not None and app.feed.status == "completed")
        await pilot.pause(1.2)
        save("live")
        evaluate = ("4", ""), ("t", ""), (("m", "enter"), "evaluate")
        steps = ("1", "runs"), ("2", "configure"), *evaluate, ("6", "compare")
        for keys, name in steps:
            await pilot.press(*keys)
            await app.workers.wait_for_complete()
            await pilot.pause(2)
            if name:
                save(name)


async def until(pilot: "object", condition: "object") -> None:
    """Wait for a condition; fails after two minutes."""
    for _ in range(1200):
        await pilot.pause(0.1)  # type: ignore[attr-defined]
        if condition():  # type: ignore[operator]
            return
    sys.exit("the run did not complete")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TUI_CONFIG"] = f"{folder}/settings.json"
        os.environ["TUI_RUNS"] = f"{folder}/runs"
        os.chdir(folder)  # no path of this machine is in the pictures
        train_others(Path(folder))
        asyncio.run(take())
