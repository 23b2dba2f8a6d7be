"""Runs and studies choose their headless views by one rule, and show what they have in common alike."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from core.events import Notice
from core.tuning.study.records import StudyNotice
from tui.headless import study_views, train_views


@pytest.mark.parametrize("choose", [train_views.choose_view, study_views.choose_study_view])
@pytest.mark.parametrize(
    ("as_json", "quiet", "on_terminal", "term", "expected"),
    [
        (True, False, True, "xterm", "JsonView"),
        (True, True, True, "xterm", "JsonView"),
        (False, True, True, "xterm", "QuietView"),
        (False, False, True, "xterm", "ProgressView"),
        (False, False, True, "dumb", "PlainView"),
        (False, False, False, "xterm", "PlainView"),
    ],
)
def test_a_view_is_chosen(
    monkeypatch: pytest.MonkeyPatch,
    choose: Callable[..., object],
    as_json: bool,
    quiet: bool,
    on_terminal: bool,
    term: str,
    expected: str,
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: on_terminal)
    assert type(choose(as_json=as_json, quiet=quiet)).__name__ == expected


VIEWS: tuple[tuple[Any, type], ...] = ((train_views, Notice), (study_views, StudyNotice))


@pytest.mark.parametrize("name", ["PlainView", "ProgressView"])
def test_messages_look_alike(capsys: pytest.CaptureFixture[str], name: str) -> None:
    shown = []
    for module, kind in VIEWS:
        getattr(module, name)().show(kind(level="warning", message="the disk\x1b[31m is full"))
        shown.append(capsys.readouterr().out)
    assert shown == ["warning: the disk␛[31m is full\n"] * 2


@pytest.mark.parametrize("module", [train_views, study_views])
def test_a_preparation_is_a_line_in_a_log_and_nothing_when_quiet(
    capsys: pytest.CaptureFixture[str], module: Any
) -> None:
    view = module.PlainView()
    for what, done in (("downloading", 0), ("downloading", 1), ("unpacking", 0)):
        view.preparing(what, done, 2)
    assert capsys.readouterr().out == "downloading\nunpacking\n"
    module.QuietView().preparing("downloading", 0, 2)
    module.JsonView().preparing("downloading", 0, 2)
    assert capsys.readouterr() == ("", "")
