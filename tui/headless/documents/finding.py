"""Documents of the finders of a learning rate and of a batch size."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tui.headless.documents.envelope import Document

if TYPE_CHECKING:
    from core.training.batch_finder import BatchTest
    from core.training.lr_finder import RangeTest

__all__ = ["BatchFindDocument", "LrFindDocument", "batch_find_document", "lr_find_document"]


@dataclass(frozen=True, kw_only=True)
class LrFindDocument(Document):
    """Losses over growing learning rates.

    Attributes:
        suggestion: null where no rate lowers the loss enough. bolder: a larger one that may work.
        lowest: rate of the lowest loss. blew_up: whether the last loss was many times that.
        points: of each step ``lr``, ``loss`` and ``smoothed``.
    """

    kind = "lr_find"
    suggestion: float | None
    bolder: float | None
    lowest: float | None
    blew_up: bool
    points: list[dict[str, float | None]]


@dataclass(frozen=True, kw_only=True)
class BatchFindDocument(Document):
    """Speeds of growing batch sizes.

    Attributes:
        suggestion: null where none was tried. steps_per_epoch: with it.
        ended: why larger ones were not tried. room: bytes of memory that they may take.
        sizes: each with ``batch_size``, ``samples_per_second`` and ``memory`` in bytes.
    """

    kind = "batch_find"
    suggestion: int | None
    steps_per_epoch: int | None
    ended: str
    room: int
    sizes: list[dict[str, Any]]


def lr_find_document(test: "RangeTest") -> LrFindDocument:
    """Return the document of a range test."""
    points = zip(test.rates, test.losses, test.smoothed.tolist(), strict=True)
    return LrFindDocument(
        suggestion=test.suggestion,
        bolder=test.bolder,
        lowest=test.rates[test.lowest] if test.rates else None,
        blew_up=test.blew_up,
        points=[{"lr": lr, "loss": loss, "smoothed": smooth} for lr, loss, smooth in points],
    )


def batch_find_document(test: "BatchTest") -> BatchFindDocument:
    """Return the document of batch sizes that were tried."""
    return BatchFindDocument(
        suggestion=test.suggestion,
        steps_per_epoch=test.steps_per_epoch,
        ended=test.ended,
        room=test.room,
        sizes=[vars(each) for each in test.tried],
    )
