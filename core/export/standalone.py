"""One Python file that needs none of our packages: modules of ours that it imports are written into it."""

import ast
import importlib
import re
from pathlib import Path

__all__ = ["standalone"]

OURS = re.compile(r"^from (core\.[\w.]+) import .+$", re.MULTILINE)


def standalone(path: Path) -> str:
    """Return the source of a script with each ``from core.x import y`` replaced by the source of that module.

    The modules import the standard library alone, and their names do not collide.
    """
    text = path.read_text(encoding="utf-8")
    return OURS.sub(lambda found: _inner(found[1]), text)


def _inner(module: str) -> str:
    """The source of a module without its docstring and its list of names."""
    source = Path(str(importlib.import_module(module).__file__)).read_text(encoding="utf-8")
    nodes = ast.parse(source).body
    lines = source.splitlines()
    for node in reversed(nodes):
        names = [target.id for target in getattr(node, "targets", []) if isinstance(target, ast.Name)]
        if node is nodes[0] or names == ["__all__"]:
            del lines[node.lineno - 1 : node.end_lineno]
    return "\n".join(lines).strip() + "\n\n"
