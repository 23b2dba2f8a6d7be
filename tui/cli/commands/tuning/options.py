"""Options of `tui tune`; what a setting does is said in `tui.forms.search_settings`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from core.tuning.search.plan import ExecutorName
from tui.forms.search_settings import ABOUT

__all__ = [
    "DEFAULT_TRIALS",
    "Confirm",
    "Continue",
    "Direction",
    "Executor",
    "Gpus",
    "GpusPerTrial",
    "Jobs",
    "Keep",
    "LearnFrom",
    "Limits",
    "MaxEpochs",
    "Method",
    "Metric",
    "Patience",
    "Pause",
    "Processes",
    "Pruner",
    "Ranges",
    "RayAddress",
    "Resume",
    "Space",
    "StartWith",
    "Stop",
    "Storage",
    "Study",
    "Timeout",
    "TrialMemory",
    "Trials",
    "Try",
]

DEFAULT_TRIALS = 30
WHERE = "Where"
REPEATABLE = "; repeatable"


def _option(*names: str, panel: str = "Search", more: str = "", **facts: Any) -> Any:
    """One option; its help is that of the setting of its name, with something more."""
    setting = names[0].removeprefix("--").replace("-", "_")
    return typer.Option(*names, rich_help_panel=panel, **{"help": f"{ABOUT.get(setting)}{more}.", **facts})


Ranges = Annotated[
    list[str] | None,
    _option(
        *("--param", "-p"),
        metavar="PATH=RANGE",
        help="Range to search, such as lr=log:1e-4..1, batch_size=16..256:16 or model.hidden=64,128; repeatable. "
        "Default: ranges that suit the model and the optimizer.",
    ),
]
Space = Annotated[
    Path | None,
    _option(
        "--space",
        metavar="FILE",
        help="YAML file that gives each path {low, high, log, step} or {choices: [..]}.",
    ),
]
Method = Annotated[str | None, _option("--method", metavar="NAME", show_default="auto")]
Pruner = Annotated[str | None, _option("--pruner", metavar="NAME", show_default="none")]
Trials = Annotated[int | None, _option("--trials", show_default=f"{DEFAULT_TRIALS}, or the whole grid")]
Timeout = Annotated[str | None, _option("--timeout", metavar="TIME")]
Metric = Annotated[
    list[str] | None,
    _option(
        "--metric",
        metavar="NAME",
        show_default="loss",
        more=", or FILE.py:NAME. Given twice, the second may be a cost too: parameters, seconds (of an epoch), latency "
        "(of a sample) or size (of its file)",
    ),
]
Limits = Annotated[list[str] | None, _option("--where", metavar="LIMIT", more=REPEATABLE)]
Direction = Annotated[
    str | None,
    _option("--direction", metavar="WAY", show_default="found from the metric", help="minimize or maximize."),
]
Keep = Annotated[int | None, _option("--keep", show_default="5")]
Confirm = Annotated[
    int | None,
    _option("--confirm", min=2, metavar="SEEDS", more=". With --resume also of a study that is complete"),
]
Jobs = Annotated[int | None, _option("--jobs", min=1, panel=WHERE, show_default="1; on Ray as many as fit")]
TrialMemory = Annotated[
    float | None,
    _option("--trial-memory", metavar="GB", min=0.001, panel=WHERE, show_default="estimated"),
]
Executor = Annotated[ExecutorName, _option("--executor", panel=WHERE)]
RayAddress = Annotated[str | None, _option("--ray-address", metavar="ADDRESS", panel=WHERE)]
GpusPerTrial = Annotated[float | None, _option("--gpus-per-trial", min=0, panel=WHERE)]
Processes = Annotated[int | None, _option("--processes", min=1, max=1024, panel=WHERE, show_default="1")]
Gpus = Annotated[str | None, _option("--gpus", metavar="LIST", panel=WHERE, show_default="all that are free")]
Storage = Annotated[
    str | None,
    _option("--storage", metavar="URL", panel=WHERE, show_default="a file in the study's folder"),
]
Resume = Annotated[
    str | None,
    typer.Option(
        "--resume",
        metavar="STUDY",
        help="Resume or join a study: its name, a prefix or the last letters of the name, a path, or `latest` "
        "(started or resumed last).",
    ),
]
Pause = Annotated[
    str | None,
    typer.Option(
        "--pause",
        metavar="STUDY",
        help="Pause a study, wherever it runs: its trials wait after their current batch.",
    ),
]
Continue = Annotated[str | None, typer.Option("--continue", metavar="STUDY", help="Continue a paused study.")]
Stop = Annotated[
    str | None,
    typer.Option(
        "--stop",
        metavar="STUDY",
        help="Ask every process that works on a study, wherever it is, to save its trials and stop.",
    ),
]
Patience = Annotated[int | None, _option("--patience", metavar="TRIALS", min=0)]
MaxEpochs = Annotated[int | None, _option("--max-epochs", min=1)]
StartWith = Annotated[list[str] | None, _option("--start-with", metavar="RUN", more=REPEATABLE)]
LearnFrom = Annotated[list[str] | None, _option("--learn-from", metavar="STUDY", more=REPEATABLE)]
Try = Annotated[
    list[str] | None,
    typer.Option(
        "--try",
        metavar="VALUES",
        help="Add a trial to --study, such as lr=0.01,model.hidden=[64,32]; values left out are drawn. Whoever works "
        "on it trains it next.",
    ),
]
Study = Annotated[
    str, typer.Option("--study", metavar="STUDY", help="The study that --try adds to.", show_default=True)
]
