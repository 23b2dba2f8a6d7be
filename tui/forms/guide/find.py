"""Finding a field of a form by words."""

from collections.abc import Iterable, Sequence

from tui.forms.form_fields import FieldSpec
from tui.terminal.text import fit

__all__ = ["line_of", "matching"]

SECTION_CELLS, LABEL_CELLS = 12, 20


def line_of(spec: FieldSpec) -> str:
    """Return a field in one line: its section, its label, and what it is."""
    section = spec.path.partition(".")[0] if "." in spec.path else ""
    return f"{fit(section, SECTION_CELLS)}{fit(spec.label, LABEL_CELLS)}  {spec.about}"


def matching(specs: Sequence[FieldSpec], words: str) -> list[int]:
    """Return the places of fields that have all words, those first that have them in their label, path or choices.

    Args:
        words: parts of words, in any order; all fields if there are none.
    """
    wanted = words.lower().replace("_", " ").split()

    def rank(spec: FieldSpec) -> int | None:
        texts = (spec.label, _words(spec.path), _words(" ".join(map(str, spec.choices))), spec.about)
        if all(spec.label.lower().startswith(word) for word in wanted):
            return 0
        return next((place for place in range(1, 5) if _has(texts[:place], wanted)), None)

    ranked = [(found, place) for place, spec in enumerate(specs) if (found := rank(spec)) is not None]
    return [place for _, place in sorted(ranked)]


def _has(texts: Iterable[str], wanted: Iterable[str]) -> bool:
    text = " ".join(texts).lower()
    return all(word in text for word in wanted)


def _words(text: str) -> str:
    return text.replace("_", " ").replace(".", " ")
