"""`tui predict`: predictions of a trained model for new samples."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from tui.cli.app import DataRootOption, RunsOption, TrustOption
from tui.cli.commands.evaluate import tell, tell_device
from tui.cli.json_option import JsonOption
from tui.cli.run_arguments import CheckpointOption, OneOrMoreRuns, TogetherOption, runs_named
from tui.runtime.streams import result_stream, set_results_apart
from tui.terminal.text import clean

__all__ = ["predict"]


def predict(
    run: OneOrMoreRuns,
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
    masks: Annotated[
        Path | None,
        typer.Option(
            "--masks", metavar="FOLDER", help="Of a model of masks: write one PNG for each picture."
        ),
    ] = None,
    as_json: JsonOption = False,
    together: TogetherOption = False,
    checkpoint: CheckpointOption = "best",
    trust_code: TrustOption = False,
    runs: RunsOption = None,
    data_root: DataRootOption = None,
) -> None:
    """Predict new samples with the best weights of a run: one CSV line per sample, with the score of each class.

    Of a model of masks: one PNG file per picture, whose values are the classes.

    Examples: tui predict latest flowers.csv --csv answers.csv

    tui predict latest photos/ --masks masks/
    """
    if csv is None:
        set_results_apart()
    found = runs_named(run, runs, checkpoint, together=together, trust=trust_code)
    from core.inference.prediction_files import print_new_predictions, write_new_predictions
    from core.session.new_samples import NewMasks, predict_new

    new = predict_new(found, samples, masks=masks, data_root=data_root, progress=tell)
    tell_device()
    tell("", 0, 0)
    for note in new.notes:
        print(clean(note), file=sys.stderr)
    if isinstance(new, NewMasks):
        print(clean(f"{masks}: {new.written:,} masks {new.size}"), file=sys.stderr)
    elif csv is not None:
        write_new_predictions(new, csv)
    elif not as_json:
        terminal = result_stream()
        print_new_predictions(new.cleaned(clean) if terminal.isatty() else new, terminal)
    if as_json:
        from tui.headless.documents.acting import predictions_document
        from tui.headless.documents.envelope import print_document

        where = masks if isinstance(new, NewMasks) else csv
        print_document(predictions_document([one.id for one in found], new, where))
