"""Options of `tui tune`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from core.tuning.search.plan import ExecutorName

__all__ = [
    "DEFAULT_TRIALS",
    "Confirm",
    "Continue",
    "Direction",
    "Executor",
    "Gpus",
    "Jobs",
    "Keep",
    "LearnFrom",
    "Limits",
    "MaxEpochs",
    "Method",
    "Metric",
    "Patience",
    "Pause",
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


def _option(*names: str, panel: str = "Search", **facts: Any) -> Any:
    return typer.Option(*names, rich_help_panel=panel, **facts)


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
Method = Annotated[
    str | None,
    _option(
        "--method",
        metavar="NAME",
        show_default="auto",
        help="auto chooses one of grid, random, bayes (TPE) and gp, and says why.",
    ),
]
Pruner = Annotated[
    str | None,
    _option(
        "--pruner",
        metavar="NAME",
        show_default="none",
        help="Stops unpromising trials early: none, median, asha or hyperband.",
    ),
]
Trials = Annotated[
    int | None,
    _option(
        "--trials",
        show_default=f"{DEFAULT_TRIALS}, or the whole grid",
        help="Number of trials in the whole study.",
    ),
]
Timeout = Annotated[
    str | None, _option("--timeout", metavar="TIME", help="Stop after this time, such as 90s, 10m or 2h.")
]
Metric = Annotated[
    list[str] | None,
    _option(
        "--metric",
        metavar="NAME",
        show_default="loss",
        help="Validation metric to optimize: loss, accuracy, r2, f1_macro, roc_auc, FILE.py:NAME ... Given twice, the "
        "second may be a cost too: parameters, seconds (of an epoch), latency (of a sample) or size (of its file).",
    ),
]
Limits = Annotated[
    list[str] | None,
    _option(
        "--where",
        metavar="LIMIT",
        help="Limit that the best trials keep to, such as 'parameters<100000' or 'accuracy>=0.9'; repeatable.",
    ),
]
Direction = Annotated[
    str | None,
    _option("--direction", metavar="WAY", show_default="found from the metric", help="minimize or maximize."),
]
Keep = Annotated[
    int | None,
    _option("--keep", show_default="5", help="Keep the checkpoints of this many best trials."),
]
Confirm = Annotated[
    int | None,
    _option(
        "--confirm",
        min=2,
        metavar="SEEDS",
        help="At the end train the best three trials again with this many other seeds each: the best mean wins, and is "
        "evaluated on the test split, once. With --resume also of a study that is complete.",
    ),
]
Jobs = Annotated[
    int | None,
    _option(
        "--jobs",
        min=1,
        panel="Where",
        show_default="1; on Ray as many as fit",
        help="Trials to run at once, as far as memory allows; the cores are divided among them.",
    ),
]
TrialMemory = Annotated[
    float | None,
    _option(
        "--trial-memory",
        metavar="GB",
        min=0.001,
        panel="Where",
        show_default="estimated",
        help="Memory that a local trial needs, in GB; it limits --jobs.",
    ),
]
Executor = Annotated[
    ExecutorName,
    _option(
        "--executor",
        panel="Where",
        help="Train in local processes, or on a Ray cluster.",
    ),
]
RayAddress = Annotated[
    str | None,
    _option("--ray-address", metavar="ADDRESS", panel="Where", help="The cluster; auto finds a running one."),
]
Gpus = Annotated[
    float | None,
    _option("--gpus-per-trial", min=0, panel="Where", help="GPUs per trial on Ray; fractions are allowed."),
]
Storage = Annotated[
    str | None,
    _option(
        "--storage",
        metavar="URL",
        panel="Where",
        show_default="a file in the study's folder",
        help="Database that several machines can reach, such as postgresql://user@host/db.",
    ),
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
Patience = Annotated[
    int | None,
    _option(
        "--patience",
        metavar="TRIALS",
        min=0,
        help="Stop after so many trials without an improvement beyond the noise.",
    ),
]
MaxEpochs = Annotated[
    int | None,
    _option("--max-epochs", min=1, help="Start no more trials after so many epochs of all trials together."),
]
StartWith = Annotated[
    list[str] | None,
    _option(
        "--start-with",
        metavar="RUN",
        help="Try the values of a run first; repeatable. The current configuration is always the first trial.",
    ),
]
LearnFrom = Annotated[
    list[str] | None,
    _option(
        "--learn-from",
        metavar="STUDY",
        help="Let the search know the trials of an earlier study on the same data with the same metric; repeatable.",
    ),
]
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
