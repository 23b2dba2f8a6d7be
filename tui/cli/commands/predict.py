"""`tui predict`: predictions of a trained model for new samples."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from core.runs.code import trust_config
from core.runs.folder import default_runs_dir, find_run, with_checkpoint
from core.tasks.registry import task_of
from tui.cli.app import DataRootOption, RunsOption, TrustOption
from tui.cli.commands.evaluate import tell
from tui.cli.run_arguments import CheckpointOption, RunArgument
from tui.runtime.streams import result_stream, set_results_apart
from tui.terminal.text import clean

__all__ = ["predict"]


def predict(
    run: RunArgument,
    samples: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="A CSV, TSV or Parquet file, an .npz with an array `inputs`, an .npy, or a folder of pictures.",
        ),
    ],
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="OUT", help="Write to a file instead of standard output.")
    ] = None,
    checkpoint: CheckpointOption = "best",
    trust_code: TrustOption = False,
    runs: RunsOption = None,
    data_root: DataRootOption = None,
) -> None:
    """Predict new samples with the best weights of a run: one CSV line per sample, with the score of each class.

    Example: tui predict latest flowers.csv --csv answers.csv
    """
    if csv is None:
        set_results_apart()
    found = find_run(runs or default_runs_dir(), run)
    if checkpoint != "best":
        found = with_checkpoint(found, checkpoint)
    if trust_code:
        trust_config(found.config(), found)
    from core.inference.inputs import read_inputs
    from core.inference.prediction_files import write_new_predictions
    from core.session.evaluation import score_inputs, trained_model

    trained = trained_model(found, data_root=data_root, progress=tell, samples=False)
    given = read_inputs(samples, trained.data)
    for note in given.notes:
        print(clean(note), file=sys.stderr)
    scores = score_inputs(trained, given.inputs)
    names = (
        () if task_of(trained.data.task).own_step else trained.data.class_names
    )  # its outputs may be anything
    write_new_predictions(given.ids, scores, names, csv, result_stream(), clean)
