"""docs/licences.md lists every package of pyproject.toml, with the licence that the package declares."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata

from packaging.requirements import Requirement

from tests.support.repository import REPOSITORY

ROW = re.compile(r"^\| (?P<name>[\w-]+) \|(?: `\w+` \|)? (?P<licence>.+) \|$", re.MULTILINE)
COPYLEFT = re.compile(r"\bL?GPL|Lesser General Public|Mozilla Public|\bMPL", re.IGNORECASE)


def listed() -> dict[str, str]:
    page = (REPOSITORY / "docs" / "licences.md").read_text()
    return {
        row["name"].lower(): row["licence"]
        for row in ROW.finditer(page)
        if row["name"] not in ("package", "---")
    }


def named() -> set[str]:
    """Names of all packages that pyproject.toml asks for."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    return {Requirement(text).name.lower() for group in (project["dependencies"], *extras) for text in group}


def declared(name: str) -> str:
    """Licence as the installed package declares it; empty where it is not installed."""
    try:
        found = metadata(name)
    except PackageNotFoundError:
        return ""
    classifiers = [text for text in found.get_all("Classifier", []) if text.startswith("License")]
    texts = [*found.get_all("License-Expression", []), *found.get_all("License", [])]
    return " ".join([*(text[:60] for text in texts), *classifiers])


def test_every_package_is_listed() -> None:
    assert set(listed()) == named()


def test_what_has_a_reciprocal_licence_is_said_to() -> None:
    wrong = {
        name: (licence, declared(name))
        for name, licence in listed().items()
        if declared(name)
        and bool(COPYLEFT.search(declared(name))) != bool(COPYLEFT.search(licence.partition(";")[0]))
    }
    assert wrong == {}
