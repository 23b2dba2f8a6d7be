"""Runs being compared: chosen in Runs or in Compare, shown in both."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.palette import MAX_MEMBERS, MAX_RUNS

if TYPE_CHECKING:
    from core.runs.folder import Run

__all__ = ["ComparedRuns", "marks"]


@dataclass
class ComparedRuns:
    """A run keeps its slot, and so its sign and colour, as long as it is compared; seeds of a configuration share one.

    Attributes:
        slots: of each run, in the order in which they were added: the lowest number that was free.
        keys: of each run whose configuration others may share, see `core.runs.comparison.groups.key_of`.
        pinned: the reference for the other runs; `clear` keeps it.
        touched: whether the user has chosen runs; until then the screen chooses.
        beyond: marked in Runs, where there is no room in the chart; what is done with all marks is done with them, too.
    """

    slots: "dict[Run, int]" = field(default_factory=dict)
    keys: "dict[Run, str]" = field(default_factory=dict)
    pinned: "Run | None" = None
    touched: bool = False
    beyond: "list[Run]" = field(default_factory=list)

    @property
    def marked(self) -> "list[Run]":
        """The runs that the user has marked."""
        return [*self.slots, *self.beyond] if self.touched else []

    def add(self, run: "Run", key: str = "") -> bool:
        """Add a run; return False if there is no room."""
        if run in self.slots:
            return True
        shared = [slot for other, slot in self.slots.items() if key and self.keys.get(other) == key]
        free = [*shared, *sorted({*range(MAX_RUNS)} - {*self.slots.values()})]
        if not free or len(self.slots) >= MAX_MEMBERS:
            return False
        self.slots[run] = free[0]
        self.keys[run] = key
        return True

    def remove(self, run: "Run") -> None:
        """Remove a run."""
        self.slots.pop(run, None)
        self.beyond = [other for other in self.beyond if other != run]
        self.keys.pop(run, None)
        self.pinned = None if self.pinned == run else self.pinned

    def toggle(self, run: "Run", key: str = "") -> bool:
        """Add a run, or remove it; return False if there is no room."""
        self.touched = True
        if run in self.slots:
            self.remove(run)
            return True
        return self.add(run, key)

    def pin(self, run: "Run") -> None:
        """Pin this run as the reference, or unpin it."""
        self.touched = True
        self.pinned = None if self.pinned == run else run

    def clear(self) -> None:
        """Remove all runs except the pinned one."""
        self.touched = True
        self.beyond = []
        self.slots = {run: slot for run, slot in self.slots.items() if run == self.pinned}
        self.keys = {run: key for run, key in self.keys.items() if run in self.slots}


def marks(compared: ComparedRuns) -> "dict[Run, int]":
    """Return the marker of each compared run, for a table of runs; -1 for one that the chart has no room for."""
    return {**dict.fromkeys(compared.beyond, -1), **compared.slots}
