"""fastai: a Learner with accuracy, its progress bar and recorder's printing left out."""

from collections.abc import Callable

from fastai.callback.progress import ProgressCallback
from fastai.data.core import DataLoaders
from fastai.data.load import DataLoader
from fastai.learner import Learner
from fastai.metrics import accuracy
from fastai.optimizer import SGD
from torch import Tensor, nn
from torch.utils.data import TensorDataset


def prepare(
    inputs: Tensor, targets: Tensor, model: nn.Module, batch_size: int, lr: float
) -> Callable[[], None]:
    """See `benchmarks.libraries`."""
    samples, few = TensorDataset(inputs, targets), TensorDataset(inputs[:1], targets[:1])
    data = DataLoaders(
        DataLoader(samples, bs=batch_size, shuffle=True, num_workers=0),
        DataLoader(few, bs=1, num_workers=0),
        device=next(model.parameters()).device,
    )
    learner = Learner(data, model, loss_func=nn.CrossEntropyLoss(), opt_func=SGD, lr=lr, metrics=accuracy)

    learner.remove_cb(ProgressCallback)

    def epoch() -> None:
        with learner.no_logging():
            learner.fit(1)

    return epoch
