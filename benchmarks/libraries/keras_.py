"""Keras on PyTorch: the same layers, `compile` and `fit`. It builds its own network of the same shape."""

import os
from collections.abc import Callable

from torch import Tensor, nn

os.environ["KERAS_BACKEND"] = "torch"

import keras  # reads the environment while it is imported


def prepare(
    inputs: Tensor, targets: Tensor, model: nn.Module, batch_size: int, lr: float
) -> Callable[[], None]:
    """See `benchmarks.libraries`."""
    network = keras.Sequential([keras.Input(inputs.shape[1:]), *map(_layer, model)])
    network.compile(
        optimizer=keras.optimizers.SGD(lr),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    images, labels = inputs.numpy(), targets.numpy()

    def epoch() -> None:
        history = network.fit(images, labels, batch_size=batch_size, epochs=1, verbose=0)
        accuracy = history.history["accuracy"][-1]
        if accuracy < 0.3:
            raise RuntimeError(f"accuracy of an epoch is {accuracy:.3f}: it does not learn")

    return epoch


def _layer(layer: nn.Module) -> keras.Layer:
    """Keras's layer of the same kind and size."""
    if isinstance(layer, nn.Linear):
        return keras.layers.Dense(layer.out_features)
    if isinstance(layer, nn.Conv2d):
        return keras.layers.Conv2D(
            layer.out_channels, layer.kernel_size, padding="same", data_format="channels_first"
        )
    if isinstance(layer, nn.MaxPool2d):
        return keras.layers.MaxPooling2D(layer.kernel_size, data_format="channels_first")
    if isinstance(layer, nn.Flatten):
        return keras.layers.Flatten(data_format="channels_first")
    return keras.layers.ReLU()
