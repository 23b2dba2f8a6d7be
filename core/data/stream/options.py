"""Settings of how a network is fed."""

from typing import Annotated, Literal

from pydantic import Field

from core.data.options import DataOptions
from core.options import Unit

__all__ = ["Feed", "FeedOption", "FeedOptions"]

Feed = Literal["auto", "resident", "stream"]


class FeedOption(DataOptions):
    """Base of data sets that can be read while a network trains."""

    feed: Feed = "auto"
    """Where samples are: resident in memory, or a stream, read anew in each epoch; auto decides and reports it."""


class FeedOptions(FeedOption):
    """Base of those that worker processes read."""

    workers: Literal["auto"] | Annotated[int, Field(ge=0, le=256)] = "auto"
    """Processes that read a stream ahead; 0 reads in the training process, auto times a few numbers of them."""
    worker_timeout: Annotated[float, Field(gt=0, le=86400), Unit("seconds")] = 300.0
    """Time that a batch of a stream may take to be read, after which a worker is reported as hanging."""
