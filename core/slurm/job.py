"""A job as Slurm describes it, and what its states mean."""

from dataclasses import dataclass

__all__ = ["FORGOTTEN", "SlurmJob"]

FORGOTTEN = "FORGOTTEN"
"""State, in our words, of a job that Slurm no longer knows."""
WAITING = frozenset({"PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "RESV_DEL_HOLD"})
AT_WORK = frozenset(
    {"CONFIGURING", "RUNNING", "SUSPENDED", "RESIZING", "SIGNALING", "STAGE_OUT", "STOPPED", "COMPLETING"}
)


@dataclass(frozen=True)
class SlurmJob:
    """One job, or one task of an array.

    Attributes:
        id: such as ``123``, or ``123_4`` of an array.
        state: in Slurm's words, such as ``PENDING``.
        reason: Slurm's word for why it waits or ended; may be ``None``, which is a word, too.
        start: seconds since 1970 when it started, or is expected to; 0 if unknown.
        nodes: where it runs or ran, such as ``node[1-2]``.
        elapsed, limit: seconds that it has run and may run; `limit` is 0 without one.
        ahead: how many jobs of its partition come before it; None if unknown.
        exit_code: ``code:signal``; empty if unknown.
    """

    id: str
    state: str
    reason: str = ""
    start: int = 0
    nodes: str = ""
    elapsed: int = 0
    limit: int = 0
    partition: str = ""
    ahead: int | None = None
    exit_code: str = ""

    @property
    def waits(self) -> bool:
        """Return True for a job in the queue."""
        return self.state.partition(" ")[0] in WAITING

    @property
    def runs(self) -> bool:
        """Return True for a job that has nodes."""
        return self.state.partition(" ")[0] in AT_WORK

    @property
    def was_withdrawn(self) -> bool:
        """Return True for a job that was cancelled before it had nodes: since it was submitted, or requeued."""
        return self.state.partition(" ")[0] == "CANCELLED" and not self.nodes and not self.elapsed

    @property
    def has_ended(self) -> bool:
        """Return True for a job that never runs again by itself."""
        return not (self.waits or self.runs)
