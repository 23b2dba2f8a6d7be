"""Windows that open over every screen: the palette, the help, an error, the table in sight, what agents do."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from tui.app.ordered_input import OrderedInput
from tui.app.palette import InOrder, Palette
from tui.screens.base import ModeScreen
from tui.screens.dialogs import ErrorDialog, HelpDialog

if TYPE_CHECKING:
    from core.interop.readers.following import ForeignLog
    from core.runs.folder import Run

__all__ = ["Windows"]


class Windows(OrderedInput):
    """Base of the app."""

    COMMANDS: ClassVar = {InOrder}
    runs_dir: Path

    def open_run(self, run: "Run | ForeignLog") -> None:
        """Show a run live."""
        raise NotImplementedError

    def action_agents(self) -> None:
        """Show what agents do in this folder of runs."""
        from core.runs.folder import Run, is_run
        from tui.screens.agents_dialog import AgentsDialog

        def open_it(name: str | None) -> None:
            if name and is_run(self.runs_dir / name):
                self.open_run(Run(self.runs_dir / name))

        if isinstance(self.screen, ModeScreen):
            self.push_screen(AgentsDialog(self.runs_dir), open_it)

    def action_table(self) -> None:
        """Save or copy the table that has the focus, or else the first one in sight."""
        from tui.screens.table_dialog import TableDialog
        from tui.terminal.table_text import Tabular

        screen = self.screen
        if not isinstance(screen, ModeScreen):
            return
        tables = [widget for widget in screen.query("*") if isinstance(widget, Tabular) and widget.region]
        table = screen.focused if isinstance(screen.focused, Tabular) else next(iter(tables), None)
        if table is None:
            self.notify("No table is shown here.", severity="warning")
        else:
            name = (table.id or "table").removesuffix("-table")
            self.push_screen(TableDialog(name, table.as_table()))

    def show_error(self, error: BaseException, trace: str = "") -> None:
        """Show an error in a dialog, with the traceback on demand."""
        if getattr(error, "candidates", ()):  # the form lists the columns to choose a target from
            self.switch_mode("configure")
            return
        self.push_screen(ErrorDialog(error, trace or getattr(error, "trace", "")))

    def action_command_palette(self) -> None:
        """Open the palette of commands."""
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())  # without an id: the one before may still be closing

    def action_help(self) -> None:
        """Explain what has the cursor; where there is nothing to say, show the purpose of this screen and its keys."""
        explanation = self.screen.explanation() if isinstance(self.screen, ModeScreen) else None
        if explanation is None:
            self.action_keys()
        else:
            from tui.screens.explain_dialog import ExplainDialog

            self.push_screen(ExplainDialog(explanation), lambda keys: self.action_keys() if keys else None)

    def action_keys(self) -> None:
        """Show the purpose of this screen and its keys."""
        if isinstance(self.screen, ModeScreen):
            self.push_screen(HelpDialog(self.screen))
