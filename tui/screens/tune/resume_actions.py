"""Resuming a study: with its remaining trials, with more of them, or with other limits and ranges."""

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from core.data.dataset import Progress
from tui.screens.trust_prompt import with_consent
from tui.screens.tune.dialogs import AskNumber
from tui.screens.tune.resume_dialog import Resumed, ResumeDialog
from tui.screens.tune.study_actions import StudyActions, known_names
from tui.terminal.text import count

if TYPE_CHECKING:
    from tui.runtime.study_follower import Follower

__all__ = ["RESUME_ACTIONS", "ResumeActions"]

RESUME_ACTIONS = frozenset({"resume", "resume_with", "more"})


class ResumeActions(StudyActions):
    """Base of Tune that resumes studies in background processes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "resume", "resume", tooltip="Resume with the remaining trials"),
        Binding("R", "resume_with", "Resume with other limits or ranges", show=False),
        Binding("a", "more", "more", tooltip="Add trials to the study, and resume it"),
    ]

    def action_resume(self) -> None:
        """Resume with the remaining trials."""
        self._resume_with(None)

    def action_resume_with(self) -> None:
        """Resume with other limits, ranges or prior knowledge."""
        standing, follower, runs_dir = self.standing, self._follower, self.tui.runs_dir
        if standing is None or follower is None:
            return

        def asked(wanted: Resumed | None) -> None:
            if wanted is None:
                return

            def change(progress: Progress) -> "tuple[Follower, list[str]]":
                from core.tuning.starting import change_study
                from core.tuning.study.study import reopened
                from tui.runtime.study_follower import Follower

                study, lines = change_study(reopened(follower.study), runs_dir, wanted.changes)
                return Follower(runs_dir, str(study.folder.path), study.storage_url), lines

            def changed(found: "tuple[Follower, list[str]]") -> None:
                if found[1]:
                    self.notify("\n".join(found[1]), markup=False)
                self._resume_with(None, wanted.seconds)
                self.follow(found[0])

            self.in_background("change", change, changed)

        def ask(names: tuple[list[str], list[str]]) -> None:
            self.app.push_screen(ResumeDialog(standing.plan, *names), asked)

        self.in_background("names", lambda progress: known_names(runs_dir), ask)

    def action_more(self) -> None:
        """Add trials to the study, and resume it."""

        def asked(more: int | None) -> None:
            if more is not None and self.standing is not None:
                self._resume_with((self.standing.plan.trials or self.standing.done) + more)

        if self.standing is not None:
            self.app.push_screen(AskNumber("How many more trials?", "Resume", usual=10, least=1), asked)

    def _resume_with(self, trials: int | None, seconds: float | None = None) -> None:
        standing, given, data_root = self.standing, self.given, self.tui.data_root
        follower = self._follower
        if standing is None or follower is None:
            return
        if standing.plan.method == "grid" and standing.done >= standing.plan.space.grid_size():
            size = count(standing.plan.space.grid_size())
            self.notify(f"All {size} combinations of this grid have been tried.", severity="warning")
            return

        def launch(progress: Progress) -> list[str]:
            follower.study.go_on()
            return self.set_to_work(follower.study, given, data_root, seconds, trials)

        def agreed() -> None:
            self.in_background("start", launch, self.at_work)

        with_consent(self.app, standing.plan.space.base, agreed)

    def possible(self) -> frozenset[str]:
        found = super().possible()
        if self.standing is None or self.standing.active or self.standing.status == "pending":
            return found
        rest = set() if self.standing.status == "completed" else {"resume"}
        return found | rest | {"more", "resume_with"}
