"""Studies without screens: a table side by side, and their charts as text."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from core.counting import counted
from core.tuning.comparison import StudyFacts, difference, not_comparable
from core.tuning.study.study import TuningStudy
from tui.charts.plot_chart import Chart
from tui.charts.plot_text import as_text
from tui.charts.study import best_chart, places, slice_chart
from tui.charts.study_views import axes_of, contour_chart, front_chart, parallel_chart, spread_chart
from tui.headless.report import report_console
from tui.runtime.study_follower import Follower, Standing
from tui.terminal.costs import weighed_text
from tui.terminal.text import clean, duration, number, setting

__all__ = ["chart_text", "print_studies", "study_rows", "verdict"]


def print_studies(studies: Sequence[StudyFacts]) -> None:
    """Print a table with a column for each study, and whether their winners are level."""
    console = report_console()
    note = not_comparable(studies)
    if note:
        console.print(Text(f"{note}: their values do not compare", "yellow"), soft_wrap=True)
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("")
    for study in studies:
        table.add_column(Text(clean(study.name.removeprefix("study_"))), justify="right")
    for title, cells in study_rows(studies):
        table.add_row(*(Text(clean(cell)) for cell in (title, *cells)))
    console.print(table)
    if said := verdict(studies):
        console.print(Text(said), soft_wrap=True)


def study_rows(studies: Sequence[StudyFacts]) -> list[tuple[str, list[str]]]:
    """Return title and cells of each row of a table with a column for each study."""
    winners = [study.winner for study in studies]
    rows = [
        ("method", [study.method for study in studies]),
        ("pruner", [study.pruner for study in studies]),
        ("metric", [study.metric for study in studies]),
        ("trials", [_states(study) for study in studies]),
        ("epochs", [f"{study.epochs:,}" for study in studies]),
        ("time in trials", [duration(study.seconds) for study in studies]),
        ("best", [number(study.best.value) if study.best else "–" for study in studies]),
        ("in trial", [str(study.best.number) if study.best else "–" for study in studies]),
        ("median", [number(study.median) for study in studies]),
    ]
    if any(study.second for study in studies):
        rows += [
            ("second objective", [study.second or "–" for study in studies]),
            ("front", [counted(len(study.front), "trial") if study.front else "–" for study in studies]),
            ("other end of it", [_end(study) for study in studies]),
        ]
    if any(winners):
        means = [
            f"{number(one.mean)} ± {number(one.deviation)}" if one is not None else "–" for one in winners
        ]
        rows.append(("winner over seeds", means))
    paths = dict.fromkeys(path for study in studies if study.best for path in study.best.params)
    for path in paths:
        params = [study.best.params if study.best else {} for study in studies]
        rows.append((f"best {path}", [setting(one[path]) if path in one else "–" for one in params]))
    return rows


def _end(study: StudyFacts) -> str:
    """Return both objectives of the trial of the front that is the best one in the second."""
    if not study.front:
        return "–"
    last = study.front[-1]
    return f"{number(last.value)}, {study.second} {weighed_text(study.second, last.costs[study.second])}"


def _states(study: StudyFacts) -> str:
    others = [f"{count} {state}" for state, count in study.trials.items() if state != "completed"]
    return ", ".join([f"{study.trials.get('completed', 0)} completed", *others])


def verdict(studies: Sequence[StudyFacts]) -> str:
    """Return whether the winners of two studies are level over other seeds; empty where nothing can be said."""
    p = difference(studies[0], studies[1]) if len(studies) == 2 and not not_comparable(studies) else None
    if p is None:
        return ""
    return f"their winners {'are level' if p >= 0.05 else 'differ'} over other seeds (p = {p:.2g})"


def chart_text(studies: Sequence[TuningStudy], name: str, width: int, height: int) -> str:
    """Return a chart as text; empty where there is nothing to draw.

    Args:
        name: ``history``, ``slices``, ``parallel``, ``contour``, ``front``, or ``spread`` of several studies.
    """
    standings = [
        Follower(study.folder.path.parent, str(study.folder.path), study.storage_url).look()
        for study in studies
    ]
    standing = standings[0]
    if standing.best is None or (name == "front" and not standing.plan.second):
        return ""
    paths = list(standing.importance.all.shares)
    paths += [path for path in standing.plan.space.domains if path not in paths]
    if name == "contour" and len(paths) < 2:
        return ""
    log_y = standing.plan.direction == "minimize"
    if name == "slices":
        parts = [_with_title(path, slice_chart(standing, path, log_y), width, height) for path in paths]
        legends = [places(standing.plan.space.domains[path]) for path in paths]
        return "\n\n".join(f"{part}\n{legend}".rstrip() for part, legend in zip(parts, legends, strict=True))
    charts = {
        "history": lambda: best_chart(standing, log_y),
        "parallel": lambda: parallel_chart(standing, None),
        "contour": lambda: contour_chart(standing, paths[0], paths[1]),
        "front": lambda: front_chart(standing, standing.front),
        "spread": lambda: spread_chart(standings),
    }
    text = _with_title(_title(standing, name), charts[name](), width, height)
    return "\n".join([text, *_legend(standings, name)])


def _title(standing: Standing, name: str) -> str:
    return f"{name}: {standing.plan.metric} of {standing.folder.name}"


def _with_title(title: str, chart: Chart, width: int, height: int) -> str:
    return f"{clean(title)}\n{as_text(chart, width, height).plain}"


def _legend(standings: Sequence[Standing], name: str) -> list[str]:
    if name == "parallel":
        axes = enumerate(axes_of(standings[0]), start=1)
        return [clean(f"{at} {axis}  {low} … {high}") for at, (axis, low, high) in axes]
    if name == "spread":
        return [clean(f"{at} {one.folder.name}") for at, one in enumerate(standings, start=1)]
    return []
