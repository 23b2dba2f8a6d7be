"""Settings files of any content: what cannot be used has its default, which is reported."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.waiting import until
from tui.app.app import TuiApp
from tui.forms.form import fill, values_of
from tui.forms.search_form import default_search
from tui.runtime.settings import Settings, load_settings, save_settings


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "settings.json"
    monkeypatch.setenv("TUI_CONFIG", str(path))
    return path


def test_what_was_saved_is_loaded(file: Path) -> None:
    assert load_settings() == (Settings(), ""), "none are there yet"
    changed = Settings("nord", {"data": {"name": "iris"}}, "background")
    assert save_settings(changed) == ""
    assert load_settings() == (changed, "")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[1]",
        b'"text"',
        b"{",
        b"[" * 100_000,
        b'{"form": ' * 50_000,
        b"\x00" * 100,
    ],
)
def test_a_file_of_anything_gives_defaults_and_is_reported(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert load_settings() == (Settings(), f"{file} is damaged, defaults are used")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("theme", None),
        ("form", [1]),
        ("form", {"data": json.loads("[" * 500 + "]" * 500)}),
        ("run_in", 7),
        ("hosts", [1]),
    ],
)
def test_a_damaged_value_costs_only_itself(file: Path, key: str, value: Any) -> None:
    file.write_text(json.dumps({"theme": "nord", "run_in": "background", "foo": None} | {key: value}))
    loaded, problem = load_settings()
    assert problem == f"{file} is damaged, defaults are used for: {key}"
    assert getattr(loaded, key) == getattr(Settings(), key)
    assert loaded.theme == ("torchtui" if key == "theme" else "nord")


def test_a_folder_in_the_place_of_the_file_is_reported(file: Path) -> None:
    file.mkdir()
    loaded, problem = load_settings()
    assert loaded == Settings()
    assert problem.startswith(f"{file} cannot be read, defaults are used: ")


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(["mlp", "csv", "x.py:f"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=3) | st.sampled_from(["name", "path", "arguments", "lr"]), inner, max_size=3
        )
    ),
    max_leaves=5,
)
FORMS = st.dictionaries(
    st.sampled_from(["data", "model", "training", "optimizer", "foo"]), VALUES, max_size=4
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FORMS)
def test_any_form_that_is_loaded_can_be_shown(file: Path, form: dict[str, Any]) -> None:
    file.write_text(json.dumps({"form": form}))
    loaded, problem = load_settings()
    assert problem == ""
    texts, _ = fill(loaded.form)
    assert values_of(texts)
    assert default_search(loaded.form).ranges


@pytest.mark.slow
async def test_the_app_starts_and_says_what_was_damaged(file: Path, tmp_path: Path) -> None:
    file.write_text('{"theme": "no such theme\\u001b[31m", "run_in": 5}')
    app = TuiApp(runs_dir=tmp_path / "runs")
    async with app.run_test(notifications=True) as pilot:
        await until(pilot, lambda: app.current_mode == "configure")
        (told,) = app._notifications
    assert told.message == f"{file} is damaged, defaults are used for: run_in"
    assert told.severity == "warning"
