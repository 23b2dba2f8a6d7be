"""From studies to what ``study.html`` shows of them."""

import time
from collections.abc import Sequence

from core.config.formatting import format_setting
from core.config.schema import to_yaml
from core.counting import counted
from core.metrics import label_of, number
from core.report.page import Figure, Table, page
from core.report.study_figures import STUDY_FIGURES, spread, study_figure
from core.tuning.confirm.result import Confirmation, confirmation
from core.tuning.study.importance import PathImportance, importances
from core.tuning.study.records import TrialRecord, best_first, pareto_front
from core.tuning.study.study import TuningStudy

__all__ = ["build_studies"]

TOP = 20
CAPTIONS = {
    "history": "Trials, and the best so far; diamonds were pruned, dotted lines failed",
    "slices": "The metric by parameter",
    "parallel": "Parallel coordinates: the best third is orange",
    "contour": "The metric over the two parameters that matter most, better where darker",
    "front": "Trials that no other beats in both objectives",
}


def build_studies(studies: Sequence[TuningStudy], commands: Sequence[str]) -> str:
    """Return the page of one study, or of several with their values side by side first.

    Args:
        commands: for each study the command that trains its best configuration.

    Raises:
        DependencyError: matplotlib is not installed.
        RunDamaged: a storage cannot be read.
    """
    parts = [_study(study, command) for study, command in zip(studies, commands, strict=True)]
    together = [(study.name.removeprefix("study_"), study.plan, study.records()) for study in studies]
    several = [Figure(spread(together), "svg+xml", "Values of all trials")] if len(studies) > 1 else []
    return page(
        "study.html",
        title=f"{len(studies)} studies" if several else studies[0].name,
        written=time.strftime("%Y-%m-%d %H:%M"),
        spread=several,
        studies=parts,
    )


def _study(study: TuningStudy, command: str) -> dict[str, object]:
    plan, records = study.plan_now(), study.records()
    ranked = best_first(plan, records)
    again = confirmation(study)
    pictures = {name: study_figure(name, plan, records) for name in STUDY_FIGURES}
    weighed = importances(plan, records)
    states = [record.state for record in records]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    second = f" and {plan.second_direction} {plan.second}" if plan.second else ""
    limits = f", where {' and '.join(plan.where)}" if plan.where else ""
    best = next(
        (one for one in ranked if again and one.number == again.winner), ranked[0] if ranked else None
    )
    return {
        "name": study.name,
        "facts": f"{plan.method}: {plan.direction} validation {plan.metric}{second}{limits}. {counts}.",
        "figures": [
            Figure(data, "svg+xml", CAPTIONS[name], CAPTIONS[name]) for name, data in pictures.items() if data
        ],
        "importance": _importance(weighed.all),
        "good": _importance(weighed.good) if weighed.good.shares else None,
        "why_none": weighed.all.reason,
        "confirmed": _confirmed(again) if again else None,
        "winner": _winner(again) if again else "",
        "front": _trials(study, pareto_front(plan, records)) if plan.second else None,
        "trials": _trials(study, ranked[:TOP]) if ranked else None,
        "configuration": to_yaml(study.config(best)) if best else "",
        "best": f"trial {best.number}" if best else "",
        "command": command,
    }


def _trials(study: TuningStudy, records: Sequence[TrialRecord]) -> Table:
    plan = study.plan
    paths = list(plan.space.domains)
    rows = [
        [
            *(record.number, _number(record.value)),
            *(_number(record.costs.get(name)) for name in plan.weighed),
            *(format_setting(record.params[path]) if path in record.params else "–" for path in paths),
            record.epochs,
        ]
        for record in records
    ]
    return Table(["trial", label_of(plan.metric), *plan.weighed, *paths, "epochs"], rows, {(0, 1)})


def _importance(found: PathImportance) -> Table | None:
    rows = [
        [path, f"{share.value:.2f}\n{share.low:.2f} to {share.high:.2f}"]
        for path, share in found.shares.items()
    ]
    return Table(["parameter", f"share, {counted(found.trials, 'trial')}"], rows) if rows else None


def _confirmed(found: Confirmation) -> Table:
    rows = []
    for row in found.rows:
        sign = "★ " if row.trial == found.winner else "≈ " if row.trial in found.level else ""
        cells = [_number(row.mean), _number(row.deviation), _number(row.optimism), _number(row.p)]
        rows.append([f"{sign}{row.trial}", _number(row.found), *cells, f"{len(row.values)} of {row.runs}"])
    return Table(["trial", "found", "mean", "sd", "optimism", "p", "seeds"], rows)


def _winner(found: Confirmation) -> str:
    if found.test is None:
        return ""
    test = found.test
    ends = f", 95 % {' to '.join(map(number, test.interval))}" if test.interval else ""
    seen = f"{number(test.value)} on {test.samples:,} samples{ends}"
    return f"Test {label_of(test.metric)} of the winner, seen once: {seen}."


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}"
