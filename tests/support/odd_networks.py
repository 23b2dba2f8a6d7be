"""Networks that do what public code does; each class has one oddity. Loaded as a user's file, not imported."""

import threading
import warnings
from types import SimpleNamespace
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def mlp(inputs: int, outputs: int, width: int = 32) -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, outputs))


class Base(nn.Module):
    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__()
        self.net: Any = mlp(in_features, num_classes)

    def forward(self, x: Tensor) -> Any:
        return self.net(x)


# -- outputs -----------------------------------------------------------------------------------------------------


class ReturnsTuple(Base):
    def forward(self, x: Tensor) -> Any:
        return self.net(x), x.flatten(1)


class ReturnsDict(Base):
    def forward(self, x: Tensor) -> Any:
        return {"logits": self.net(x), "features": x}


class ReturnsObject(Base):
    def forward(self, x: Tensor) -> Any:
        return SimpleNamespace(loss=None, logits=self.net(x))


class AuxInTraining(Base):
    """As googlenet and inception: a tuple in training, a tensor in evaluation."""

    def forward(self, x: Tensor) -> Any:
        out = self.net(x)
        return (out, out.detach()) if self.training else out


class LossInTraining(Base):
    """As torchvision's detectors: a dict of losses in training."""

    def forward(self, x: Tensor) -> Any:
        out = self.net(x)
        return {"loss": out.sum()} if self.training else out


class WideInTraining(Base):
    def forward(self, x: Tensor) -> Any:
        out = self.net(x)
        return torch.cat([out, out], dim=1) if self.training else out


class OneLogit(nn.Module):
    """One logit for two classes, as BCEWithLogitsLoss takes it."""

    def __init__(self, in_features: int) -> None:
        super().__init__()
        self.net = mlp(in_features, 1)

    def forward(self, x: Tensor) -> Any:
        return self.net(x)


class OneSqueezed(OneLogit):
    def forward(self, x: Tensor) -> Any:
        return self.net(x).squeeze(-1)


class Softmax(Base):
    def forward(self, x: Tensor) -> Any:
        return self.net(x).softmax(1)


class LogSoftmax(Base):
    def forward(self, x: Tensor) -> Any:
        return self.net(x).log_softmax(1)


class Sigmoid(Base):
    def forward(self, x: Tensor) -> Any:
        return self.net(x).sigmoid()


class AllSqueezed(OneLogit):
    """As people write it: of a single sample no dimension is left."""

    def forward(self, x: Tensor) -> Any:
        return self.net(x).squeeze()


class ClassesSqueezed(Base):
    """The same with a number a class: of a single sample they are all that is left."""

    def forward(self, x: Tensor) -> Any:
        return self.net(x).squeeze()


class OneSigmoid(OneLogit):
    """One probability for two classes, as BCELoss takes it."""

    def forward(self, x: Tensor) -> Any:
        return torch.sigmoid(self.net(x)).squeeze(-1)


class SoftmaxInEvaluation(Base):
    """Scores for the loss, probabilities for whoever uses it."""

    def forward(self, x: Tensor) -> Any:
        out = self.net(x)
        return out if self.training else F.softmax(out, dim=1)


class Positive(OneLogit):
    """A number that is not negative, as prices are; targets that are standardised are."""

    def forward(self, x: Tensor) -> Any:
        return 100 * F.relu(self.net(x))[:, 0]


class NotANumber(Base):
    def forward(self, x: Tensor) -> Any:
        return self.net(x) / 0.0 * 0.0


class NotANumberBackwards(Base):
    """The square root of 0 has no slope."""

    def forward(self, x: Tensor) -> Any:
        return self.net(x) + (self.net[1].weight * 0).sum().sqrt()


# -- layers and weights ------------------------------------------------------------------------------------------


class Norm(Base):
    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__(in_features, num_classes)
        hidden = (nn.Linear(in_features, 32), nn.BatchNorm1d(32), nn.ReLU())
        self.net = nn.Sequential(nn.Flatten(), *hidden, nn.Linear(32, num_classes))


class Lazy(nn.Module):
    def __init__(self, num_classes: int) -> None:
        super().__init__()
        hidden = (nn.LazyLinear(32), nn.LazyBatchNorm1d(), nn.ReLU())
        self.net = nn.Sequential(nn.Flatten(), *hidden, nn.LazyLinear(num_classes))

    def forward(self, x: Tensor) -> Any:
        return self.net(x)


class Tied(nn.Module):
    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(in_features, 32), nn.Linear(in_features, 32)
        self.head = nn.Linear(32, num_classes)
        self.b.weight = self.a.weight

    def forward(self, x: Tensor) -> Any:
        x = x.flatten(1)
        return self.head(F.relu(self.a(x)) + torch.tanh(self.b(x)))


class WeightNorm(nn.Module):
    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__()
        self.a = nn.utils.parametrizations.weight_norm(nn.Linear(in_features, 32))
        self.b = nn.utils.parametrizations.weight_norm(nn.Linear(32, num_classes))

    def forward(self, x: Tensor) -> Any:
        return self.b(F.relu(self.a(x.flatten(1))))


class Orthogonal(nn.Module):
    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__()
        self.a = nn.utils.parametrizations.orthogonal(nn.Linear(in_features, 32))
        self.b = nn.Linear(32, num_classes)

    def forward(self, x: Tensor) -> Any:
        return self.b(F.relu(self.a(x.flatten(1))))


class Complex(nn.Module):
    """A spectral layer, as Fourier neural operators have it."""

    def __init__(self, sample_shape: Any, num_classes: int) -> None:
        super().__init__()
        height, width = sample_shape[-2:]
        self.weight = nn.Parameter(torch.randn(height, width // 2 + 1, dtype=torch.cfloat) * 0.1)
        self.head = nn.Linear(height * width, num_classes)

    def forward(self, x: Tensor) -> Any:
        y = torch.fft.irfft2(torch.fft.rfft2(x[:, 0]) * self.weight, s=x.shape[-2:])
        return self.head(F.gelu(y).flatten(1))


class Sparse(nn.Module):
    """Each pixel, coarsely, is a word of a sparse embedding."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.table = nn.Embedding(8, 8, sparse=True)
        self.head = nn.Linear(8, num_classes)

    def forward(self, x: Tensor) -> Any:
        words = (x.flatten(1) * 2 + 4).clamp(0, 7).long()
        return self.head(self.table(words).mean(1))


class SparseLookup(Sparse):
    """As above with a function in place of the layer, which nothing shows from outside."""

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes)
        self.table = nn.Embedding(8, 8)

    def forward(self, x: Tensor) -> Any:
        words = (x.flatten(1) * 2 + 4).clamp(0, 7).long()
        return self.head(F.embedding(words, self.table.weight, sparse=True).mean(1))


class NoneBuffer(Base):
    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__(in_features, num_classes)
        self.register_buffer("mask", None)
        self.register_parameter("scale", None)


class CountingBuffer(Base):
    count: Tensor

    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__(in_features, num_classes)
        self.register_buffer("mask", torch.tril(torch.ones(8, 8)).bool())
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> Any:
        if self.training:
            self.count += 1
        return self.net(x)


class ExtraState(Base):
    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__(in_features, num_classes)
        self.calls = 0

    def forward(self, x: Tensor) -> Any:
        self.calls += 1
        return self.net(x)

    def get_extra_state(self) -> dict[str, Any]:
        return {"calls": self.calls}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        self.calls = state["calls"]


class UnsafeExtraState(ExtraState):
    """Keeps an object that a checkpoint could only give back by running code."""

    def get_extra_state(self) -> dict[str, Any]:
        return {"calls": SimpleNamespace(number=self.calls)}


class NoParameters(nn.Module):
    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.outputs = num_classes

    def forward(self, x: Tensor) -> Any:
        return x.flatten(1)[:, : self.outputs]


class AllFrozen(Base):
    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__(in_features, num_classes)
        self.requires_grad_(False)


class PartFrozen(Base):
    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__(in_features, num_classes)
        self.net[1].requires_grad_(False)


class Unused(Base):
    """A layer that forward never calls, as poolers and auxiliary heads."""

    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__(in_features, num_classes)
        self.pooler = nn.Linear(4, 4)


class PlainList(Base):
    """Layers that PyTorch does not see."""

    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__(in_features, num_classes)
        self.blocks = [nn.Linear(in_features, in_features) for _ in range(2)]

    def forward(self, x: Tensor) -> Any:
        x = x.flatten(1)
        for block in self.blocks:
            x = F.relu(block(x))
        return self.net(x)


class PlainTensor(Base):
    """A weight that is no parameter."""

    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__(in_features, num_classes)
        self.scale = torch.ones(1, requires_grad=True)

    def forward(self, x: Tensor) -> Any:
        return self.net(x) * self.scale


class ListOfOwn(Base):
    """A list of layers that are registered as well."""

    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__(in_features, num_classes)
        self.order = [self.net[1], self.net[3]]


class Half(Base):
    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__(in_features, num_classes)
        self.bfloat16()

    def forward(self, x: Tensor) -> Any:
        return self.net(x.bfloat16())


class DoubleCast(Base):
    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__(in_features, num_classes)
        self.double()

    def forward(self, x: Tensor) -> Any:
        return self.net(x.double())


def scripted(in_features: int, num_classes: int) -> nn.Module:
    return torch.jit.script(mlp(in_features, num_classes))


def partly_scripted(in_features: int, num_classes: int) -> nn.Module:
    return nn.Sequential(torch.jit.script(mlp(in_features, 32)), nn.ReLU(), nn.Linear(32, num_classes))


def traced(in_features: int, num_classes: int, sample_shape: Any) -> Any:
    return torch.jit.trace(mlp(in_features, num_classes), torch.zeros(2, *sample_shape))


def symbolic(in_features: int, num_classes: int) -> nn.Module:
    return torch.fx.symbolic_trace(mlp(in_features, num_classes))


# -- what a network keeps ----------------------------------------------------------------------------------------


class KeepsActivation(Base):
    """Keeps an activation for pictures."""

    def forward(self, x: Tensor) -> Any:
        self.last_activation = self.net[:2](x)
        return self.net(x)


class KeepsHidden(nn.Module):
    """Hidden state from batch to batch, detached, as truncated backpropagation through time."""

    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__()
        self.a, self.b, self.head = nn.Linear(in_features, 16), nn.Linear(16, 16), nn.Linear(16, num_classes)
        self.h: Any = None

    def forward(self, x: Tensor) -> Any:
        x = self.a(x.flatten(1))
        self.h = torch.tanh(x if self.h is None else x + self.b(self.h.detach()))
        return self.head(self.h)


class KeepsGraph(nn.Module):
    """The mean of the last batch, with all that it was computed from."""

    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__()
        self.a, self.head = nn.Linear(in_features, 16), nn.Linear(16, num_classes)
        self.mean: Any = 0.0

    def forward(self, x: Tensor) -> Any:
        y = torch.tanh(self.a(x.flatten(1)))
        out = self.head(y + self.mean)
        self.mean = y.mean(0)
        return out


class CacheHidden(Base):
    """A mask for the largest batch seen, which is one of validation."""

    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__(in_features, num_classes)
        self.mask: Any = None

    def forward(self, x: Tensor) -> Any:
        h = self.net[:3](x)
        if self.mask is None or len(self.mask) < len(h):
            self.mask = torch.ones(len(h), h.shape[1])
        return self.net[3](h * self.mask[: len(h)])


class HoldsLock(Base):
    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__(in_features, num_classes)
        self.lock = threading.Lock()


class HoldsGenerator(Base):
    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__(in_features, num_classes)
        self.numbers = (number for number in range(10))


class HoldsFile(Base):
    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__(in_features, num_classes)
        self.file = open(__file__)  # noqa: SIM115


class Hooked(Base):
    """A hook that writes into the network it was made in, also when a copy is called."""

    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__(in_features, num_classes)
        self.seen: dict[str, Any] = {}
        self.net[1].register_forward_hook(lambda module, given, out: self.seen.update(out=out))

    def forward(self, x: Tensor) -> Any:
        return self.net(x) * (1.0 if len(self.seen) < 2 else 0.0)


class CountsInClass(Base):
    """Something that no copy keeps apart."""

    calls: ClassVar[list[int]] = []

    def forward(self, x: Tensor) -> Any:
        self.calls.append(len(x))
        return self.net(x)


# -- randomness and settings -------------------------------------------------------------------------------------


class RandomForward(Base):
    """Noise in training and in evaluation."""

    def forward(self, x: Tensor) -> Any:
        return F.dropout(self.net(x + 0.1 * torch.randn_like(x)), 0.1, training=True)


class FunctionalDropout(Base):
    def forward(self, x: Tensor) -> Any:
        return self.net(F.dropout(x, 0.2, self.training))


class Seeds(Base):
    def __init__(self, in_features: int, num_classes: int) -> None:
        torch.manual_seed(1234)
        super().__init__(in_features, num_classes)


class SeedsInForward(Base):
    def forward(self, x: Tensor) -> Any:
        torch.manual_seed(0)
        return self.net(F.dropout(x, 0.2, self.training))


class NoGrad(Base):
    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__(in_features, num_classes)
        torch.set_grad_enabled(False)


class NoGradForward(Base):
    @torch.no_grad()
    def forward(self, x: Tensor) -> Any:
        return self.net(x)


class Detached(Base):
    def forward(self, x: Tensor) -> Any:
        return self.net(x).detach()


class DefaultDouble(Base):
    def __init__(self, in_features: int, num_classes: int) -> None:
        torch.set_default_dtype(torch.float64)
        super().__init__(in_features, num_classes)


class DoubleInForward(Base):
    def forward(self, x: Tensor) -> Any:
        torch.set_default_dtype(torch.float64)
        return self.net(x)


# -- other things that work --------------------------------------------------------------------------------------


class Warns(Base):
    def forward(self, x: Tensor) -> Any:
        warnings.warn("my layer is deprecated", stacklevel=1)
        return self.net(x)


class InPlace(Base):
    def forward(self, x: Tensor) -> Any:
        x.mul_(0.5)
        return self.net(x)


class Item(Base):
    """Looks at a value."""

    def forward(self, x: Tensor) -> Any:
        out = self.net(x)
        return out * 0 if out.mean().item() > 1e9 else out


class FailsLater(Base):
    """Fails in the third step of training."""

    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__(in_features, num_classes)
        self.steps = 0

    def forward(self, x: Tensor) -> Any:
        self.steps += self.training
        flat = x.flatten(1)
        return self.net(flat if self.steps < 30 else flat[:, :-1])


class FailsInValidation(FailsLater):
    """Fails in the validation after the eighth step of training or a later one."""

    def forward(self, x: Tensor) -> Any:
        self.steps += self.training
        flat = x.flatten(1)
        return self.net(flat if self.training or self.steps < 8 else flat[:, :-1])


class NamesItsLoss(Base):
    """As people who come from Lightning name what validation gives: there is no `loss` in it."""

    def training_step(self, batch: Any) -> Any:
        return F.cross_entropy(self(batch[0]), batch[1])

    def validation_step(self, batch: Any) -> dict[str, Any]:
        loss = self.training_step(batch)
        return {"val_loss": loss, "val_error_rate": loss, "spread": loss}


class ByItsBatch(Base):
    """Standardises by the samples that happen to be together."""

    def forward(self, x: Tensor) -> Any:
        flat = x.flatten(1)
        return self.net((flat - flat.mean(0)) / (flat.std(0) + 1e-5))


class Summed(Base):
    """Its loss is a sum."""

    def training_step(self, batch: Any) -> Any:
        return F.cross_entropy(self(batch[0]), batch[1], reduction="sum")


class SoftmaxTwice(Base):
    """Its loss takes scores, and is given probabilities."""

    def training_step(self, batch: Any) -> Any:
        return F.cross_entropy(self(batch[0]).softmax(1).view(len(batch[1]), -1), batch[1])


class Attends(Base):
    """Has a softmax within, and a loss of the logarithm of another one; it draws in training alone."""

    def training_step(self, batch: Any) -> Any:
        flat = F.dropout(batch[0].flatten(1), 0.2, self.training)
        return F.nll_loss((self(flat * flat.softmax(1)).softmax(1) + 1e-6).log(), batch[1])


class ShiftsLabels(Base):
    """Writes into the targets of a batch."""

    def training_step(self, batch: Any) -> Any:
        targets = batch[1]
        targets += 1
        targets %= 10
        return F.cross_entropy(self(batch[0]), targets)
