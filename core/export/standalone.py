"""One Python file that needs none of our packages: modules of ours that it imports are written into it."""

import ast
import importlib
from pathlib import Path

__all__ = ["standalone"]


def standalone(path: Path) -> str:
    """Return the source of a script with each ``from core.x import y`` replaced by the source of that module, once.

    The modules import the standard library and each other alone, and their names do not collide.
    """
    return _joined(path, set(), inner=False)


def _joined(path: Path, included: set[str], *, inner: bool) -> str:
    """The source of a file with modules of ours in place of their imports; inner ones lose what says what they are."""
    text = path.read_text(encoding="utf-8")
    lines, nodes = text.splitlines(), ast.parse(text).body
    joined: list[str] = []
    at = 0
    for node in nodes:
        ours = isinstance(node, ast.ImportFrom) and (node.module or "").startswith("core.")
        names = [target.id for target in getattr(node, "targets", []) if isinstance(target, ast.Name)]
        if not ours and not (inner and (node is nodes[0] or names == ["__all__"])):
            continue
        joined += lines[at : node.lineno - 1]
        at = node.end_lineno or node.lineno
        module = node.module if isinstance(node, ast.ImportFrom) else None
        if module is not None and ours and module not in included:
            included.add(module)
            source = Path(str(importlib.import_module(module).__file__))
            joined += ["", _joined(source, included, inner=True).strip(), ""]
    return "\n".join([*joined, *lines[at:]]) + "\n"
