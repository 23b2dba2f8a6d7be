"""Errors of a step that failed: one sentence with the user's line, and the remedy."""

from typing import TYPE_CHECKING, Any

from torch import Tensor

from core.data.batches import Batch
from core.errors import ModelError, TorchtuiError
from core.remedies import Hint, setting
from core.session.preflight.places import place_of
from core.session.preflight.watch import kind_of
from core.tasks.registry import task_of
from core.user_code.batch_notes import shape_of, shapes_of
from core.user_code.loading import as_user_error

if TYPE_CHECKING:
    from core.session.preparation import Prepared

__all__ = ["explained", "wrong_outputs"]

BATCH_NORM = "Expected more than 1 value per channel"
SPARSE = ("sparse gradients", "sparse tensors", "SparseCPU", "SparseCUDA")
NO_GRADIENT = "does not require grad"
GRAPH_KEPT = ("backward through the graph a second time", "modified by an inplace operation")
TAKE_SPARSE = ("sgd", "momentum", "nesterov", "adagrad")
RETURN = r"^\s*return\b"
CUTS_GRADIENT = r"no_grad|inference_mode|\.detach\(|set_grad_enabled|\.item\(|\.numpy\("


def wrong_outputs(returned: Any, prepared: "Prepared") -> ModelError | None:
    """Return what is wrong with what the network returned in training; None if nothing is, or nothing was seen."""
    outputs, model = prepared.config.loss.outputs(prepared.data.outputs), prepared.model
    if returned is None or task_of(prepared.data.task).own_step:
        return None
    where = place_of(RETURN, model, prepared.config)
    places = prepared.data.sample.places
    each = "pixel" if places else "sample"
    shape = ", ".join(map(str, ("samples", outputs, *places)))
    remedy = f"Return one tensor of shape ({shape}) in both modes; for a loss of several outputs define training_step"
    if not isinstance(returned, Tensor):
        return ModelError(f"in training the network returns {kind_of(returned)}, not a tensor{where}", remedy)
    if returned.ndim != 2 + len(places) or returned.shape[1:] != (outputs, *places):
        return ModelError(
            f"in training the network returns {shape_of(returned)}, this data needs {outputs} numbers a {each}{where}",
            remedy,
        )
    if not returned.is_floating_point():
        return ModelError(
            f"in training the network returns {returned.dtype}, expected float32{where}", remedy
        )
    return None


def explained(error: BaseException, returned: Any, batch: Batch, prepared: "Prepared") -> TorchtuiError:
    """Return the error of a step as it is reported.

    Args:
        returned: by the last call of the network; None if it failed before.
    """
    if isinstance(error, TorchtuiError):
        return error
    text = str(error)
    wrong = wrong_outputs(returned, prepared)
    if wrong is not None:
        return wrong
    if BATCH_NORM in text:
        return _too_few_samples(batch, prepared)
    if any(sign in text for sign in SPARSE):
        where = place_of(r"sparse\s*=\s*True", prepared.model, prepared.config)
        optimizer = prepared.config.optimizer.name
        hint: Hint = ("Leave sparse=True out, or use ", setting("optimizer.name", "adagrad"), " or sgd")
        if optimizer in TAKE_SPARSE:
            hint = ("Leave sparse=True out, or use ", setting("training.precision", "fp32"))
        return ModelError(
            f"optimizer.name: {optimizer} does not take the network's sparse gradients{where}", hint
        )
    if NO_GRADIENT in text:
        where = place_of(CUTS_GRADIENT, prepared.model, prepared.config)
        return ModelError(
            f"the outputs of the network have no gradient: forward detaches them or runs without gradients{where}",
            "Remove that from forward: evaluation runs without gradients anyway",
        )
    told = as_user_error(error)
    reason = (
        told.message if told else f"{type(error).__name__}: {text.strip().partition(chr(10))[0]}".rstrip(": ")
    )
    if any(sign in text for sign in GRAPH_KEPT):
        return ModelError("the gradient of a batch reaches back into an earlier one", "Keep tensors detached")
    outputs = f", outputs {shape_of(returned)}" if isinstance(returned, Tensor) else ""
    return _like(told, f"{reason}, for inputs {shapes_of(batch.inputs)}{outputs}")


def _like(told: TorchtuiError | None, message: str, hint: Hint = "") -> TorchtuiError:
    """Return an error with another message: the user's, with its traceback, if there is one."""
    if told is None:
        return ModelError(message, hint)
    told.message, told.hint = message, hint
    return told


def _too_few_samples(batch: Batch, prepared: "Prepared") -> ModelError:
    settings, samples = prepared.config.training, len(prepared.data.train)
    last = f"{samples:,} samples in batches of {settings.batch_size}"
    if settings.accumulate > 1:
        last += f", {settings.accumulate} a step"
    other = next(
        (size for size in range(settings.batch_size + 1, samples + 1) if samples % size != 1),
        settings.batch_size,
    )
    alone = "a batch" if settings.batch_size == 1 else "the last batch of an epoch"
    return ModelError(
        f"batch normalisation needs more than one sample, and {alone} has a single one ({last})",
        (
            "Use ",
            setting("training.batch_size", other),
            " or ",
            setting("training.drop_last", "true"),
        )
        if settings.batch_size > 1
        else (
            "Use ",
            setting("training.batch_size", other),
            ", or a normalisation by sample, such as GroupNorm",
        ),
    )
