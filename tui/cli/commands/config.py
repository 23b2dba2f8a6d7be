"""`tui config`: the resolved configuration."""

from typing import Annotated, Any

import typer

from core.config import schema as configuration
from tui.cli.config_options import with_config
from tui.cli.json_option import JsonOption
from tui.headless.documents.envelope import print_document
from tui.runtime.streams import print_result

__all__ = ["config"]


@with_config
def config(
    values: dict[str, Any],
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema, for editors.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print the configuration as YAML, with every default.

    Save it, edit it, and give it back with --config.

    Example: tui config --data wine --optimizer adam > run.yaml
    """
    if schema:
        print_result(configuration.json_schema())
    elif as_json:
        from tui.headless.documents.looking_up import ConfigDocument

        print_document(ConfigDocument(config=configuration.to_dict(configuration.from_dict(values))))
    else:
        print(configuration.to_yaml(configuration.from_dict(values)), end="")
