"""Fifty small networks as tutorials and papers write them; each docstring names what is special about one.

Samples of `images` are 1x8x8, of `table` 6 numbers, of `tokens` 6 ids below 30; there are 3 classes.
"""

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrizations, parametrize

GENERATOR = torch.Generator().manual_seed(0)


def images():
    """90 images whose class shows in one corner."""
    y = torch.arange(90) % 3
    x = torch.rand(90, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    x[torch.arange(90), 0, y, y] += 2
    return x, y


def table():
    """90 rows whose class shows in one column."""
    y = torch.arange(90) % 3
    x = torch.randn(90, 6, generator=torch.Generator().manual_seed(0))
    x[torch.arange(90), y] += 3
    return x, y


def tokens():
    """90 lists of ids; the first tells the class."""
    y = torch.arange(90) % 3
    x = torch.randint(0, 10, (90, 6), generator=torch.Generator().manual_seed(0))
    x[:, 0] += 10 * y
    return x, y


def mlp(inputs, outputs):
    return nn.Sequential(nn.Flatten(), nn.Linear(inputs, 16), nn.ReLU(), nn.Linear(16, outputs))


class LastStep(nn.Module):
    """An LSTM, whose layer returns a tuple; rows of an image are time steps."""

    def __init__(self, n_classes):
        super().__init__()
        self.lstm, self.head = nn.LSTM(8, 16, batch_first=True), nn.Linear(16, n_classes)

    def forward(self, x):
        out, (_, _) = self.lstm(x.squeeze(1))
        return self.head(out[:, -1])


class BidirectionalGru(nn.Module):
    """A GRU in both directions, with an initial state made in forward."""

    def __init__(self, n_classes):
        super().__init__()
        self.gru, self.head = nn.GRU(8, 8, bidirectional=True, batch_first=True), nn.Linear(16, n_classes)

    def forward(self, x):
        start = torch.zeros(2, x.size(0), 8, device=x.device)
        return self.head(self.gru(x[:, 0], start)[1].transpose(0, 1).flatten(1))


class LstmReturnsTuple(LastStep):
    """Returns (outputs, hidden state), as recurrent networks of tutorials do."""

    def forward(self, x):
        out, state = self.lstm(x.squeeze(1))
        return self.head(out[:, -1]), state


class KeepsHiddenState(nn.Module):
    """Keeps its hidden state from batch to batch, detached."""

    def __init__(self, n_classes):
        super().__init__()
        self.cell, self.head, self.hidden = nn.GRUCell(64, 16), nn.Linear(16, n_classes), None

    def forward(self, x):
        hidden = None if self.hidden is None or len(self.hidden) != len(x) else self.hidden
        self.hidden = self.cell(x.flatten(1), hidden).detach()
        return self.head(self.cell(x.flatten(1), hidden))


class AuxiliaryHead(nn.Module):
    """As GoogLeNet: a second head in training alone."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(in_features, 16), nn.ReLU())
        self.head, self.auxiliary = nn.Linear(16, num_classes), nn.Linear(16, num_classes)

    def forward(self, x):
        x = self.body(x)
        return (self.head(x), self.auxiliary(x)) if self.training else self.head(x)


class UnusedHead(nn.Module):
    """A pooler that forward never calls."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.net, self.pooler = mlp(in_features, num_classes), nn.Linear(16, 16)

    def forward(self, x):
        return self.net(x)


class WeightNorm(nn.Module):
    """Weight normalisation by parametrization."""

    def __init__(self, input_dim, output_dim):
        super().__init__()
        self.a = parametrizations.weight_norm(nn.Linear(input_dim, 16))
        self.b = parametrizations.weight_norm(nn.Linear(16, output_dim))

    def forward(self, x):
        return self.b(torch.relu(self.a(x.flatten(1))))


class OldWeightNorm(nn.Module):
    """The older weight normalisation, a hook before forward."""

    def __init__(self, input_dim, output_dim):
        super().__init__()
        self.a = nn.utils.weight_norm(nn.Linear(input_dim, 16))
        self.b = nn.Linear(16, output_dim)

    def forward(self, x):
        return self.b(torch.relu(self.a(x.flatten(1))))


class SpectralNorm(nn.Module):
    """Spectral normalisation, whose buffers change in training."""

    def __init__(self, input_dim, output_dim):
        super().__init__()
        self.a = parametrizations.spectral_norm(nn.Linear(input_dim, 16))
        self.b = nn.Linear(16, output_dim)

    def forward(self, x):
        return self.b(torch.relu(self.a(x.flatten(1))))


class Orthogonal(nn.Module):
    """Orthogonal weights by parametrization."""

    def __init__(self, input_dim, output_dim):
        super().__init__()
        self.a, self.b = parametrizations.orthogonal(nn.Linear(input_dim, 16)), nn.Linear(16, output_dim)

    def forward(self, x):
        return self.b(torch.relu(self.a(x.flatten(1))))


class Symmetric(nn.Module):
    """A parametrization of its own, as the tutorial has it."""

    def __init__(self, in_features, num_classes):
        super().__init__()

        class Mirror(nn.Module):
            def forward(self, weight):
                return weight.triu() + weight.triu(1).transpose(-1, -2)

        self.square = nn.Linear(in_features, in_features)
        parametrize.register_parametrization(self.square, "weight", Mirror())
        self.head = nn.Linear(in_features, num_classes)

    def forward(self, x):
        return self.head(torch.tanh(self.square(x.flatten(1))))


class Lazy(nn.Module):
    """Lazy layers, which get their sizes from the first batch."""

    def __init__(self, n_classes):
        super().__init__()
        self.net = nn.Sequential(
            nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.ReLU(), nn.Flatten(), nn.LazyLinear(n_classes)
        )

    def forward(self, x):
        return self.net(x)


class TiedAutoencoder(nn.Module):
    """Tied weights: the decoder uses those of the encoder."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.encoder, self.decoder = nn.Linear(in_features, 16), nn.Linear(16, in_features)
        self.decoder.weight = nn.Parameter(self.encoder.weight.t())
        self.again, self.head = nn.Linear(in_features, 16), nn.Linear(16, num_classes)
        self.again.weight = self.encoder.weight

    def forward(self, x):
        x = x.flatten(1)
        return self.head(self.again(self.decoder(torch.relu(self.encoder(x)))))


class Embeddings(nn.Module):
    """Looks ids up and takes the mean."""

    def __init__(self, num_classes, vocabulary: int = 30):
        super().__init__()
        self.table, self.head = nn.Embedding(vocabulary, 8), nn.Linear(8, num_classes)

    def forward(self, ids):
        return self.head(self.table(ids).mean(1))


class SparseEmbeddings(nn.Module):
    """Sparse gradients of an embedding."""

    def __init__(self, num_classes):
        super().__init__()
        self.table, self.head = nn.Embedding(30, 8, sparse=True), nn.Linear(8, num_classes)

    def forward(self, ids):
        return self.head(self.table(ids.long()).mean(1))


class BagOfWords(nn.Module):
    """nn.EmbeddingBag, as the tutorial of text classification has it."""

    def __init__(self, num_class, vocab_size=30, embed_dim=8):
        super().__init__()
        self.embedding = nn.EmbeddingBag(vocab_size, embed_dim)
        self.fc = nn.Linear(embed_dim, num_class)
        self.fc.bias.data.zero_()

    def forward(self, text):
        return self.fc(self.embedding(text))


class SmallGpt(nn.Module):
    """A causal mask in a boolean buffer, positions by an embedding, as in nanoGPT."""

    def __init__(self, num_classes):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(30, 16), nn.Embedding(6, 16)
        self.register_buffer("mask", torch.triu(torch.ones(6, 6), 1).bool(), persistent=False)
        self.layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.1, batch_first=True, norm_first=True)
        self.head = nn.Linear(16, num_classes, bias=False)

    def forward(self, ids):
        x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1], device=ids.device))
        return self.head(self.layer(x, src_mask=self.mask)[:, -1])


class SinusoidalPositions(nn.Module):
    """Attention over rows, with positions of the tutorial in a buffer."""

    def __init__(self, n_classes, d_model=8):
        super().__init__()
        position = torch.arange(8).unsqueeze(1)
        rate = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
        pe = torch.zeros(8, d_model)
        pe[:, 0::2], pe[:, 1::2] = torch.sin(position * rate), torch.cos(position * rate)
        self.register_buffer("pe", pe)
        self.attention = nn.MultiheadAttention(d_model, 2, batch_first=True)
        self.head = nn.Linear(d_model, n_classes)

    def forward(self, x):
        x = x[:, 0] + self.pe
        out, self.weights = self.attention(x, x, x)  # kept for pictures
        return self.head(out.mean(1))


def scripted(in_features, num_classes):
    """A scripted module."""
    return torch.jit.script(mlp(in_features, num_classes))


def traced(in_features, num_classes, sample_shape):
    """A traced module."""
    return torch.jit.trace(mlp(in_features, num_classes), torch.zeros(2, *sample_shape))


def symbolic(in_features, num_classes):
    """A module of torch.fx."""
    return torch.fx.symbolic_trace(mlp(in_features, num_classes))


class Siamese(nn.Module):
    """Two inputs, of which one network makes two outputs."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.net = mlp(in_features, num_classes)

    def forward(self, one, other):
        return self.net(one), self.net(other)


class SiameseHalves(nn.Module):
    """The same network for two halves of one input."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.twin, self.head = mlp(in_features // 2, 8), nn.Linear(8, num_classes)

    def forward(self, x):
        one, other = x.flatten(1).chunk(2, dim=1)
        return self.head((self.twin(one) - self.twin(other)).abs())


class NoneBuffers(nn.Module):
    """Buffers and parameters that are None."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.net = mlp(in_features, num_classes)
        self.register_buffer("mask", None)
        self.register_parameter("scale", None)

    def forward(self, x):
        return self.net(x) if self.mask is None else self.net(x * self.mask)


class ComplexWeights(nn.Module):
    """A Fourier layer with complex weights, as in an FNO."""

    def __init__(self, sample_shape, num_classes):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(8, 5, dtype=torch.cfloat) * 0.1)
        self.head = nn.Linear(64, num_classes)

    def forward(self, x):
        x = torch.fft.irfft2(torch.fft.rfft2(x[:, 0]) * self.weight, s=(8, 8))
        return self.head(F.gelu(x).flatten(1))


@dataclass
class ModelOutput:
    """Stands for that of transformers: fields, also by index."""

    logits: torch.Tensor
    loss: torch.Tensor | None = None

    def __getitem__(self, index):
        return (self.logits, self.loss)[index]


class ReturnsModelOutput(nn.Module):
    """Returns a ModelOutput."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.net = mlp(in_features, num_classes)

    def forward(self, x):
        return ModelOutput(self.net(x))


class ReturnsOrderedDict(nn.Module):
    """As torchvision's segmentation: an OrderedDict with `out`."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.net = mlp(in_features, num_classes)

    def forward(self, x):
        return OrderedDict(out=self.net(x), aux=x.flatten(1))


class ReturnsLogits(nn.Module):
    """Returns a dict with `logits`."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.net = mlp(in_features, num_classes)

    def forward(self, x):
        return {"logits": self.net(x), "hidden": x.flatten(1)}


class FunctionalDropout(nn.Module):
    """Dropout as a function, with self.training, as in PyTorch's first MNIST example."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(in_features, 16), nn.Linear(16, num_classes)

    def forward(self, x):
        x = F.dropout(F.relu(self.fc1(torch.flatten(x, 1))), training=self.training)
        return F.log_softmax(self.fc2(x), dim=1)


class AlwaysDrops(nn.Module):
    """Monte Carlo dropout: random in evaluation as well."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.net = mlp(in_features, num_classes)

    def forward(self, x):
        return self.net(F.dropout(x, 0.1, training=True))


class _Sign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sign()

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * (x.abs() < 1)


class StraightThrough(nn.Module):
    """An autograd function of its own, as in binarised networks."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.a, self.b = nn.Linear(in_features, 32), nn.Linear(32, num_classes)

    def forward(self, x):
        return self.b(_Sign.apply(self.a(x.flatten(1))))


class ReversesGradient(nn.Module):
    """A hook on a tensor that turns its gradient around."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.a, self.b, self.domain = nn.Linear(in_features, 16), nn.Linear(16, num_classes), nn.Linear(16, 1)

    def forward(self, x):
        hidden = torch.relu(self.a(x.flatten(1)))
        turned = hidden.clone()
        if turned.requires_grad:
            turned.register_hook(lambda gradient: -gradient)
        return self.b(hidden) + 0 * self.domain(turned)


class MaxPoolIndices(nn.Module):
    """Layers that return tuples inside: pooling with indices, and unpooling."""

    def __init__(self, n_classes):
        super().__init__()
        self.pool, self.unpool = nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)
        self.head = nn.Linear(64, n_classes)

    def forward(self, x):
        return self.head(self.unpool(*self.pool(x)).flatten(1))


class ListOfLayers(nn.Module):
    """Layers in a plain list, which no optimizer sees."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.layers = [nn.Linear(in_features, 16), nn.Linear(16, 16)]
        self.head = nn.Linear(16, num_classes)

    def forward(self, x):
        x = x.flatten(1)
        for layer in self.layers:
            x = torch.relu(layer(x))
        return self.head(x)


class Modules(nn.Module):
    """ModuleList, ModuleDict and ParameterList together."""

    def __init__(self, in_features, num_classes, activation: str = "relu"):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(in_features, in_features) for _ in range(2))
        self.activations = nn.ModuleDict({"relu": nn.ReLU(), "gelu": nn.GELU()})
        self.scales = nn.ParameterList(torch.ones(1) for _ in range(2))
        self.head, self.activation = nn.Linear(in_features, num_classes), activation

    def forward(self, x):
        x = x.flatten(1)
        for layer, scale in zip(self.layers, self.scales, strict=True):
            x = x + scale * self.activations[self.activation](layer(x))
        return self.head(x)


class FrozenBackbone(nn.Module):
    """A frozen part, kept in evaluation mode by train()."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.backbone = nn.Sequential(nn.Flatten(), nn.Linear(in_features, 16), nn.BatchNorm1d(16))
        self.backbone.requires_grad_(False)
        self.head = nn.Linear(16, num_classes)

    def train(self, mode=True):
        super().train(mode)
        self.backbone.eval()
        return self

    def forward(self, x):
        with torch.no_grad():
            x = self.backbone(x)
        return self.head(x)


class CountsCalls(nn.Module):
    """A buffer of whole numbers, and extra state that is no tensor."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.net, self.calls = mlp(in_features, num_classes), 0
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    def forward(self, x):
        if self.training:
            self.seen += len(x)
            self.calls += 1
        return self.net(x)

    def get_extra_state(self):
        return {"calls": self.calls}

    def set_extra_state(self, state):
        self.calls = state["calls"]


class HoldsLock(nn.Module):
    """Holds a lock and a generator, which cannot be copied."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.net, self.lock, self.numbers = mlp(in_features, num_classes), threading.Lock(), GENERATOR

    def forward(self, x):
        with self.lock:
            return self.net(x)


class CachesMask(nn.Module):
    """A cache by the largest batch seen, as rotary and ALiBi code has it by length."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.net, self.cache = mlp(in_features, num_classes), None

    def forward(self, x):
        if self.cache is None or len(self.cache) < len(x):
            self.cache = torch.ones(len(x), 1)
        return self.net(x.flatten(1) * self.cache[: len(x)])


class HooksItself(nn.Module):
    """Hooks that keep activations, and a lambda."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.net, self.seen = mlp(in_features, num_classes), {}
        self.net[1].register_forward_hook(lambda module, inputs, output: self.seen.update(out=output))
        self.scale = lambda x: x * 1.0

    def forward(self, x):
        return self.scale(self.net(x))


class Checkpointed(nn.Module):
    """Activations are computed again in the backward pass."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.net = mlp(in_features, num_classes)

    def forward(self, x):
        return torch.utils.checkpoint.checkpoint(self.net, x, use_reentrant=False)


class WritesIntoInput(nn.Module):
    """Changes its input in place."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.net = mlp(in_features, num_classes)

    def forward(self, x):
        x.mul_(0.5)
        return self.net(x)


class LooksAtValues(nn.Module):
    """Branches on a value."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.net = mlp(in_features, num_classes)

    def forward(self, x):
        out = self.net(x)
        return out if out.mean().item() < 1e9 else out * 0


class HalfPrecision(nn.Module):
    """bfloat16 throughout."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.net = mlp(in_features, num_classes).bfloat16()

    def forward(self, x):
        return self.net(x.bfloat16())


class DoublePrecision(nn.Module):
    """float64 throughout."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.net = mlp(in_features, num_classes).double()

    def forward(self, x):
        return self.net(x.double())


class EndsInSoftmax(nn.Module):
    """Gives probabilities where scores are expected."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.net = mlp(in_features, num_classes)

    def forward(self, x):
        return F.softmax(self.net(x), dim=1)


class DetachesOutputs(nn.Module):
    """Outputs without gradients."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.net = mlp(in_features, num_classes)

    def forward(self, x):
        return self.net(x).detach()


class NoParameters(nn.Module):
    """Nothing to train."""

    def __init__(self, num_classes):
        super().__init__()
        self.outputs = num_classes

    def forward(self, x):
        return x.flatten(1)[:, : self.outputs]


class WrongSize(nn.Module):
    """A last layer for ten classes, of which the data has three."""

    def __init__(self, in_features):
        super().__init__()
        self.net = mlp(in_features, 10)

    def forward(self, x):
        return self.net(x)


class FullyConvolutional(nn.Module):
    """Outputs of (b, classes, 1, 1)."""

    def __init__(self, channels, n_classes):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(channels, 8, 3), nn.ReLU(), nn.Conv2d(8, n_classes, 1), nn.AdaptiveAvgPool2d(1)
        )

    def forward(self, x):
        return self.net(x)


class Detector(nn.Module):
    """Returns a dict of losses in training, as torchvision's detectors do."""

    def __init__(self, in_features, num_classes):
        super().__init__()
        self.net = mlp(in_features, num_classes)

    def forward(self, x):
        out = self.net(x)
        return {"loss_classifier": out.logsumexp(1).mean()} if self.training else out


class MixtureOfExperts(nn.Module):
    """Experts that a batch may leave out, and an extra loss kept on the module."""

    def __init__(self, in_features, num_classes, experts: int = 4):
        super().__init__()
        self.gate = nn.Linear(in_features, experts)
        self.experts = nn.ModuleList(nn.Linear(in_features, num_classes) for _ in range(experts))

    def forward(self, x):
        x = x.flatten(1)
        weights, chosen = self.gate(x).softmax(1).max(1)
        out = x.new_zeros(len(x), self.experts[0].out_features)
        for number, expert in enumerate(self.experts):
            at = (chosen == number).nonzero().squeeze(1)
            if len(at):
                out = out.index_add(0, at, expert(x[at]) * weights[at, None])
        self.extra_loss = weights.mean()
        return out


class Config:
    """Settings of a network in an object."""

    width = 16


STANDARD = Config()


class TakesConfig(nn.Module):
    """One object of settings, with a default."""

    def __init__(self, in_features, num_classes, config=STANDARD):
        super().__init__()
        self.net = nn.Sequential(
            nn.Flatten(),
            nn.Linear(in_features, config.width),
            nn.ReLU(),
            nn.Linear(config.width, num_classes),
        )

    def forward(self, x):
        return self.net(x)


ready = mlp(64, 3)
