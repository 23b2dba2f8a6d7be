"""`tui predict`: predictions of a trained model for new samples."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from core.errors import InputError
from core.runs.together import members_of
from core.tasks.registry import task_of
from tui.cli.app import DataRootOption, RunsOption, TrustOption
from tui.cli.commands.evaluate import tell
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
    from core.evaluation.calibration import tempered
    from core.inference.chosen import temperature_of, thresholds_of
    from core.inference.inputs import read_inputs
    from core.inference.mask_files import picture_sizes, write_masks
    from core.inference.prediction_files import write_new_predictions
    from core.inference.together import mean_scores, mean_thresholds
    from core.session.evaluation import decision_thresholds, score_inputs, trained_model

    each, probabilities, thresholds, notes = [], [], [], dict[str, None]()
    for member in (member for one in found for member in members_of(one) or [one]):
        trained = trained_model(member, data_root=data_root, progress=tell, samples=False)
        _check_output(masks, trained.data.name, gives_masks=bool(trained.data.sample.places))
        given = read_inputs(samples, trained.data)
        notes |= dict.fromkeys(given.notes)
        each.append(score_inputs(trained, given.inputs))
        limits, note = decision_thresholds(trained, member)
        thresholds.append(limits)
        notes |= dict.fromkeys([note] if note else [])
        probabilities.append(trained.scorer.gives_probabilities(trained.data.target_facts))
    for note in notes:
        print(clean(note), file=sys.stderr)
    scores = mean_scores(each, probabilities=probabilities) if len(each) > 1 else each[0]
    if masks is not None:
        sizes = picture_sizes(samples, given.ids)
        written = write_masks(given.ids, scores.argmax(axis=1).astype("uint8"), masks, sizes)
        model = "x".join(map(str, scores.shape[2:]))
        size = f"of {model}" if sizes is None else f"of the size of their pictures; the model takes {model}"
        print(clean(f"{masks}: {written:,} masks {size}"), file=sys.stderr)
        return
    custom = task_of(trained.data.task).own_step  # its outputs may be anything
    names = () if custom else trained.data.class_names
    targets = trained.data.target_names if scores.ndim > 1 else ()
    limits = mean_thresholds(thresholds)
    if len(found) == 1 and len(each) > 1:  # a run that stands for several has choices of its own
        temperature = temperature_of(found[0])
        scores = scores if temperature is None else tempered(scores, temperature)
        labels = names if task_of(trained.data.task).several_labels else ()
        limits = thresholds_of(found[0], labels, limits)
    write_new_predictions(given.ids, scores, names, csv, result_stream(), clean, targets, limits)


def _check_output(masks: Path | None, data: str, *, gives_masks: bool) -> None:
    """Refuse an option that does not fit what the model gives.

    Raises:
        InputError: it gives masks and no folder is named for them, or the other way round.
    """
    if gives_masks and masks is None:
        raise InputError("this model gives a mask for each picture", "Name a folder for them with --masks")
    if masks is not None and not gives_masks:
        raise InputError(f"--masks: a model of {data} gives no masks", "Use --csv, or leave it out")
