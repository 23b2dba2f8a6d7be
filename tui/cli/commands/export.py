"""`tui export`: a trained model for other tools."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from core.runs.code import trust_config
from core.runs.folder import default_runs_dir, find_run, with_checkpoint
from tui.cli.app import DataRootOption, RunsOption, TrustOption
from tui.cli.commands.evaluate import tell
from tui.cli.run_arguments import CheckpointOption, RunArgument

__all__ = ["export"]


def export(
    run: RunArgument,
    to: Annotated[
        Literal["onnx", "pt2", "safetensors", "csv"],
        typer.Option("--to", help="ONNX, a PyTorch graph, weights only, or arrays."),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="A new folder.", show_default="RUN-FORMAT"),
    ] = None,
    checkpoint: CheckpointOption = "best",
    trust_code: TrustOption = False,
    runs: RunsOption = None,
    data_root: DataRootOption = None,
) -> None:
    """Export a model with its preprocessing and class names, and check it on real samples.

    With onnx and pt2 comes predict.py, which does not need torchtui.

    The model takes raw values, as in the data it was trained on, in batches of any size.

    Example: tui export latest --to onnx -o model
    """
    found = find_run(runs or default_runs_dir(), run)
    if checkpoint != "best":
        found = with_checkpoint(found, checkpoint)
    if trust_code:
        trust_config(found.config(), found)
    from core.export.export import export as export_run
    from tui.terminal.text import clean

    written = export_run(found, to, output or Path(f"{found.id}-{to}"), data_root=data_root, progress=tell)
    tell("", 0, 0)
    print(clean(f"{written.folder}: {', '.join(written.files)}"))
    if written.difference is not None:
        print(f"checked on real samples: largest difference {written.difference:.2g}")
