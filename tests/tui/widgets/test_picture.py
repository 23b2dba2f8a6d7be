"""Pictures in half blocks: proportions, colours, what is left without colour; and what a terminal says of itself."""

import base64
import io
import os
import re
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pexpect
import pytest
from PIL import Image
from textual.app import App, ComposeResult
from textual.strip import Strip

from core.errors import InputError
from tests.support.repository import REPOSITORY
from tests.support.screen import background, foreground
from tui.terminal import graphics
from tui.widgets.picture import Picture, fitted

RAMP = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4


class OnePicture(App[None]):
    CSS = "Picture { width: 20; height: 5; }"

    def compose(self) -> ComposeResult:
        yield Picture()

    def lines(self) -> list[Strip]:
        picture = self.query_one(Picture)
        return [picture.render_line(y) for y in range(picture.size.height)]


@pytest.mark.parametrize(
    ("shape", "columns", "rows", "expected"),
    [
        ((8, 8), 40, 4, (8, 8)),  # one pixel a half cell
        ((8, 8), 40, 8, (16, 16)),
        ((8, 8), 17, 100, (16, 16)),
        ((28, 28), 80, 7, (14, 14)),
        ((28, 28), 13, 50, (10, 10)),
        ((5, 9), 9, 3, (5, 9)),
        ((5, 9), 8, 3, (3, 5)),
        ((1, 1), 1, 1, (1, 1)),
        ((300, 100), 1, 1, (2, 1)),
    ],
)
@pytest.mark.parametrize("channels", [(), (3,)])
def test_a_picture_keeps_its_proportions_in_the_room_there_is(
    shape: tuple[int, int], columns: int, rows: int, expected: tuple[int, int], channels: tuple[int, ...]
) -> None:
    made = fitted(np.full(shape + channels, 200, dtype=np.uint8), columns, rows)
    assert made.shape == expected + channels
    assert made.shape[1] <= columns
    assert made.shape[0] <= 2 * rows
    assert (made == 200).all()


def test_pixels_are_repeated_or_averaged() -> None:
    small = np.array([[0, 100], [200, 50]], dtype=np.uint8)
    np.testing.assert_array_equal(fitted(small, 4, 2), small.repeat(2, axis=0).repeat(2, axis=1))
    np.testing.assert_array_equal(fitted(small, 1, 1), [[88]])


async def test_two_pixels_share_a_cell() -> None:
    app = OnePicture()
    async with app.run_test() as pilot:
        app.query_one(Picture).show(RAMP)
        await pilot.pause()
        first = [segment for segment in app.lines()[0] if segment.text.startswith("▀")]
        assert len(first) == 8
        assert [foreground(segment).red for segment in first] == RAMP[0].tolist()
        assert [background(segment).red for segment in first] == RAMP[1].tolist()
        assert [line.text.strip() for line in app.lines()] == ["▀" * 8] * 4 + [""]
        app.query_one(Picture).show(np.zeros((3, 2, 3), dtype=np.uint8))
        assert [line.text.strip() for line in app.lines()] == ["▀" * 6] * 4 + ["▀" * 6]
        app.query_one(Picture).show(None)
        assert not "".join(line.text for line in app.lines()).strip()


async def test_without_colour_brightness_is_density(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = OnePicture()
    async with app.run_test() as pilot:
        app.query_one(Picture).show(np.array([[0, 60, 110, 160, 255]] * 2, dtype=np.uint8))
        await pilot.pause()
        row = app.lines()[0].text.rstrip()
        assert [row[place] for place in (0, 4, 8, 12, 16)] == [" ", "░", "▒", "▓", "█"]


ASKING = """
import tui.terminal.graphics as graphics
graphics.ANSWER_SECONDS = {patience}
graphics.ask_for_graphics()
widget = graphics.image_widget
print("widget", getattr(widget, "__name__", None), "from", getattr(widget, "__module__", ""))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "widget"),
    [
        (b"\x1b_Gi=31;OK\x1b\\\x1b[?62;c", "TGPImage from textual_image.widget"),
        (b"\x1b[?62;4;22c", "Image from textual_image.widget.sixel"),
        (b"\x1b_Gi=31;OK\x1b\\\x1b[?62;4c", "Image from textual_image.widget.sixel"),
        (b"\x1b[?1;2c", "None from "),
        (b"\x1b_Gi=31;ENOTSUPPORTED\x1b\\\x1b[?62;14c", "None from "),
    ],
    ids=["kitty", "sixel", "both", "neither", "refused"],
)
def test_the_terminal_is_asked_once_what_it_can_show(answer: bytes, widget: str) -> None:
    process = pexpect.spawn(
        sys.executable,
        ["-c", ASKING.format(patience=60)],
        cwd=str(REPOSITORY),
        env={"TERM": "xterm-256color", "PATH": "/usr/bin:/bin", "PYTHONPATH": str(REPOSITORY)},
        timeout=600,
    )
    process.delaybeforesend = None
    process.expect_exact(b"\x1b[c")
    process.send(answer)
    process.expect_exact(f"widget {widget}".encode())
    process.expect(pexpect.EOF)
    assert b"\x1b[c" not in process.before, "asked again"
    process.close()
    assert process.exitstatus == 0


def test_without_the_package_for_graphics_there_are_half_blocks() -> None:
    """It has a licence with duties, and may be left out: nothing but the pictures changes."""
    process = pexpect.spawn(
        sys.executable,
        ["-c", "import sys; sys.modules['textual_image'] = None\n" + ASKING.format(patience=60)],
        cwd=str(REPOSITORY),
        env={"TERM": "xterm-256color", "PATH": "/usr/bin:/bin", "PYTHONPATH": str(REPOSITORY)},
        timeout=600,
    )
    process.delaybeforesend = None
    process.expect_exact(b"\x1b[c")
    process.send(b"\x1b_Gi=31;OK\x1b\\\x1b[?62;4c")
    process.expect_exact(b"widget None")
    process.expect(pexpect.EOF)
    process.close()
    assert process.exitstatus == 0


def test_a_terminal_that_keeps_silent_gets_half_blocks() -> None:
    process = pexpect.spawn(
        sys.executable,
        ["-c", ASKING.format(patience=0.05)],
        cwd=str(REPOSITORY),
        env={"TERM": "xterm", "PATH": "/usr/bin:/bin"},
        timeout=600,
    )
    process.expect_exact(b"widget None")


def test_where_there_is_no_terminal_nothing_is_asked() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", ASKING.format(patience=60)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.startswith("widget None")


@pytest.mark.parametrize(
    ("settings", "asked", "used"),
    [
        ({"TUI_GRAPHICS": "blocks"}, False, []),
        ({"TUI_GRAPHICS": "kitty"}, False, [False]),
        ({"TUI_GRAPHICS": "Sixel"}, False, [True]),
        ({"TUI_GRAPHICS": "kitty", "NO_COLOR": "1"}, False, []),
        ({"TUI_GRAPHICS": "kitty", "TMUX": "/tmp/tmux"}, True, []),
        ({"TUI_GRAPHICS": "sixel", "TERM": "screen.xterm"}, True, []),
        ({}, True, []),
    ],
)
def test_a_setting_decides_but_not_inside_tmux(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], asked: bool, used: list[bool]
) -> None:
    for name in ("TUI_GRAPHICS", "TMUX", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"TERM": "xterm"} | settings).items():
        monkeypatch.setenv(name, value)
    terminal = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    monkeypatch.setattr(sys, "stdout", terminal)
    questions, found = list[Any](), list[bool]()

    def answer(meanwhile: Any) -> bytes:
        questions.append(meanwhile)
        return b"\x1b[?1;2c"

    monkeypatch.setattr(graphics, "_ask", answer)
    monkeypatch.setattr(graphics, "_use", lambda *, sixel: found.append(sixel))
    graphics.ask_for_graphics()
    assert (bool(questions), found) == (asked, used)


def test_a_setting_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_GRAPHICS", "pixels")
    with pytest.raises(InputError, match="It takes blocks, kitty, sixel"):
        graphics.ask_for_graphics()


async def sent(monkeypatch: pytest.MonkeyPatch, *, sixel: bool) -> tuple[str, list[Strip]]:
    """Return what is written past the screen, and the lines of the screen, of a picture of 8x8 in cells of 10x20."""
    terminal = io.StringIO()
    monkeypatch.setenv("COLORTERM", "")
    monkeypatch.setattr(graphics, "image_widget", None)
    graphics._use(sixel=sixel)
    assert (os.environ["COLORTERM"] == "truecolor") is not sixel
    monkeypatch.setattr(sys, "__stdout__", terminal)
    app = OnePicture()
    async with app.run_test() as pilot:
        app.query_one(Picture).show(RAMP)
        await pilot.pause()
        await pilot.pause()
        lines = app.screen._compositor.render_strips()[:5]
    return terminal.getvalue(), lines


def blocks(pixels: np.ndarray) -> np.ndarray:
    """Return the middle of each of 8x8 equal squares."""
    height, width = pixels.shape[0] // 8, pixels.shape[1] // 8
    middles: np.ndarray = pixels[height // 2 :: height, width // 2 :: width]
    return middles


async def test_kittys_protocol_carries_the_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """https://sw.kovidgoyal.net/kitty/graphics-protocol: sent in chunks, and placed by placeholders."""
    written, lines = await sent(monkeypatch, sixel=False)
    messages = [
        (dict(pair.split("=") for pair in control.split(",")), payload)
        for control, payload in re.findall(r"\x1b_G([^;\x1b]*);?([^\x1b]*)\x1b\\", written)
    ]
    data = [(keys, payload) for keys, payload in messages if payload]
    assert all(len(payload) <= 4096 for _, payload in data)
    assert [keys["m"] for keys, _ in data] == ["1"] * (len(data) - 1) + ["0"]
    assert data[0][0]["f"] == "100"
    with Image.open(io.BytesIO(base64.b64decode("".join(payload for _, payload in data)))) as opened:
        pixels = np.asarray(opened.convert("L")).astype(int)
    assert np.abs(blocks(pixels) - RAMP).max() <= 2
    placed = next(keys for keys, _ in messages if keys.get("a") == "p")
    assert (placed["U"], placed["c"], placed["r"], placed["i"]) == ("1", "8", "4", data[0][0]["i"])
    cells = [segment for segment in lines[2] if "\U0010eeee" in segment.text]
    row, column = "\u0305\u030d\u030e\u0310"[2], "\u0305\u030d\u030e"  # the first of kitty's diacritics
    text = "".join(segment.text for segment in cells)
    assert text.count("\U0010eeee") == 8
    assert [text[at + 1 : at + 3] for at in (0, 4, 8)] == [row + each for each in column]
    color = foreground(cells[0])
    assert (color.red << 16 | color.green << 8 | color.blue) == int(placed["i"]) & 0xFFFFFF


async def test_sixels_carry_the_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """https://vt100.net/docs/vt3xx-gp/chapter14.html: bands of six rows, colours in per cent."""
    _, lines = await sent(monkeypatch, sixel=True)
    found = re.search(
        r"\x1bP[\d;]*q(.*?)\x1b\\", "".join(segment.text for line in lines for segment in line), re.S
    )
    assert found is not None
    pixels = sixel_pixels(found[1])
    assert pixels.shape == (80, 80)
    assert np.abs(blocks(pixels) - RAMP).max() <= 4  # of 256 colours, in steps of a hundredth


def sixel_pixels(text: str) -> np.ndarray:
    """Draw sixels of greys."""
    size = re.match(r'"1;1;(\d+);(\d+)', text)
    assert size is not None
    width, height = map(int, size.groups())
    pixels, colors = np.full((height + 6, width), -1.0), dict[str, float]()
    x = y = 0
    color = 0.0
    for number, share, repeat, sixel in re.findall(
        r"#(\d+)(?:;2;(\d+);\d+;\d+)?|(?:!(\d+))?([-$?-~])", text[size.end() :]
    ):
        if number:
            color = colors.setdefault(number, float(share or 0) * 2.55)
        elif sixel == "$":
            x = 0
        elif sixel == "-":
            x, y = 0, y + 6
        else:
            rows = [y + bit for bit in range(6) if ord(sixel) - 63 >> bit & 1]
            pixels[rows, x : x + int(repeat or 1)] = color
            x += int(repeat or 1)
    assert (pixels[:height] >= 0).all()
    assert (pixels[height:] == -1).all()
    return pixels[:height]
