"""The load of the machine, sampled on a thread of its own: a few tenths of a millisecond every two seconds."""

import sys
import threading

import psutil

from core.events import Notice, SystemSampled
from core.machine import memory
from core.observers.consumer import Emit

__all__ = ["Sampler"]

SECONDS = 2.0


class Sampler:
    """Emits the machine's load about every two seconds, until `stop`.

    Args:
        device: that trains, such as ``cpu`` or ``cuda:0``.
    """

    def __init__(self, tell: Emit, device: str) -> None:
        self._tell, self._gpu = tell, _Gpu(device, tell)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="system", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop emitting; a second call does nothing."""
        self._ended.set()
        self._thread.join()

    def _sample(self) -> None:
        process = psutil.Process()
        psutil.cpu_percent()  # what it gives is always since the time before
        while not self._ended.wait(SECONDS):
            sample = SystemSampled(
                cpu=psutil.cpu_percent(),
                memory=memory().percent,
                process=process.memory_info().rss,
                gpu=self._gpu.use(),
                gpu_memory=self._gpu.memory(),
            )
            self._tell(sample)


class _Gpu:
    """The NVIDIA GPU that trains, if one does."""

    def __init__(self, device: str, tell: Emit) -> None:
        self._device, self._tell = device, tell
        self._is_there = self._says_use = device.startswith("cuda")

    def use(self) -> float | None:
        """Per cent of the time in which it computed; None where it does not say."""
        if not self._says_use:
            return None
        try:
            return float(sys.modules["torch"].cuda.utilization(self._device))
        except ModuleNotFoundError:
            reason = 'pip install "torchtui[gpu]"'
        except Exception as error:  # the driver's library raises errors of its own
            reason = str(error).partition("\n")[0]
        self._says_use = False
        self._tell(Notice(level="info", message=f"GPU usage is not recorded: {reason}"))
        return None

    def memory(self) -> float | None:
        """Per cent that is in use."""
        if not self._is_there:
            return None
        free, total = sys.modules["torch"].cuda.mem_get_info(self._device)
        return 100.0 * (1.0 - float(free) / float(total))
