"""The machine as lines: bars, marks for what is nearly full, and no line wider than the panel."""

from rich.cells import cell_len

from core.observers.machine_state import Disk, Gpu, MachineState, Process
from tui.terminal.system_text import process_lines, system_lines

GIB = 1 << 30
GPU = Gpu(
    index=0,
    name="NVIDIA\x1b H200",
    use=50.0,
    memory_used=95 * GIB,
    memory_total=100 * GIB,
    temperature=64,
    power=None,
)
PROCESSES = (
    Process(
        pid=12, user="ann", cpu=99.5, memory=GIB, gpu_memory=70 * GIB, command="/usr/bin/python a.py\x1b[2J"
    ),
    Process(pid=13, user="bob", cpu=0.0, memory=GIB, gpu_memory=None, command="sleep"),
)


def state(**changes: object) -> MachineState:
    values: dict[str, object] = {
        "host": "box",
        "cores": 2,
        "cpu": 25.0,
        "per_core": (0.0, 50.0),
        "load": (1.0, 0.5, 0.25),
        "memory_used": 4 * GIB,
        "memory_total": 8 * GIB,
        "swap_used": 0,
        "swap_total": 0,
        "disks": (Disk(path="/runs", free=5 * GIB, total=100 * GIB),),
        "gpus": (GPU,),
        "gpu_note": "",
        "processes": PROCESSES,
    }
    return MachineState(**{**values, **changes})  # type: ignore[arg-type]  # as named above


def test_what_is_nearly_full_is_marked() -> None:
    lines = system_lines(state(), 100)
    assert [line[:10].strip() for line in lines if line.startswith("▲")] == ["▲ disk", "▲  memory"]
    assert "█████·" in lines[0]
    assert "load 1.0 0.5 0.2" in lines[0]
    assert "▁▅" in lines[1]
    assert "5 GiB free of 100 GiB   /runs" in lines[3]
    assert "64 °C   NVIDIA␛ H200" in lines[4]


def test_no_gpu_is_said() -> None:
    lines = system_lines(state(gpus=(), gpu_note="no NVIDIA GPU"), 60)
    assert lines[-1] == "  GPU      no NVIDIA GPU"
    assert "GPU" not in process_lines(PROCESSES[1:], 60)[0]


def test_lines_keep_to_their_width() -> None:
    for width in (20, 46, 76):
        for line in [*system_lines(state(), width), *process_lines(PROCESSES, width)]:
            assert cell_len(line) <= max(width, 54)
    assert "python a.py␛[2J" in process_lines(PROCESSES, 90)[1]
