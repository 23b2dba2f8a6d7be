"""Every `tui` line of README and docs is run, page by page, by the wheel alone in a folder as a reader has it."""

import json
import os
import re
import runpy
import shlex
import shutil
import signal
import site
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest
from PIL import Image

from tests.support.made_once import made_once
from tests.support.narrow import some
from tests.support.own_data import write_masks
from tests.support.repository import REPOSITORY
from tests.support.terminal import Terminal
from tui.cli.commands.all import Commands
from tui.cli.lazy import _load

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
GROUP = {"--runs", "--data-root", "--version", "--install-completion", "--show-completion", "--help", "-h"}

FILLED_IN = {
    "RUN RUN ...": "runs/2*",
    "RUN OTHER": "latest latest",
    "[RUN ...]": "",
    "[RUN]": "latest",
    "RUN INPUT": "tables/* new.csv",
    "RUN": "latest",
    "--to F": "--to csv",
    "[options]": "--data iris",
    "[--json]": "--json",
    "https://hooks.example.org/xyz": "http://127.0.0.1:9/xyz",
    "'notify-send training'": "true",
    "tui serve": "tui serve --port 0",
    "~/tui.sock": "tui.sock",
}
"""What a reader puts in the place of words that stand for something."""

ELSEWHERE = {
    "<Tab>": "a key: test_completion.py",
    "--install-completion": "writes into the start-up files of the shell around it: typer's own",
    "model.pretrained=true": "a download: test_image_models.py serves one",
    "calibrate latest": "a run of classes: test_calibrate.py",
    "tui queue add": "starts a process that goes on: test_user_queue.py",
    "tui queue move": "needs what waits: test_queue_cli.py",
    "stop latest": "a run that goes on: test_cli_signals.py",
    "--processes 4": "processes that print by themselves: test_run_in.py",
    "--run-in slurm": "a cluster: test_slurm_jobs.py starts one",
    "tune --no-ui --processes": "takes long to start: test_group.py",
    "--executor slurm": "a cluster: test_slurm_jobs.py starts one",
}
"""Lines that cannot be run here, and what runs them, or why nothing does."""

SCREENS = {
    "tui": "Configure",
    "train": "epoch",
    "watch": "epoch",
    "serve": "/?token=",
}
"""What comes onto the terminal of commands that stay there."""


def lines(page: Path) -> Iterator[str]:
    """The lines of code blocks, indented or fenced, that begin with `tui`, without what explains them."""
    text = page.read_text(encoding="utf-8")
    for fenced, indented in re.findall(r"```\w*\n(.*?)```|((?:^ {4}[^\n]*\n?)+)", text, flags=re.M | re.S):
        for line in (fenced or re.sub(r"^ {4}", "", indented, flags=re.M)).splitlines():
            if re.match(r"tui( |$)", line):
                yield re.split(r"\s{2,}", line)[0]


def commands(page: Path) -> Iterator[str]:
    """Yield the lines that a reader types."""
    for line in lines(page):
        for words, typed in FILLED_IN.items():
            line = re.sub(rf"(?<!\S){re.escape(words)}(?!\S)", typed, line)
        first, *others = line.split(" | ")
        for command in [first, *(f"tui {name}" for name in others)]:
            if not any(part in command for part in ELSEWHERE):
                yield command


def screen_of(command: str) -> str:
    """Return the screen that a command shows and that stays on the terminal; empty for others."""
    name = [*command.split(), ""][1]
    return "" if "--no-ui" in command else SCREENS.get(name or "tui", "")


def known_options(command: click.Command) -> set[str]:
    own = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    return own.union(*map(known_options, getattr(command, "commands", {}).values()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_of_a_page_is_there(page: Path) -> None:
    for line in lines(page):
        words = shlex.split(line)[1:]
        if words[:1] and words[0] in Commands.COMMANDS:
            allowed = known_options(_load(Commands.COMMANDS[words[0]][0])) | GROUP
            if words[:2] == ["queue", "add"]:  # it takes a whole command
                allowed |= {*known_options(_load(Commands.COMMANDS["train"][0]))}
                allowed |= {*known_options(_load(Commands.COMMANDS["tune"][0]))}
        else:
            assert not words or words[0].startswith("-"), f"no command in: {line}"
            allowed = GROUP
        used = {word.partition("=")[0] for word in words[1:] if re.match(r"--?[a-z]", word)}
        assert used <= allowed, f"{line}: no option {used - allowed}"


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel in place of this folder; what the wheel needs is shared."""
    folder = made_once(tmp_path_factory, "wheel", install_wheel)
    python = folder / "venv" / "bin" / "python"
    where = subprocess.run(
        [python, "-c", "import tui, core; print(tui.__file__, core.__file__)"],
        env=surroundings(),
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert [Path(file).parent.parent for file in where] == [*(folder / "venv" / "lib").glob(PACKAGES)] * 2
    return python


PACKAGES = "python*/site-packages"


def install_wheel(folder: Path) -> None:
    """Build the wheel and an environment that has it."""
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(folder), str(REPOSITORY)], check=True)
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    (packages,) = (folder / "venv" / "lib").glob(PACKAGES)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(packages)]
    subprocess.run([*install, *map(str, folder.glob("*.whl"))], check=True)
    (packages / "shared.pth").write_text("\n".join(site.getsitepackages()))


def surroundings() -> dict[str, str]:
    """The environment without a path to this folder."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A reader's own files, by the names that the pages give them."""
    rows = [f"{n % 17},{('red', 'blue')[n % 2]},{n % 17 * 2 + 0.5}" for n in range(200)]
    table = "\n".join(["size,colour,price", *rows])
    (tmp_path / "my.csv").write_text(table)
    (tmp_path / "new.csv").write_text(table)
    (tmp_path / "run.yaml").write_text("data: wine\nmodel: mlp\ntraining: {epochs: 3}\n")
    (code,) = re.findall(
        r"(?: {4}[^\n]*\n|\n)*? {4}# mynet\.py\n((?: {4}[^\n]*\n|\n)+?)(?= {4}tui)",
        (REPOSITORY / "docs" / "own_models.md").read_text(),
    )
    (tmp_path / "mynet.py").write_text(re.sub(r"^ {4}", "", code, flags=re.M))
    pages = [(REPOSITORY / "docs" / name).read_text() for name in ("own_training.md", "own_models.md")]
    (losses,), (metrics,) = (
        re.findall(r"(?<= {4}# mine\.py\n)((?: {4}[^\n]*\n|\n)+?)(?= {4}tui|(?! {4}|\n))", page)
        for page in pages
    )
    (tmp_path / "mine.py").write_text(re.sub(r"^ {4}", "", losses + metrics, flags=re.M))
    (code,) = re.findall(
        r"(?<= {4}# vae\.py\n)((?: {4}[^\n]*\n|\n)+?)(?= {4}tui)",
        (REPOSITORY / "docs" / "own_steps.md").read_text(),
    )
    (tmp_path / "vae.py").write_text(re.sub(r"^ {4}", "", code, flags=re.M))
    write_pictures(tmp_path)
    for example in ("sensors", "reviews", "labels", "panels"):
        runpy.run_path(str(REPOSITORY / "examples" / f"{example}.py"))["write"](tmp_path, 120)
    bright = np.random.default_rng(0).integers(0, 256, (40, 16, 16)).astype(np.uint8)
    write_masks(tmp_path / "shapes", bright)
    shutil.copytree(REPOSITORY / "examples", tmp_path / "examples")
    log = tmp_path / "lightning_logs" / "version_0"
    log.mkdir(parents=True)
    (log / "metrics.csv").write_text(
        "epoch,step,train_loss,val_loss\n0,10,1.5,\n0,10,,1.25\n1,20,1.0,\n1,20,,0.75\n"
    )
    write_board(tmp_path / "tb_logs")
    detected = tmp_path / "runs" / "detect" / "train"
    detected.mkdir(parents=True)
    for folder in (tmp_path, detected):
        (folder / "results.csv").write_text("epoch, train/loss, val/loss\n1, 1.5, 1.25\n2, 1.0, 0.75\n")
    return tmp_path


def write_pictures(folder: Path) -> None:
    """Pictures and the table of their labels."""
    (folder / "train").mkdir()
    labels = ["id,label"]
    for number in range(60):
        Image.new("L", (8, 8), 40 + 150 * (number % 2)).save(folder / "train" / f"{number}.png")
        labels.append(f"{number}.png,{('dark', 'light')[number % 2]}")
    (folder / "train.csv").write_text("\n".join(labels))


def write_board(folder: Path) -> None:
    """A log of TensorBoard's."""
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder)) as board:
        for step in range(5):
            board.add_scalar("train/loss", 1 / (step + 1), step)
            board.add_scalar("validation/loss", 2 / (step + 1), step)


TYPIST = """
import contextlib, glob, io, json, os, shlex, sys
import sklearn.datasets, torch
from core.session.preload import load_backend
from tui.cli import main

def type_in(lines):
    answers = os.fdopen(os.dup(1), "w")  # with --json, all that is not a result goes to standard error from then on
    for line in lines:
        sys.argv = [found for word in shlex.split(line) for found in (sorted(glob.glob(word)) or [word])]
        said = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
        code = 0
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            try:
                main()
            except SystemExit as end:
                code = end.code or 0
        if code:
            sys.exit(f"{line}: exit code {code}\\n{said.buffer.getvalue().decode()}")
        print(line, file=answers, flush=True)
    sys.exit()

load_backend()
torch.optim.SGD([torch.zeros(1)])  # the first optimizer imports a large part of torch
for request in sys.stdin:
    folder, environment, lines = json.loads(request)
    if not (child := os.fork()):
        for number, name in enumerate([os.devnull, f"{folder}.out", f"{folder}.err"]):
            os.dup2(os.open(name, os.O_RDWR | os.O_CREAT), number)
        sys.stdin = open(os.devnull)
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        type_in(lines)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Runs lines in a fork of a process that has loaded PyTorch, one page after the other."""


@pytest.fixture(scope="session")
def typist(program: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process of the wheel that takes the lines of pages."""
    with subprocess.Popen(
        [program, "-c", TYPIST],
        cwd=program.parent,
        env=surroundings(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.communicate()


@pytest.mark.heavy
@pytest.mark.parametrize("page", [page for page in PAGES if any(commands(page))], ids=lambda page: page.name)
def test_the_commands_of_a_page_work_one_after_the_other(
    page: Path,
    program: Path,
    typist: "subprocess.Popen[str]",
    folder: Path,
    vision_root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    typed = list(commands(page))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setenv("TUI_DATA", str(vision_root))
    monkeypatch.setenv("TUI_RUNS", str(folder / "runs"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
    first = [f"tui train --no-ui --data my.csv --runs {runs} --epochs 2" for runs in ("tables", "runs")]
    headless = [*first, *(command for command in typed if not screen_of(command))]
    print(json.dumps([str(folder), dict(os.environ), headless]), file=typist.stdin, flush=True)
    code = int(some(typist.stdout).readline())
    told, errors = (Path(f"{folder}.{end}").read_text("utf-8") for end in ("out", "err"))
    assert code == 0, told + errors
    assert told.splitlines() == headless
    for command in typed:
        if shown := screen_of(command):
            window = Terminal(["-m", *shlex.split(command)], folder, 120, 40, python=program)
            try:
                window.wait_for(shown)
            finally:
                window.process.kill(signal.SIGKILL)  # a hang-up would hand the run over to another process
                window.end()
