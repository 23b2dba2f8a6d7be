"""Optimizers by name. Each class holds its own settings and builds PyTorch's optimizer.

PyTorch's fused kernels are used on the devices that have them; they do one pass over memory per step.
To add one: write a class in a module here and put it into `OptimizerConfig`.
"""

from typing import Annotated

from pydantic import Field

from core.optimizers.adam import Adam, AdamW, NAdam, RAdam
from core.optimizers.adaptive import Adadelta, Adagrad, RmsProp
from core.optimizers.lbfgs import Lbfgs
from core.optimizers.muon import Muon
from core.optimizers.python import PythonOptimizer
from core.optimizers.sgd import Momentum, Nesterov, Sgd

__all__ = ["Momentum", "OptimizerConfig"]

OptimizerConfig = Annotated[
    Sgd
    | Momentum
    | Nesterov
    | Adagrad
    | Adadelta
    | RmsProp
    | Adam
    | AdamW
    | NAdam
    | RAdam
    | Muon
    | Lbfgs
    | PythonOptimizer,
    Field(discriminator="name"),
]
