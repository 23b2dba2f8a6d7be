"""torchtui's engine as in `benchmarks.libraries.torchtui`, each kernel launched by itself."""

from functools import partial

from benchmarks.libraries import torchtui

prepare = partial(torchtui.prepare, cuda_graphs="off")
