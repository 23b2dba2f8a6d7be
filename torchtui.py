"""The way in for projects with packages called ``core`` or ``tui`` of their own.

In a script, ``from torchtui import RunWriter``, or ``from torchtui.core.adapters.lightning import RunCallback``: this
product's packages are imported as ``torchtui.core`` and ``torchtui.tui``, so that the project's keep their names.
A script that was written for Weights & Biases says ``import torchtui as wandb``; see `core.interop.wandb_shape`.
"""

import builtins
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core import Histogram, Image, RunWriter, Text

__all__ = ["Histogram", "Image", "RunWriter", "Text", "main"]

FROM_CORE = ("RunWriter", "Image", "Text", "Histogram")
OURS = ("core", "tui")
OF_THE_RUN = ("run", "config", "summary")
"""Of the run that was started last."""
LIKE_WANDB = ("init", "log", "finish", "watch", "define_metric", *OF_THE_RUN)
"""Names of an interface that scripts know: ``import torchtui as wandb``."""
ROOT = os.path.dirname(os.path.realpath(__file__))
__path__ = [ROOT]


def __getattr__(name: str) -> Any:
    """A name of the core, or of the interface like that of wandb, imported when it is asked for."""
    if name in FROM_CORE:
        return getattr(__import__(f"{__name__}.core", fromlist=[name]), name)
    if name in LIKE_WANDB:
        shape = __import__(f"{__name__}.core.interop.wandb_shape", fromlist=[name])
        if name not in OF_THE_RUN:
            return getattr(shape, name)
        run = shape.current()
        return run if name == "run" else getattr(run, name, {})
    known = ", ".join((*FROM_CORE, *LIKE_WANDB))
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'; there is {known}")


def main() -> None:
    """Run the command ``tui``, in whose process `core` and `tui` are this product's, whatever PYTHONPATH names."""
    others = [place for place in sys.path if os.path.realpath(place) != ROOT and _has_such_names(place)]
    sys.path[:] = [
        place for place in sys.path if place not in others
    ] + others  # child processes take it over
    from core.torchrun import ends_without_finalizing, is_launched

    with ends_without_finalizing() if is_launched() else nullcontext():
        from tui.cli import main as command

        command()


def _has_such_names(place: str) -> bool:
    return any(os.path.exists(os.path.join(place, name + ending)) for name in OURS for ending in ("", ".py"))


def _import(
    name: str,
    globals: Mapping[str, object] | None = None,
    locals: Mapping[str, object] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> ModuleType:
    """Import as a statement does, `core` and `tui` from below this module."""
    top = name.partition(".")[0]
    if level or top not in OURS:
        return builtins.__import__(name, globals, locals, fromlist or (), level)
    found = builtins.__import__(f"{__name__}.{name}", globals, locals, fromlist or (), 0)
    return found if fromlist else sys.modules[f"{__name__}.{top}"]


class _Loader(SourceFileLoader):
    """Runs a module whose import statements find `core` and `tui` below this one."""

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__builtins__"] = {**vars(builtins), "__import__": _import}
        super().exec_module(module)


class _Finder:
    """Finds this product's packages below this module, and nothing else there."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(tuple(f"{__name__}.{name}" for name in OURS)):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = _Loader(fullname, spec.origin)
        return spec


if __name__ == "__main__":
    main()
else:
    sys.meta_path.insert(0, _Finder())
