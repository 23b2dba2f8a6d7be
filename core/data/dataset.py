"""A loaded data set: three splits, and the facts every other part asks for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.data.kinds.base import KindName
from core.data.kinds.sample import Sample
from core.losses.base import TargetFacts
from core.tasks.registry import task_of

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from core.data.conditioning import Conditioning
    from core.data.inputs import InputField
    from core.data.mapped import MappedRows
    from core.data.suspicions.columns import RawRows
    from core.data.tables.table import Table
    from core.data.text.documents import Documents
    from core.data.text.token_ids import TokenIds
    from core.data.text.vocabulary import Vocabulary

__all__ = ["Dataset", "Progress", "Split", "no_progress"]

Progress = Callable[[str, int, int], None]
"""Called while something slow runs: what it is, how much is done, how much there is (0 if unknown)."""


def no_progress(what: str, done: int, total: int) -> None:
    """Ignore progress that nobody watches."""


@dataclass(frozen=True)
class Split:
    """Samples of one split, in main memory; inputs that are too large for it stay on disk.

    Attributes:
        inputs: (n, *sample_shape), uint8 or float32, as in the source; or the fields of samples of several tensors.
        targets: (n,) int64 classes, (n, classes) float32 shares of each, or (n, k) numbers in the target's own unit:
            float32, or float64 where that would lose what distinguishes them.
        indices: (n,) int64 positions in the source, so that a sample can be found again.
        weights: (n,) float64, 0 or more, one of them above 0: how much each sample counts; None if all count alike.
        groups: (n,) int64 group of each sample, where splits are made by groups: samples of one are not independent.
    """

    inputs: "Tensor | MappedRows | Any"  # Fields, which what is for single tensors alone does not meet
    targets: "Tensor"
    indices: "np.ndarray"
    weights: "Tensor | None" = None
    groups: "np.ndarray | None" = None

    def __len__(self) -> int:
        return len(self.indices)

    def rows(self, at: "slice | Tensor") -> "Split":
        """Return the samples at some positions."""
        places = at if isinstance(at, slice) else at.numpy()
        weights = None if self.weights is None else self.weights[places]
        groups = None if self.groups is None else self.groups[places]
        return Split(self.inputs[places], self.targets[places], self.indices[places], weights, groups)


@dataclass(frozen=True)
class Dataset:
    """Three splits without leaks: every statistic here comes from `train` alone.

    Attributes:
        kind: what a sample is, see `core.data.kinds`: ``table``, with samples of (features,),
            ``image``, with samples of (channels, height, width), and so on.
        class_names: one per class; empty for regression.
        target_names: of a regression of several targets, one per target.
        feature_names: one per column of a table; empty for images.
        mean, std: what inputs are standardised with, of a shape that broadcasts over one sample.
        target_mean, target_std: what each target of a regression is standardised with; (0,) and (1,) for classes.
        value_range: smallest and largest value an input can take; for showing images.
        deep_range: of images from files, what became black and white where a file had more than 8 bits.
        notes: what was found and done while it was loaded, such as values filled in; a line each.
        warnings: what looks suspicious about its splits, such as duplicates across them, with what to do; a line each.
        raw: of a table from a file, its rows as they were read, until its splits are checked.
        table: of a table from a file, how its columns became features; its inputs are scaled already.
        conditioning: of a table that is given in arrays, what was done to its columns; its inputs are after that.
        whole: the samples of a table came as whole numbers, and are kept exactly.
        ids: the network gets them as they are, as int64: it looks them up, and nothing is standardised.
        fields: of samples that consist of several tensors, or of sequences of different lengths: what each of them is;
            `mean` and `std` are 0 and 1 then.
        weight_name: what the weights of the samples are called, such as a column; empty if they have none.
        vocabulary: of tokens and texts, what the ids stand for.
        documents: of texts in files of their own, where they are.
        min_length: steps that a batch of filled ids has at least, as some networks need.
        digest: of the files that the samples were read from, where they are too many to be looked at each time.
    """

    name: str
    kind: KindName
    task: str
    train: Split
    validation: Split
    test: Split
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]
    mean: "Tensor"
    std: "Tensor"
    target_mean: tuple[float, ...]
    target_std: tuple[float, ...]
    value_range: tuple[float, float]
    deep_range: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    raw: "RawRows | None" = None
    table: "Table | None" = None
    conditioning: "Conditioning | None" = None
    digest: str = ""
    whole: bool = False
    ids: bool = False
    fields: "tuple[InputField, ...]" = ()
    weight_name: str = ""
    target_names: tuple[str, ...] = ()
    vocabulary: "TokenIds | Vocabulary | None" = None
    documents: "Documents | None" = None
    min_length: int = 1

    @property
    def padding(self) -> int | None:
        """The id that fills sequences up to the longest one of a batch; None where nothing is filled with an id."""
        return None if self.vocabulary is None else self.vocabulary.padding

    @property
    def longest(self) -> int:
        """Steps of sequences that are filled with an id, of the longest of all."""
        return self.fields[0].shape[0] if self.fields else self.sample_shape[0]

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one input; of several inputs (), of sequences that of the longest one."""
        if self.fields:
            return self.fields[0].shape if len(self.fields) == 1 else ()
        return tuple(self.train.inputs.shape[1:])

    @property
    def sample(self) -> Sample:
        """Facts of a sample that a network is built by."""
        known = self.vocabulary
        size, padding = (known.size, known.padding) if known is not None else (0, None)
        features = len(self.feature_names) if known is not None and self.fields else 0
        places = task_of(self.task).places(self.sample_shape)
        return Sample(self.kind, self.sample_shape, size, padding, features, self.fields, places)

    def in_unit(self, inputs: "Tensor") -> "Tensor":
        """Return inputs, (n, *sample_shape), in the unit of the source: float64 where they were centred."""
        return inputs if self.conditioning is None else self.conditioning.undo(inputs)

    @property
    def outputs(self) -> int:
        """Number of outputs of a network for one sample: one per class, or one for regression."""
        return task_of(self.task).outputs(len(self.class_names), self.train.targets)

    @property
    def class_counts(self) -> list[float]:
        """Training samples of each class; empty for regression."""
        return task_of(self.task).class_counts(self.train.targets, len(self.class_names))

    @property
    def soft(self) -> bool:
        """Return whether targets are soft labels, the share of each class."""
        return task_of(self.task).targets == "classes" and self.train.targets.ndim == 2

    @property
    def is_streamed(self) -> bool:
        """Return whether its training samples are read anew in each epoch."""
        return bool(getattr(self.train.inputs, "is_streamed", False))

    @property
    def own_order(self) -> str:
        """Return what orders an epoch in the place of `training.sampling`; empty where nothing does."""
        return str(getattr(self.train.inputs, "own_order", ""))

    @property
    def target_facts(self) -> TargetFacts:
        """Facts of the targets that a loss may depend on; samples with weights count by these."""
        task, targets = task_of(self.task), self.train.targets
        counts = task.class_counts(targets, len(self.class_names), self.train.weights)
        weights = self.train.weights
        samples = len(targets) if weights is None else float(weights.sum())
        return TargetFacts(
            task.targets, counts, self.target_mean, self.target_std, task.lowest(targets), samples, self.soft
        )

    @property
    def splits(self) -> dict[str, Split]:
        """The three splits by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}
