"""A chart as a file."""

import pytest

from tui.charts.explore.saving import chart_file
from tui.charts.plot_chart import Chart, Mark, Series

CHART = Chart(
    (Series("train", [1, 2, 3], [3.0, 2.0, 1.0], (86, 180, 233)), Series("", [1, 3], [2.0, 2.0])),
    marks=(Mark(3.0, 1.0, "★", (240, 228, 66), "best"),),
    x_label="epoch",
    x_range=(1.0, None),
    x_integer=True,
    log_y=True,
    cross=2.0,
)


def test_text_is_what_the_screen_shows() -> None:
    text = chart_file(CHART, "loss\n", ".txt").decode()
    assert text.startswith("loss⏎  ")
    assert "train" in text
    assert "epoch 2" in text
    assert "★" in text


@pytest.mark.slow
@pytest.mark.parametrize(("ending", "start"), [(".svg", b"<?xml"), (".png", b"\x89PNG")])
def test_pictures_have_the_title_and_the_names(ending: str, start: bytes) -> None:
    pytest.importorskip("matplotlib")
    content = chart_file(CHART, "loss <of> $x$", ending)
    assert content.startswith(start)
    if ending == ".svg":
        assert b"loss &lt;of&gt; $x$" in content
        assert b"epoch" in content
        assert b">1.5<" not in content, "epochs are whole numbers"
