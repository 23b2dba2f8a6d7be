"""The settings of a search beside its ranges, as fields and in words that the command line shares."""

from functools import partial
from typing import get_args

from core.metrics import METRICS
from core.tuning.search.auto import AUTO, Method
from core.tuning.search.objectives import COSTS
from core.tuning.search.plan import Direction, ExecutorName, Pruner
from tui.forms.form_fields import FieldSpec

__all__ = ["ABOUT", "CHANGES", "NONE", "SETTINGS"]

NONE = "none"
"""Second objective of a study with one."""

_text = partial(FieldSpec, default="", kind="text")
_choice = partial(FieldSpec, default="", kind="choice")
_several = partial(_choice, many=True, choices=())

START_WITH = _several(
    path="start_with",
    label="start with",
    hint="runs tried first",
    about="Runs whose values are tried first; the current configuration is always the first trial",
)
LEARN_FROM = _several(
    path="learn_from",
    label="learn from",
    hint="earlier studies",
    about="Earlier studies on the same data with the same metric, whose trials the search knows",
)
TIMEOUT = _text(
    path="timeout",
    label="time limit",
    hint="10m, 2h, or empty",
    about="Stop after this time, such as 90s, 10m or 2h",
)
PATIENCE = _text(
    path="patience",
    label="patience",
    hint="trials, 0 for none",
    about="Stop after so many trials without an improvement beyond the noise",
)
MAX_EPOCHS = _text(
    path="max_epochs",
    label="max epochs",
    hint="of all, or empty",
    about="Start no more trials after so many epochs of all trials together",
)
SETTINGS = (
    _choice(
        path="method",
        label="method",
        choices=(AUTO, *get_args(Method)),
        hint="how values are chosen",
        about="auto: chooses one and says why. grid: every combination. random: independent draws. bayes: learns from "
        "trials (TPE). gp: Gaussian process",
    ),
    _choice(
        path="pruner",
        label="pruner",
        choices=get_args(Pruner),
        hint="stops unpromising trials",
        about="Stops unpromising trials early. median: the worse half. asha, hyperband: trials pause at milestones, "
        "the best half is trained on",
    ),
    _choice(
        path="metric",
        label="metric",
        choices=("auto", *METRICS),
        hint="on validation",
        about="Validation metric to optimize, at the best epoch of a trial: loss (auto), accuracy, r2, "
        "f1_macro, roc_auc ...",
    ),
    _choice(
        path="direction",
        label="direction",
        choices=("auto", *get_args(Direction)),
        hint="of the metric",
        about="Whether the smallest or the largest value of the metric is the best; auto: found from the metric",
    ),
    _choice(
        path="second",
        label="second",
        choices=(NONE, *COSTS, *METRICS),
        hint="another objective",
        about="Another objective: a metric, or a cost: parameters, seconds (of an epoch), latency (of a sample) or "
        "size (of the file)",
    ),
    _text(
        path="where",
        label="where",
        hint="parameters<1e5",
        about="Limits that the best trials keep to, such as parameters<1e5, accuracy>=0.9",
    ),
    _text(
        path="trials",
        label="trials",
        hint="≥ 1",
        about="Number of trials in the whole study",
    ),
    TIMEOUT,
    PATIENCE,
    MAX_EPOCHS,
    START_WITH,
    LEARN_FROM,
    _text(
        path="confirm",
        label="confirm",
        hint="0, or seeds ≥ 2",
        about="At the end, train the best three trials again with so many other seeds each: the best mean wins and "
        "is tested, once",
    ),
    _text(
        path="keep",
        label="keep",
        hint="best trials",
        about="Keep the checkpoints of this many best trials",
    ),
    _choice(
        path="executor",
        label="run in",
        choices=get_args(ExecutorName),
        hint="where trials train",
        about="local: in local processes. ray: on a Ray cluster. slurm: in an array of jobs",
    ),
    _text(
        path="jobs",
        label="jobs",
        hint="≥ 1, or auto",
        about="Trials at once, as far as memory allows; the cores are divided among them. auto: 1; on Ray all that fit",
    ),
    _text(
        path="processes",
        label="processes",
        hint="≥ 1, of each trial",
        about="Processes of this machine that train each local trial together, on a GPU each, or on the trial's cores",
    ),
    _text(
        path="trial_memory",
        label="trial memory",
        hint="GB, or auto",
        about="Memory that a local trial needs, in GB, which limits the trials at once; auto: estimated",
    ),
    _text(
        path="gpus",
        label="GPUs",
        hint="0,2, or empty",
        about="GPUs of this machine that local trials are spread over, such as 0,2; empty: all that are free",
    ),
    _text(
        path="ray_address",
        label="Ray address",
        hint="of a cluster",
        about="Address of the Ray cluster; auto finds a running one, nothing starts one here",
    ),
    _text(
        path="gpus_per_trial",
        label="GPUs per trial",
        hint="on Ray, such as 0.5",
        about="GPUs that each trial takes on Ray; fractions are allowed",
    ),
    _text(
        path="storage",
        label="storage",
        hint="URL, or empty",
        about="Database that several machines reach, such as postgresql://user@host/db",
    ),
    _text(path="name", label="name", hint="of the study", about="What you call the study"),
)
CHANGES = (
    _text(
        path="trials", label="trials", hint="in all, or empty", about="Number of trials in the whole study"
    ),
    TIMEOUT,
    PATIENCE,
    MAX_EPOCHS,
    START_WITH,
    LEARN_FROM,
    _text(
        path="ranges",
        label="ranges",
        hint="lr=1e-3..0.1 ...",
        about="Other ends of ranges, such as lr=log:1e-3..0.1 batch_size=16..64:16; trials outside of them stay known",
    ),
)
"""What can be changed when a study is resumed."""
ABOUT = {spec.path: spec.about for spec in SETTINGS}
"""What each setting does, a sentence without its period, by the name of the setting."""
