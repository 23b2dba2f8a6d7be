"""Remedies for errors, in the words of the command line and of the app."""

import shlex
from typing import Final

from core.errors import TorchtuiError
from core.remedies import Remedy
from tui.forms.flags import FLAGS

__all__ = ["app_words", "command_line_words", "error_in_app"]

COMMAND_LINE: Final = {
    "field": "{0}",
    "other_runs_dir": "another folder with --runs",
    "other_file": "another file with -o",
    "other_output": "another folder with -o",
    "other_data_root": "another folder with --data-root",
    "valid_config": "`tui config` prints a valid one",
    "list_keys": "`tui config` prints all keys",
    "list_runs": "`tui runs` lists the runs",
    "show_run": "`tui runs show {0}` reports what is wrong with it",
    "start_run": "Start one with `tui train --no-ui`",
    "start_study": "`tui tune --no-ui` starts one",
    "start_cluster": "`ray start --head` starts one",
    "resume": "Resume it with --resume from its last checkpoint",
    "resume_study": "then resume it with `tui tune --no-ui --resume {0}`",
    "watch": "Follow it with `tui watch`",
    "trust": "give --trust-code",
    "storage": "the --storage URL it was started with",
    "method": "--method random",
    "masks_folder": "Name a folder for them with --masks",
    "predictions_file": "Use --csv, or leave --masks out",
    "processes": "Use --processes {0}, or torchrun --nproc-per-node {0}",
}
APP: Final = {
    "setting": "{0}: {1}",
    "field": "{0}",
    "other_file": "another file",
    "other_output": "another folder for the export",
    "other_runs_dir": "another folder for the runs when you start the app (--runs)",
    "other_data_root": "another folder for the data when you start the app (--data-root)",
    "valid_config": "A preset saved in 2 Configure is a valid one",
    "list_keys": "2 Configure shows all fields",
    "list_runs": "1 Runs lists the runs",
    "show_run": "1 Runs shows what is wrong with it",
    "start_run": "Start one in 2 Configure",
    "start_study": "Start one in 5 Tune",
    "start_cluster": "`ray start --head` starts one",
    "resume": "Resume it in 1 Runs",
    "resume_study": "then resume it in 5 Tune",
    "watch": "Follow it from 1 Runs",
    "trust": "confirm when the app asks",
    "storage": "its --storage URL on the command line, or choose it with ctrl+o",
    "method": "the random method",
    "masks_folder": "Name a folder for them",
    "predictions_file": "Leave the folder for masks empty",
    "processes": "Use {0} processes",
}
FLAG_OF: Final = {path: flag for flag, path in FLAGS.items()}


def command_line_words(remedy: Remedy) -> str:
    """Word a remedy as something to type: a flag or a command."""
    if remedy.key == "setting":
        path, value = remedy.values
        return f"{FLAG_OF[path]} {value}" if path in FLAG_OF else f"--set {shlex.quote(f'{path}={value}')}"
    if remedy.key == "field":
        return FLAG_OF.get(remedy.values[0], remedy.values[0])
    return COMMAND_LINE[remedy.key].format(*remedy.values)


def app_words(remedy: Remedy) -> str:
    """Word a remedy as something to do on a screen."""
    return APP[remedy.key].format(*remedy.values)


def error_in_app(error: BaseException) -> str:
    """Return an error as one line for a screen."""
    return error.worded(app_words) if isinstance(error, TorchtuiError) else str(error)
