"""Weights alone, for code of one's own that has the network already."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from core.data.dataset import Progress
from core.errors import DependencyError
from core.export.network import raw_inputs, samples_of
from core.export.options import ExportOptions, largest_difference
from core.session.evaluation import score_inputs, trained_model
from core.tasks.registry import task_of

if TYPE_CHECKING:
    from core.runs.folder import Run

__all__ = ["Safetensors"]


class Safetensors(ExportOptions):
    """The weights by name, mean and deviation of the inputs as ``mean`` and ``std``, all facts as metadata."""

    name: Literal["safetensors"] = "safetensors"

    def write(
        self, run: "Run", folder: Path, data_root: Path | None, progress: Progress, notes: list[str]
    ) -> float:
        try:
            from safetensors.torch import load_file, save_file
        except ImportError:
            raise DependencyError(
                "export to safetensors needs safetensors, which is not installed",
                "Install it: pip install 'torchtui[safetensors]'",
            ) from None
        trained = trained_model(run, data_root=data_root, progress=progress)
        import torch

        from core.config.schema import to_yaml
        from core.export.deployed import deployed, facts

        inputs = samples_of(trained)
        is_custom = task_of(trained.data.task).own_step  # whose network need not be callable
        with _same_numbers():
            own = score_inputs(trained, inputs) if not is_custom else None
        module = deployed(trained)
        state = module.state_dict()
        tensors = {
            name: value.contiguous().clone()
            for name, value in state.items()
            if isinstance(value, torch.Tensor)
        }
        path = folder / "model.safetensors"
        metadata = {
            "format": "pt",
            "torchtui": json.dumps(facts(trained, run)),
            "config": to_yaml(trained.config),
        }
        save_file(tensors, str(path), metadata=metadata)
        progress("checking it on real samples", 0, 0)
        if own is None:
            written = load_file(str(path))
            return max(float((written[name].float() - tensors[name].float()).abs().max()) for name in tensors)
        for name in tensors:  # so that only what was written can answer rightly
            state[name].zero_()
        module.load_state_dict({**state, **load_file(str(path))})
        with torch.no_grad(), _same_numbers():
            answers = module(*raw_inputs(trained, inputs))
        return largest_difference(answers.numpy(), own)


@contextmanager
def _same_numbers() -> Iterator[None]:
    """Context manager in which a network that draws in evaluation, too, draws the same numbers each time."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        yield
