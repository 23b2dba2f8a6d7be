"""A class for each pixel: a mask beside each image."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from core.losses.base import TargetKind
from core.metrics import OF_PIXELS
from core.tasks.base import Tally, Task

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from core.data.dataset import Dataset, Split
    from core.evaluation.predictions import Predictions
    from core.evaluation.report import Report
    from core.losses.base import Scorer

__all__ = ["Segmentation"]

PIXELS_AT_ONCE = 1 << 20
"""Of images that are evaluated at once: maps of all channels at full size take 64 times as many numbers and more."""


class Segmentation(Task):
    """Targets are masks, uint8 (n, height, width), where `core.arrays.IGNORED` counts nowhere."""

    name = "segmentation"
    targets: ClassVar[TargetKind] = "pixels"
    called = "a class for each pixel"
    score = "pixel_accuracy"
    goal = "mean_iou"
    default_loss = "cross_entropy"
    views = ("summary", "confusion", "epochs", "masks")
    headlines = ("mean_iou", "pixel_accuracy")
    worst_first = "Worst images"
    class_columns = ("iou", "dice", "precision", "recall", "support")
    counted = "pixels"
    constant_name = "most frequent class of each pixel"
    on_images = True
    pictured = "image, mask and predicted mask"

    def metrics(self, classes: int) -> list[str]:
        return list(OF_PIXELS)

    def places(self, sample_shape: tuple[int, ...]) -> tuple[int, ...]:
        return sample_shape[-2:]

    def rows_at_once(self, sample_shape: tuple[int, ...]) -> int:
        height, width = sample_shape[-2:]
        return max(1, PIXELS_AT_ONCE // (height * width))

    # ---- targets

    def class_counts(self, targets: "Tensor", classes: int, weights: "Tensor | None" = None) -> list[float]:
        """Return the pixels of each class."""
        import torch

        from core.arrays import IGNORED

        counts = torch.zeros(IGNORED + 1, dtype=torch.float64)
        for at, mask in enumerate(targets):
            each = mask.flatten().bincount(minlength=IGNORED + 1)
            counts += each if weights is None else each * weights[at].double()
        found: list[float] = counts[:classes].tolist()
        return found

    def unknown_targets(self, n: int, outputs: int) -> "Tensor":
        import torch

        return torch.zeros((n, 1, 1), dtype=torch.uint8)

    def label(self, target: "Tensor", class_names: Sequence[str]) -> str:
        """Return the name of the class with the most pixels beside the first class, which often is the background."""
        counts = self.class_counts(target.unsqueeze(0), len(class_names))
        others = counts[1:]
        return class_names[1 + others.index(max(others))] if any(others) else class_names[0]

    # ---- numbers of an epoch

    def weight_of(self, targets: "Tensor", weights: "Tensor | None") -> "Tensor | None":
        """Return the number of pixels that count, each by the weight of its image."""
        from core.arrays import IGNORED

        pixels = (targets != IGNORED).flatten(1).sum(dim=1).double()
        return pixels.sum() if weights is None else pixels @ weights.double()

    def noted(self, outputs: "Tensor", targets: "Tensor") -> "tuple[Tensor, Tensor]":
        """Return the share of right pixels (b,) of each image, as outputs of many steps would not fit into memory."""
        from core.arrays import IGNORED

        known = targets != IGNORED
        right = ((outputs.argmax(dim=1) == targets) & known).flatten(1).sum(dim=1)
        shares = right / known.flatten(1).sum(dim=1).clamp(min=1)
        return shares, shares

    def step_scores(
        self, outputs: "Sequence[Tensor]", targets: "Sequence[Tensor]", weights: "Sequence[Tensor]"
    ) -> Iterable[float]:
        """Return the sums of the shares of right pixels."""
        import torch

        shares = [each.double() for each in outputs]
        if weights:
            shares = [each * known.double() for each, known in zip(shares, weights, strict=True)]
        sums: list[float] = torch.stack([each.sum() for each in shares]).tolist()
        return sums

    def tally(self, threshold: float = 0.0) -> Tally:
        from core.tasks.tallies import PixelTally

        return PixelTally()

    def scores(self, scorer: "Scorer", outputs: "Iterable[Tensor]") -> "Tensor":
        """Return the class of each pixel, uint8 (n, height, width)."""
        import torch

        from core.tasks.joined import joined

        parts = (scorer.scores(each) if scorer.converts else each for each in outputs)
        return joined(part.argmax(dim=1).to(torch.uint8).cpu() for part in parts)

    # ---- evaluation

    def values(
        self, predictions: "Predictions", wanted: Sequence[str], class_names: Sequence[str]
    ) -> dict[str, float]:
        from core.evaluation.segmentation.report import mask_values

        return mask_values(predictions, wanted, len(class_names))

    def predictions(
        self, scores: "Tensor", samples: "Split", data: "Dataset", probabilities: bool
    ) -> "Predictions":
        import torch

        return super().predictions(scores.to(torch.uint8), samples, data, False)

    def evaluate(
        self,
        predictions: "Predictions",
        *,
        class_names: Sequence[str],
        split: str,
        seed: int,
        intervals: bool,
    ) -> "Report":
        from core.evaluation.segmentation.report import check_masks, mask_report

        check_masks(predictions, self.name, len(class_names), split)
        return mask_report(
            predictions,
            task=self.name,
            class_names=class_names,
            split=split,
            seed=seed,
            intervals=intervals,
        )

    def worst(self, predictions: "Predictions", limit: int) -> "np.ndarray":
        """Return the images with the lowest mean IoU."""
        from core.evaluation.segmentation.report import worst_images

        return worst_images(predictions, limit)

    def columns(self, predictions: "Predictions", names: Sequence[str]) -> "list[tuple[str, np.ndarray]]":
        """Return the metrics of each image, and the IoU of each class, NaN where it does not occur."""
        from core.evaluation.segmentation.report import image_metrics

        found = image_metrics(predictions, len(names))
        by_class = zip(names, found["iou"].T, strict=True)
        means = [(name, found[name]) for name in ("pixel_accuracy", "mean_iou")]
        return [*means, *((f"iou_{name}", column) for name, column in by_class)]

    def picture(
        self, predictions: "Predictions", position: int, image: "np.ndarray", classes: int
    ) -> "tuple[np.ndarray, str]":
        """Return an image, its mask and the predicted one, side by side."""
        import numpy as np

        from core.evaluation.segmentation.pictures import side_by_side
        from core.evaluation.segmentation.report import image_scores
        from core.metrics import number

        (score,) = image_scores(predictions.rows(np.array([position])), classes)
        drawn = side_by_side(image, predictions.targets[position], predictions.scores[position])
        return drawn, f"mean IoU {number(float(score), 3)}"

    def constant(
        self,
        targets: "np.ndarray",
        weights: "np.ndarray | None",
        names: Sequence[str],
        shares: "np.ndarray | None" = None,
    ) -> "tuple[np.ndarray, str]":
        """Return the most frequent class (height, width) of each place."""
        import numpy as np

        counts = np.stack([np.count_nonzero(targets == number, axis=0) for number in range(len(names))])
        return counts.argmax(axis=0).astype(np.uint8), "the most frequent class at each place"
