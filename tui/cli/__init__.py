"""The command line: one module a command. What is heavy is imported inside the command that needs it."""

import os
import sys
from io import TextIOWrapper

import typer

from core.errors import TorchtuiError
from tui.cli import choices_, config, evaluate, predict, runs, train, watch
from tui.cli.app import opens_app

__all__ = ["app", "main"]

app = typer.Typer(
    help="From hyper-parameters to evaluation of PyTorch models in the terminal. Without a command it opens the app.",
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.callback(invoke_without_command=True)(opens_app)
app.command("train")(train.train)
app.command("config")(config.config)
app.command("evaluate")(evaluate.evaluate)
app.command("predict")(predict.predict)
app.add_typer(runs.app, name="runs")
app.command("watch")(watch.watch)
app.command("stop")(watch.stop)
for family in choices_.LISTED:
    app.command(family)(choices_.command(family))


def main() -> None:
    """Run the command line; exits with the documented code.

    0 completed, 1 failed or diverged, 2 wrong use or configuration, 130 after Ctrl-C, 143 after SIGTERM.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # rather a "?" than to fail where an encoding lacks a character
    try:
        app()
    except TorchtuiError as error:
        print(f"error: {_clean(str(error))}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # nobody reads: let the last flush succeed
        sys.exit(1)


def _clean(text: str) -> str:
    from tui.text import clean

    return clean(text)
