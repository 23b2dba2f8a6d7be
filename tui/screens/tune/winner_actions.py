"""Actions on the trials of a study as a whole: confirm the best ones, select some, add one, reuse the winner."""

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType

from core.config import schema as configuration
from core.errors import ConfigError, TorchtuiError
from core.tuning.search.points import parse_point
from core.tuning.search.ranges import parse_domain
from core.tuning.study.folder import all_studies
from tui.forms.command_line import command_line
from tui.forms.remedies import error_in_app
from tui.screens.trust_prompt import with_consent
from tui.screens.tune.dialogs import AskNumber, ChooseStudies, SelectTrials, TryValues
from tui.screens.tune.resume_actions import RESUME_ACTIONS, ResumeActions
from tui.screens.tune.spread_panel import Together
from tui.screens.tune.study_actions import MAX_NAMES, listed
from tui.screens.tune.study_view import StudyView
from tui.terminal.text import clean, short_path

if TYPE_CHECKING:
    from core.config.schema import TrainConfig

__all__ = ["WINNER_ACTIONS", "WinnerActions"]

WINNER_ACTIONS = RESUME_ACTIONS | {
    "confirm",
    "longer",
    "copy_trial",
    "hide",
    "graph",
    "select",
    "beside",
    "try_values",
}
LEAST_SEEDS = 2
LONGER = 3
"""Times the epochs of a trial that is to be trained with more of them."""


class WinnerActions(ResumeActions):
    """Base of Tune that knows what to do with trials."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "confirm", "confirm", tooltip="Train the best trials again with other seeds"),
        Binding("m", "longer", "longer", tooltip="Fill Configure with this trial and more epochs"),
        Binding("h", "hide", "hide", tooltip="Hide pruned and failed trials, or show them again"),
        Binding(
            "g", "graph(1)", "graph", tooltip="The next graph: slices, parallel, contour, front, confirm"
        ),
        Binding("G", "graph(-1)", "Previous graph", show=False),
        Binding("w", "beside", "Show other studies beside this one", show=False),
        Binding("slash", "select", "Select trials by ranges", show=False),
        Binding("plus", "try_values", "Add a trial by hand", show=False, key_display="+"),
    ]

    def action_confirm(self) -> None:
        """Train the best trials again with other seeds, in the background."""
        standing, follower, data_root = self.standing, self._follower, self.tui.data_root
        given = self.given
        if standing is None or follower is None:
            return

        def asked(seeds: int | None) -> None:
            if seeds is None:
                return

            def launch(progress: Any) -> list[str]:
                from core.tuning.confirm.study import ask_to_confirm

                ask_to_confirm(follower.study, seeds)
                trials = standing.done if standing.status != "completed" else None
                return self.set_to_work(follower.study, given, data_root, trials=trials)

            with_consent(
                self.app,
                standing.plan.space.base,
                lambda: self.in_background("start", launch, self.at_work),
            )

        dialog = AskNumber(
            "Train the best trials again, with how many other seeds each?",
            "Confirm",
            usual=3,
            least=LEAST_SEEDS,
            note="The best mean wins, and is evaluated on the test split.",
        )
        self.app.push_screen(dialog, asked)

    def _config(self) -> "TrainConfig | None":
        """The configuration of the trial under the cursor."""
        if self.selected is None or self.standing is None:
            return None
        return self.standing.plan.space.config(self.selected.params)

    def action_longer(self) -> None:
        """Fill Configure with the trial under the cursor and more epochs."""
        config = self._config()
        if config is None:
            return
        values = configuration.to_dict(config)
        before = values["training"]["epochs"]
        values["training"]["epochs"] = before * LONGER
        self.tui.form_values = values
        self.app.call_later(partial(self.tui.action_go, "configure"))
        self.notify(f"epochs {before} → {before * LONGER}; press Ctrl+R to start")

    def action_copy_trial(self) -> None:
        """Copy the command that trains the configuration of the trial under the cursor."""
        config = self._config()
        if config is not None:
            command = command_line(config)
            self.app.copy_to_clipboard(command)
            self.notify(clean(command), title="Copied", markup=False)

    def action_hide(self) -> None:
        """Hide pruned and failed trials, or show them again."""
        hidden = self.query_one(StudyView).toggle_hidden()
        self.notify("Pruned and failed trials are hidden." if hidden else "All trials are shown.")

    def action_graph(self, by: int) -> None:
        """Show the next or previous graph."""
        self.query_one(StudyView).graphs.turn(by)

    def action_beside(self) -> None:
        """Choose other studies to show beside this one."""
        follower, runs_dir = self._follower, self.tui.runs_dir
        if follower is None:
            return

        def read(paths: list[str], progress: Any) -> Together:
            from core.tuning.comparison import study_facts
            from tui.runtime.study_follower import Follower

            others = [Follower(runs_dir, path) for path in paths]
            facts = [study_facts(study) for study in (follower.study, *(one.study for one in others))]
            return Together([one.look() for one in others], facts)

        def chosen(paths: list[str] | None) -> None:
            if paths is not None:
                graphs = self.query_one(StudyView).graphs
                if paths:
                    self.in_background("beside", partial(read, paths), graphs.compare)
                else:
                    graphs.compare(None)

        def ask(studies: dict[str, str]) -> None:
            if studies:
                self.app.push_screen(ChooseStudies(studies), chosen)
            else:
                self.notify("There are no other studies.")

        def others(progress: Any) -> dict[str, str]:
            found = [study for study in all_studies(runs_dir) if study.path != follower.folder.path]
            return listed(found[:MAX_NAMES])

        self.in_background("list", others, ask)

    def action_select(self) -> None:
        """Select trials by ranges of parameters, costs or the metric."""
        standing = self.standing
        if standing is None:
            return
        names = [*standing.plan.space.domains, *standing.plan.weighed, standing.plan.metric]
        short = {name: short_path(name) if "." in name else name for name in names}
        known = {**{short[name]: name for name in names}, **{name: name for name in names}}

        def check(text: str) -> dict[str, Any] | str:
            """The ranges, or what is wrong with them."""
            ranges: dict[str, Any] = {}
            for part in text.split():
                name, sign, domain = part.partition("=")
                if name not in known or not sign:
                    return f"'{part}': enter NAME=RANGE, with {', '.join(dict.fromkeys(short.values()))}"
                try:
                    ranges[known[name]] = parse_domain(domain)
                except (ValueError, TorchtuiError):
                    return f"'{domain}' is not a range such as 0.01..0.1 or 64,128"
            return ranges

        def chosen(ranges: dict[str, Any] | None) -> None:
            if ranges is not None:
                self.query_one(StudyView).graphs.select(ranges)

        self.app.push_screen(SelectTrials(check), chosen)

    def action_try_values(self) -> None:
        """Add a trial with values that are written down to the study."""
        standing, follower = self.standing, self._follower
        if standing is None or follower is None:
            return
        space = standing.plan.space
        shorts = [short_path(path) for path in space.domains]
        known = {
            name: path for name, path in zip(shorts, space.domains, strict=True) if shorts.count(name) == 1
        }

        def check(text: str) -> dict[str, Any] | str:
            try:
                return parse_point(space, text, known)
            except ConfigError as error:
                return error_in_app(error).removeprefix("try: ")

        def added(number: int) -> None:
            then = "" if standing.active else "; press r to train it"
            self.notify(f"trial {number} was added{then}")
            self.look()

        def asked(point: dict[str, Any] | None) -> None:
            if point is None:
                return

            def add(progress: Any) -> int:
                from core.tuning.study.priors import add_trial

                return add_trial(follower.study, point)

            self.in_background("add", add, added)

        self.app.push_screen(TryValues(check), asked)

    def possible(self) -> frozenset[str]:
        found = set(super().possible())
        standing = self.standing
        if standing is None:
            return frozenset(found)
        found |= {"hide", "graph", "select", "beside"}
        if standing.plan.method != "grid":
            found.add("try_values")
        if standing.best is not None and not standing.active:
            found.add("confirm")
        if self.selected is not None:
            found |= {"longer", "copy_trial"}
        return frozenset(found)
