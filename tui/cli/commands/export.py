"""`tui export`: a trained model for other tools."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from core.runs.folder import default_runs_dir
from tui.cli.app import DataRootOption, RunsOption, TrustOption
from tui.cli.commands.evaluate import tell, tell_device
from tui.cli.json_option import JsonOption
from tui.cli.run_arguments import CheckpointOption, OneOrMoreRuns, TogetherOption, runs_named

__all__ = ["export"]


def export(
    run: OneOrMoreRuns,
    to: Annotated[
        Literal["onnx", "pt2", "safetensors", "csv"],
        typer.Option("--to", help="ONNX, a PyTorch graph, weights only, or arrays."),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="A new folder.", show_default="RUN-FORMAT"),
    ] = None,
    as_json: JsonOption = False,
    together: TogetherOption = False,
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
    several = runs_named(run, runs, checkpoint, together=together, trust=trust_code)
    if together:
        from core.interop.together import run_of

        several = [run_of(several, runs or default_runs_dir())]
    found = several[0]
    from core.export.export import export as export_run
    from tui.terminal.text import clean

    written = export_run(found, to, output or Path(f"{found.id}-{to}"), data_root=data_root, progress=tell)
    tell_device()
    tell("", 0, 0)
    if as_json:
        from tui.headless.documents.acting import export_document
        from tui.headless.documents.envelope import print_document

        print_document(export_document(found.id, written, to))
        return
    print(clean(f"{written.folder}: {', '.join(written.files)}"))
    for note in written.notes:
        print(clean(note))
    if written.difference is not None:
        print(f"checked on real samples: largest difference {written.difference:.2g}")
