"""Predict with an exported model: python predict.py INPUT

INPUT is an .npy array, an .npz with an array `inputs` or one for each input, for tables a text file such as .csv,
or for images a picture or a folder of some, as the data the model was trained on. Prints one line a sample: the
answer, and the score of each
class; 0 or 1 for each of several labels; or the outputs, if the network has a training step of its own. Of masks the
most frequent class and the share of each are printed, and masks.npy, the class of each pixel (n, height, width), is
written into the current folder.

Needs numpy, and onnxruntime for model.onnx or torch for model.pt2; for pictures Pillow; nothing else.
"""

import csv
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from core.export.predict_inputs import files_of, read, shortened

ROWS_AT_ONCE = 1024


def load(path: Path) -> tuple[dict[str, Any], Callable[..., np.ndarray]]:
    """Return the facts of a model, and the function from its inputs (n, ...), in order, to scores or numbers."""
    if path.suffix == ".onnx":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # errors are raised, and need not be printed as well
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        facts = json.loads(session.get_modelmeta().custom_metadata_map["torchtui"])
        names = [each.name for each in session.get_inputs()]
        return facts, lambda *inputs: np.asarray(session.run(None, dict(zip(names, inputs, strict=True)))[0])
    import torch

    extra = {"torchtui.json": ""}
    model = torch.export.load(str(path), extra_files=extra).module()

    def run(*inputs: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            scores: np.ndarray = model(*map(torch.from_numpy, inputs)).numpy()
        return scores

    return json.loads(extra["torchtui.json"]), run


def output_columns(outputs: np.ndarray, targets: list[str]) -> list[str]:
    """Return the names of the columns for outputs (n, ...) without classes: of several numbers those of the targets."""
    if outputs.ndim == 1:
        return ["prediction"]
    return targets or [f"output_{place}" for place in range(outputs[0].size)]


def best_of(scores: list[float], positive_from: float | None) -> int:
    """Return the place of the highest score; of two equal ones the second, which is the positive class.

    Args:
        positive_from: the score from which on the positive class is the answer, where a threshold was chosen.
    """
    if positive_from is not None:
        return int(scores[1] >= positive_from)
    if len(scores) == 2:
        return int(scores[1] >= scores[0])
    return int(np.argmax(scores))


def main() -> None:
    """Read, predict, print."""
    here = Path(__file__).parent
    models = [path for path in (here / "model.onnx", here / "model.pt2") if path.is_file()]
    if len(sys.argv) != 2 or not models:
        sys.exit(__doc__)
    facts, run = load(models[0])
    names = facts["class_names"]
    path = Path(sys.argv[1])
    try:
        files = files_of(path, facts)
        inputs = read(path, facts)
    except (OSError, EOFError, LookupError, ValueError, csv.Error) as error:
        sys.exit(f"{path} cannot be read: {error}")
    out = csv.writer(sys.stdout, lineterminator="\n")
    thresholds = facts.get("thresholds")
    positive_from = facts.get("positive_from")
    first = [f"predicted_{name}" for name in names] if thresholds else ["class"]
    head = (
        [*first, *(f"{'share' if facts.get('places') else 'score'}_{name}" for name in names)]
        if names
        else output_columns(run(*(each[:1] for each in inputs)), facts["target_names"])
    )
    out.writerow(["file", *head] if files else head)
    if facts.get("places"):
        pictures = inputs[0]
        masks = np.concatenate([run(pictures[at : at + 1]).argmax(axis=1) for at in range(len(pictures))])
        np.save("masks.npy", masks.astype(np.uint8))
        for place, mask in enumerate(masks):
            shares = (np.bincount(mask.ravel(), minlength=len(names)) / mask.size).tolist()
            row = [names[int(np.argmax(shares))], *shares]
            out.writerow([files[place].relative_to(path), *row] if files else row)
        return
    least = 0 if facts["sequences"] else facts.get("least", 0)
    for start in range(0, len(inputs[0]), ROWS_AT_ONCE):
        part = shortened([each[start : start + ROWS_AT_ONCE] for each in inputs], least)
        for place, scores in enumerate(run(*part).tolist(), start=start):
            if thresholds:
                row = [
                    *(int(score >= from_here) for score, from_here in zip(scores, thresholds, strict=True)),
                    *scores,
                ]
            else:
                row = [names[best_of(scores, positive_from)], *scores] if names else np.ravel(scores).tolist()
            out.writerow([files[place].relative_to(path), *row] if files else row)


if __name__ == "__main__":
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:  # nobody reads any more: let the interpreter's last flush succeed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
