"""All commands of `tui`, one module each, which is imported when its command is called."""

import typer

from tui.cli.app import opens_app
from tui.cli.lazy import LazyGroup

__all__ = ["Commands", "app"]


class Commands(LazyGroup):
    """All commands, in the groups and the order of ``tui --help``."""

    PANELS = {
        "Train": {
            "train": ("tui.cli.commands.train:train", "Train a model and evaluate it."),
            "tune": ("tui.cli.commands.tuning.tune:app", "Search for good hyper-parameters."),
            "queue": (
                "tui.cli.commands.queue:app",
                "List what waits for a free device, what runs, and what has ended; or add, move, remove, stop, pause.",
            ),
            "lr-find": (
                "tui.cli.commands.find:lr_find",
                "Find a learning rate: train a copy while the rate grows, and see where the loss falls fastest.",
            ),
            "batch-find": (
                "tui.cli.commands.find:batch_find",
                "Find a batch size: double it until memory runs out, and measure the speed of each.",
            ),
            "profile": (
                "tui.cli.commands.machine.profile:profile",
                "Show where the time and the memory of a training go, and which settings would make it faster.",
            ),
        },
        "Inspect runs": {
            "evaluate": ("tui.cli.commands.evaluate:evaluate", "Evaluate a run with its best weights."),
            "compare": (
                "tui.cli.commands.compare:compare",
                "Compare runs: final metrics with intervals, settings that differ, one curve for all.",
            ),
            "calibrate": (
                "tui.cli.commands.calibrate:calibrate",
                "Make probabilities mean what they say, by a temperature fitted on validation.",
            ),
            "threshold": (
                "tui.cli.commands.threshold:threshold",
                "Choose on validation from which score on a sample counts as the positive class.",
            ),
            "explain": (
                "tui.cli.commands.explain:explain",
                "Show where a model fails: worst slices, columns that matter, targets that look wrong.",
            ),
            "runs": ("tui.cli.commands.runs.app:app", "List runs, or show one."),
            "watch": ("tui.cli.commands.watch:watch", "Follow a run live, whichever process is training it."),
            "stop": (
                "tui.cli.commands.watch:stop",
                "Ask the process that is training a run to save and stop.",
            ),
        },
        "Use a model or share a run": {
            "report": (
                "tui.cli.commands.report:report",
                "Write a self-contained HTML page: curves, evaluation, mistakes, configuration, comparison.",
            ),
            "export": (
                "tui.cli.commands.export:export",
                "Export a model with its preprocessing and class names, and check it on real samples.",
            ),
            "predict": (
                "tui.cli.commands.predict:predict",
                "Predict new samples with the best weights of a run.",
            ),
            "serve": ("tui.cli.commands.serve:serve", "Open the app in a browser."),
        },
        "Agents": {
            "mcp": (
                "tui.cli.agents.commands:mcp",
                "Serve tools to an agent (MCP): list, compare, start, stop, tune, within a budget.",
            ),
            "agents": (
                "tui.cli.agents.commands:agents",
                "Show what agents do, stop them, or allow them again.",
            ),
        },
        "Look up": {
            "datasets": (
                "tui.cli.commands.choices:datasets",
                "List the datasets with their fields and defaults.",
            ),
            "models": ("tui.cli.commands.choices:models", "List the models with their fields and defaults."),
            "losses": ("tui.cli.commands.choices:losses", "List the losses with their fields and defaults."),
            "optimizers": (
                "tui.cli.commands.choices:optimizers",
                "List the optimizers with their fields and defaults.",
            ),
            "schedules": (
                "tui.cli.commands.choices:schedules",
                "List the schedules with their fields and defaults.",
            ),
            "config": (
                "tui.cli.commands.config:config",
                "Print the configuration as YAML, with every default.",
            ),
            "doctor": (
                "tui.cli.commands.machine.doctor:doctor",
                "Check versions, devices, terminal and folders, and train briefly on each device.",
            ),
            "system": (
                "tui.cli.commands.machine.system:system",
                "Show this machine: CPU, memory, disk, GPUs, and the processes that use them most.",
            ),
        },
    }
    COMMANDS = {name: found for commands in PANELS.values() for name, found in commands.items()}


app = typer.Typer(
    cls=Commands,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.callback(invoke_without_command=True)(opens_app)
