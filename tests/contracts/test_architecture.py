"""The page on the architecture names every folder, and nothing that is not there."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.repository import REPOSITORY

PAGE = REPOSITORY / "docs" / "architecture.md"
PATH = re.compile(r"(?<![\w./<-])(?:core|tui|tests|docs|benchmarks|examples)/[\w./-]*")


def packages() -> set[str]:
    """Return the folders of `core` and `tui` that hold modules."""
    modules = (file for name in ("core", "tui") for file in (REPOSITORY / name).rglob("*.py"))
    return {str(file.parent.relative_to(REPOSITORY)) for file in modules}


def folders_of_trees(text: str) -> Iterator[str]:
    """Yield the path of each folder in the indented trees of a page."""
    above: list[str] = []
    for indent, name in re.findall(r"^( *)(\w+)/ {2,}\S", text, flags=re.M):
        above[len(indent) // 2 :] = [name]
        yield "/".join(above)


def test_the_trees_are_those_on_disk() -> None:
    page = PAGE.read_text(encoding="utf-8")
    trees = page[page.index("## core") : page.index("## The path of a batch")]
    named = list(folders_of_trees(trees))
    assert len(named) == len(set(named))
    assert set(named) == packages()


def test_every_path_that_it_names_exists() -> None:
    page = PAGE.read_text(encoding="utf-8")
    paths = [path.rstrip(".") for path in PATH.findall(page)]
    assert len(paths) > 40
    assert [path for path in paths if not Path(REPOSITORY / path).exists()] == []


def test_it_stays_one_page() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 200
    assert max(map(len, lines)) <= 140


def test_no_folder_holds_more_than_twenty_modules() -> None:
    crowded = {name: len(list((REPOSITORY / name).glob("*.py"))) for name in packages()}
    assert {name: count for name, count in crowded.items() if count > 20} == {}
