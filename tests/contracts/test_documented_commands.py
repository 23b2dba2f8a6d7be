"""Every command in README and docs: those marked ``<!-- run -->`` are run, the options of all others are looked up."""

import glob
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tui.cli import Commands
from tui.cli.lazy import _load

REPOSITORY = Path(__file__).parent.parent.parent
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
MARK = "<!-- run -->"
GROUP = {"--runs", "--data-root", "--version", "--install-completion", "--show-completion", "--help", "-h"}


def blocks(page):
    """Code blocks, indented or fenced: whether each is marked to be run, and its lines."""
    text = page.read_text(encoding="utf-8")
    pattern = r"(<!-- run -->\n+)?(?:```\w*\n(.*?)```|((?:^ {4}[^\n]*\n?)+))"
    for marked, fenced, indented in re.findall(pattern, text, flags=re.M | re.S):
        lines = (fenced or re.sub(r"^ {4}", "", indented, flags=re.M)).splitlines()
        yield bool(marked), lines


def commands(page, marked):
    """The `tui` lines of those blocks, as lists of words."""
    for is_marked, lines in blocks(page):
        if is_marked == marked:
            for line in lines:
                if line.startswith("tui"):
                    yield line


def known_options(command):
    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_of_a_page_is_there(page):
    for line in [*commands(page, marked=False), *commands(page, marked=True)]:
        words = shlex.split(re.split(r"\s{2,}", line)[0], comments=True)[1:]
        if words[:1] and words[0] in Commands.COMMANDS:
            allowed = known_options(_load(Commands.COMMANDS[words[0]][0])) | GROUP
        else:
            assert not words or words[0].startswith("-") or words[0][0] in "[|", f"no command in: {line}"
            allowed = GROUP
        used = {word.partition("=")[0] for word in words[1:] if re.match(r"--?[a-z]", word)}
        assert used <= allowed, f"{line}: no option {used - allowed}"


def test_there_are_commands_to_run():
    """The marks are found: a typing error in one must not silently leave its block out."""
    text = (REPOSITORY / "docs" / "tutorial.md").read_text()
    assert text.count(MARK) == sum(marked for marked, _ in blocks(REPOSITORY / "docs" / "tutorial.md")) > 8
    assert {line.split()[1] for line in commands(REPOSITORY / "docs" / "tutorial.md", marked=True)} > {
        "train",
        "tune",
        "evaluate",
        "compare",
        "report",
        "export",
    }


RUNNER = """
import glob, io, shlex, sys, contextlib
from tui.cli import main
for line in sys.stdin.read().splitlines():
    words = [found for word in shlex.split(line) for found in (sorted(glob.glob(word)) or [word])]
    sys.argv = words
    said = io.StringIO()
    code = 0
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    print(f"{code} {len(said.getvalue())} {line}", flush=True)
    if code:
        sys.exit(said.getvalue())
"""


@pytest.mark.parametrize(
    "page", [page for page in PAGES if MARK in page.read_text()], ids=lambda page: page.name
)
def test_the_marked_commands_of_a_page_work_one_after_the_other(page, tmp_path, vision_root):
    """In one process, since each new one would load PyTorch again; in an empty folder, as a reader has it."""
    lines = list(commands(page, marked=True))
    answer = subprocess.run(
        [sys.executable, "-c", RUNNER],
        input="\n".join(lines),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "TUI_DATA": str(vision_root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    done = answer.stdout.splitlines()
    assert len(done) == len(lines)
    assert glob.glob(str(tmp_path / "runs" / "*"))
