"""Pre-flight of a prepared run."""

import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from core.determinism import deterministic
from core.events import Notice
from core.ranks import ONE_RANK, Ranks
from core.session.preflight.batches import smallest_part
from core.session.preflight.data import class_order
from core.session.preflight.finding import Finding, first_error, notices
from core.session.preflight.network import hidden_weights
from core.session.preflight.steps import steps
from core.session.preflight.surroundings import kept_surroundings
from core.training.forward_pass import tensor_cores
from core.user_code.loading import references

if TYPE_CHECKING:
    from core.session.preparation import Prepared

__all__ = ["is_needed", "passed", "preflight"]


def is_needed(prepared: "Prepared", ranks: Ranks = ONE_RANK) -> bool:
    """Return whether a run is tried out: the networks and data sets that are shipped are known to work.

    What they may not know is a batch of one sample, which some normalisations reject.
    """
    config = prepared.config
    if not config.training.preflight:
        return False
    own = bool(references(config)) or not config.model.STATIC
    return own or smallest_part(config, len(prepared.data.train), ranks) == 1


def preflight(prepared: "Prepared", ranks: Ranks = ONE_RANK) -> list[Finding]:
    """Try what a run will do, on a copy of its network, and return what was found; nothing changes.

    Args:
        ranks: of each batch this process gets its share alone.
    """
    settings = prepared.config.training
    with (
        kept_surroundings(prepared.model, prepared.device),
        deterministic(settings.deterministic),
        tensor_cores(settings.precision),
    ):
        return list(_timed(chain(_still(prepared), steps(prepared, ranks))))


def passed(prepared: "Prepared", ranks: Ranks = ONE_RANK) -> list[Notice]:
    """Try a run, and return what its log is to say.

    Raises:
        TorchtuiError: the run would fail.
    """
    began = time.perf_counter()
    findings = preflight(prepared, ranks)
    error = first_error(findings)
    if error is not None:
        raise error
    return notices(findings, time.perf_counter() - began)


def _still(prepared: "Prepared") -> Iterator[Finding]:
    """Yield what shows without calling the network."""
    yield hidden_weights(prepared)
    found = class_order(prepared)
    if found is not None:
        yield found


def _timed(findings: Iterator[Finding]) -> Iterator[Finding]:
    began = time.perf_counter()
    for finding in findings:
        now = time.perf_counter()
        yield replace(finding, seconds=now - began)
        began = now
