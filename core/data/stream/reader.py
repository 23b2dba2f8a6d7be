"""Reading of one batch, in a worker process or in this one: samples, joined, and made what the network takes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from torch.utils.data import Dataset as TorchDataset

from core.data.stream.collating import collated
from core.data.stream.seeds import Draws
from core.data.stream.sources import Collate, SampleSource, StreamSource
from core.errors import DataError, TorchtuiError
from core.user_code.loading import as_user_error

__all__ = ["Convert", "Failure", "Reader", "Wanted", "as_read"]

Convert = Callable[[Any, Any], Any]
"""Makes of the inputs and the targets of a batch, as the user's code gives them, what is passed on."""


class Wanted(NamedTuple):
    """A batch to read: the places of its samples in the data set."""

    draws: Draws
    places: Sequence[int]


@dataclass(frozen=True)
class Failure:
    """An error of the user's code, on its way out of a worker process."""

    error: TorchtuiError


def as_read(inputs: Any, targets: Any) -> Any:
    """Return inputs and targets as the user's code gives them."""
    return inputs, targets


class BatchReader(TorchDataset[Any]):
    """Reads batches of some samples; an item of it is a whole batch, which makes it fit for torch's DataLoader.

    Attributes:
        name: of the samples, for messages.
        in_order: reading goes forward alone.
    """

    name: str
    in_order = False

    def batch(self, task: Wanted) -> Any:
        """Return a batch: inputs, and targets, or None where these are known; may raise anything."""
        raise NotImplementedError

    def told(self, error: BaseException) -> TorchtuiError:
        """Return what to say of an error that `batch` raised."""
        raise NotImplementedError

    def __getitem__(self, task: Wanted) -> Any:
        """Return a batch, or the `Failure` of reading it."""
        try:
            return self.batch(task)
        except TorchtuiError as error:
            return Failure(error)
        except (Exception, SystemExit) as error:  # the user's own code raises whatever it likes
            return Failure(self.told(error))

    def read(self, task: Wanted) -> Any:
        """Return a batch.

        Raises:
            TorchtuiError: the user's code failed, or gave something else than samples, or a file cannot be read.
        """
        found = self[task]
        if isinstance(found, Failure):
            raise found.error
        return found


class Reader(BatchReader):
    """Reads batches of one data set of the user's.

    Args:
        source: the user's samples.
        collate: joins them to a batch of inputs and targets; None stacks arrays, as `collated` says.
        name: of the data set, for messages.
        chosen: names of the inputs to take, of samples that have several; empty for all.
        convert: makes a batch what is passed on; called where it is read.
    """

    def __init__(
        self,
        source: SampleSource,
        collate: Collate | None,
        name: str,
        chosen: str = "",
        convert: Convert = as_read,
    ) -> None:
        self.source, self.collate, self.name, self.chosen, self.convert = (
            source,
            collate,
            name,
            chosen,
            convert,
        )
        self.in_order = source.in_order

    def converting(self, convert: Convert) -> "Reader":
        """Return a reader of the same samples that makes something else of them."""
        return Reader(self.source, self.collate, self.name, self.chosen, convert)

    def batch(self, task: Wanted) -> Any:
        samples = self.source.read(task.draws, task.places)
        try:
            return self._joined(samples)
        except DataError as error:
            self._name_sample(error, samples, task.places)
            raise

    def _name_sample(self, error: DataError, samples: list[Any], places: Sequence[int]) -> None:
        """Add to an error of a batch which sample it is about, by its place in the data set."""
        for sample, place in zip(samples, places, strict=True):
            try:
                self._joined([sample])
            except DataError:
                error.message += f"; it is sample {place:,} of {self.name}"
                return
            except Exception:  # the user's collate function may not take a sample alone
                return

    def told(self, error: BaseException) -> TorchtuiError:
        return explained(error, self.name, self.source.at)

    def read_up_to(self, task: Wanted) -> Any:
        """Return a batch of the samples of a stream from the first place on, at most to the last; None at its end.

        Raises:
            TorchtuiError: as for `read`.
        """
        assert isinstance(self.source, StreamSource)
        try:
            samples = [*islice(self.source.rest(task.draws, task.places[0]), len(task.places))]
            return self._joined(samples) if samples else None
        except (Exception, SystemExit) as error:
            if isinstance(error, TorchtuiError):
                raise
            raise explained(error, self.name, self.source.at) from None

    def _joined(self, samples: list[Any]) -> Any:
        return self.convert(*collated(samples, self.collate, self.name, self.chosen))


def explained(error: BaseException, name: str, place: int) -> TorchtuiError:
    """Return an error of the user's code as one line, with the traceback through the user's lines."""
    where = f"sample {place:,} of {name}"
    known = as_user_error(error)
    if known is not None:
        known.message += f", at {where}"
        return known
    return DataError(f"data.path: {where}: {type(error).__name__}: {error}".partition("\n")[0])
