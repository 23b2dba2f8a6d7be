"""The modules of the product and their syntax trees, parsed once for all tests that read them."""

import ast
from functools import cache

from tests.support.repository import REPOSITORY

__all__ = ["dotted", "is_own", "nodes", "sources", "trees"]


@cache
def sources() -> dict[str, str]:
    """Return the text of every module of `core` and `tui` by its path."""
    files = [file for folder in ("core", "tui") for file in sorted((REPOSITORY / folder).rglob("*.py"))]
    assert len(files) > 300
    return {str(file.relative_to(REPOSITORY)): file.read_text("utf-8") for file in files}


@cache
def trees() -> dict[str, ast.Module]:
    """Return the syntax tree of every module by its path."""
    return {path: ast.parse(text) for path, text in sources().items()}


@cache
def nodes(tree: ast.Module) -> list[ast.AST]:
    """Return all nodes of the tree of a module."""
    return list(ast.walk(tree))


def dotted(node: ast.expr) -> str:
    """Return a name and its attributes, such as ``np.load``; empty for other expressions."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def is_own(receiver: ast.expr) -> bool:
    """Tell whether an expression is ``self``, ``cls`` or ``super()``."""
    match receiver:
        case ast.Name(id="self" | "cls") | ast.Call(func=ast.Name(id="super"), args=[], keywords=[]):
            return True
    return False
