"""`tui config`: the resolved configuration."""

from typing import Annotated, Any

import typer

from core.config import schema as configuration
from tui.cli.config_options import with_config

__all__ = ["config"]


@with_config
def config(
    values: dict[str, Any],
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema, for editors.")] = False,
) -> None:
    """Print the configuration as YAML, with every default.

    Save it, edit it, and give it back with --config.

    Example: tui config --data wine --optimizer adam > run.yaml
    """
    if schema:
        print(configuration.json_schema())
    else:
        print(configuration.to_yaml(configuration.from_dict(values)), end="")
