"""A profile as text: bars of the phases, a table of layers, memory, and what would help."""

from collections.abc import Iterator

import torch

from core.counting import counted
from core.profiling.gains import Gain
from core.profiling.layers import LayerCost
from core.profiling.memory import MemoryUse
from core.profiling.names import PHASES
from core.profiling.phases import Phases
from core.profiling.profile import Profile
from core.profiling.together import Together
from core.remedies import Words, setting, worded
from tui.terminal.text import UNKNOWN, bytes_, clean, fit, percent, si

__all__ = ["profile_lines", "together_lines", "where"]

BAR = 24
LAYERS = 8
"""Layers that are listed."""
WORTH = 1.1
"""Times as many samples a second from which on a setting helps: less is noise."""
HELD = {
    "weights": "weights",
    "gradients": "gradients",
    "optimizer": "state of the optimizer",
    "activations": "kept for the backward pass",
    "data": "samples in memory",
}


def where(device: torch.device) -> str:
    """Return on what a copy was trained: the device, and of the processor how many threads."""
    return counted(torch.get_num_threads(), "processor thread") if device.type == "cpu" else str(device)


def profile_lines(profile: Profile, words: Words) -> Iterator[str]:
    """Yield the lines, without ends.

    Args:
        words: how to write a setting, as on the command line.
    """
    phases = profile.phases
    yield (
        f"{phases.step * 1e3:.3g} ms a step, {si(phases.samples_per_second)} samples a second "
        f"({phases.steps:,} steps timed)"
    )
    yield ""
    yield from _phase_lines(phases)
    if profile.trace.idle is not None:
        yield f"  the GPU does nothing in {percent(profile.trace.idle)} % of the time"
    yield ""
    yield f"{'costliest layers, ms a step':34} {'forward':>8}   {'backward':>8}    share"
    yield from _layer_lines(profile.trace.layers)
    yield ""
    yield f"memory: at most {bytes_(profile.memory.peak)} so far"
    yield from _memory_lines(profile.memory)
    if profile.gains:
        yield ""
        yield from _gain_lines(profile.gains, words)


def together_lines(found: Together) -> Iterator[str]:
    """Yield the lines on a step in several processes, without ends."""
    yield (
        f"{len(found.processes)} processes: {found.step * 1e3:.3g} ms a step, {si(found.samples_per_second)} samples a "
        f"second ({found.steps:,} steps timed)"
    )
    yield ""
    yield f"{'of a step, ms':14} {'waits for data':>14}   {'computes':>10}   {'waits for others':>16}   {'adds up':>10}"
    for rank, one in enumerate(found.processes):
        times = (one.data, one.computing, found.waiting(rank), found.adding_up)
        texts = [UNKNOWN if seconds is None else f"{seconds * 1e3:.3g}" for seconds in times]
        data, computing, waiting, adding_up = texts
        yield f"{f'process {rank}':14} {data:>14}   {computing:>10}   {waiting:>16}   {adding_up:>10}"
    yield ""
    yield "computes: as if alone with its share of each batch; adds up: gradients, or divided weights, are sent"
    yield "layers, memory and what would help are those of one process: leave out --processes"


def _phase_lines(phases: Phases) -> Iterator[str]:
    for name, text in PHASES.items():
        share = phases.share(name)
        bar = "█" * round(share * BAR)
        yield f"  {fit(text, 24)} {fit(bar, BAR)} {percent(share):>5} %  {phases.seconds[name] * 1e3:9.3g} ms"
    if phases.validation is not None:
        steps = phases.validation / phases.step
        yield f"  a validation takes {phases.validation:.3g} s, as long as {steps:,.0f} steps"
    yield f"  {phases.cores:.1f} processor cores busy"


def _layer_lines(layers: tuple[LayerCost, ...]) -> Iterator[str]:
    total = sum(layer.seconds for layer in layers) or 1.0
    for layer in layers[:LAYERS]:
        name = clean(f"{layer.path}  {layer.kind}")
        times = f"{layer.forward * 1e3:8.3g}   {layer.backward * 1e3:8.3g}"
        yield f"  {fit(name, 32)} {times}  {percent(layer.seconds / total):>5} %"
    if len(layers) > LAYERS:
        rest = sum(layer.seconds for layer in layers[LAYERS:])
        yield f"  {fit(f'{len(layers) - LAYERS} more', 32)} {'':19}  {percent(rest / total):>5} %"


def _memory_lines(memory: MemoryUse) -> Iterator[str]:
    for name, text in HELD.items():
        yield f"  {fit(text, 28)} {bytes_(getattr(memory, name)):>10}"


def _gain_lines(gains: tuple[Gain, ...], words: Words) -> Iterator[str]:
    helping = [gain for gain in gains if gain.times is not None and gain.times >= WORTH]
    yield "what would help, measured in turns" if helping else "no other setting that was tried helps"
    for gain in gains:
        written = worded((setting(gain.field, gain.value),), words)
        if gain.times is None:
            yield f"  {fit(written, 29)} cannot be had: {clean(gain.note)}"
        else:
            note = f"   {gain.note}" if gain.note and gain in helping else ""
            yield f"  {fit(written, 29)} {gain.times:.2f} x as many samples a second{note}"
