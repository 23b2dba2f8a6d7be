"""Finding a field of a form by words."""

from collections.abc import Iterable, Sequence

from tui.forms.form_fields import FieldSpec

__all__ = ["matching"]


def matching(specs: Sequence[FieldSpec], words: str) -> list[FieldSpec]:
    """Return the fields that have all words, those first that have them in their label, then in path and choices.

    Args:
        words: parts of words, in any order; all fields if there are none.
    """
    wanted = words.lower().replace("_", " ").split()

    def rank(spec: FieldSpec) -> int | None:
        texts = (spec.label, _words(spec.path), _words(" ".join(map(str, spec.choices))), spec.about)
        if all(spec.label.lower().startswith(word) for word in wanted):
            return 0
        return next((place for place in range(1, 5) if _has(texts[:place], wanted)), None)

    ranked = [(found, spec) for spec in specs if (found := rank(spec)) is not None]
    return [spec for _, spec in sorted(ranked, key=lambda pair: pair[0])]


def _has(texts: Iterable[str], wanted: Iterable[str]) -> bool:
    text = " ".join(texts).lower()
    return all(word in text for word in wanted)


def _words(text: str) -> str:
    return text.replace("_", " ").replace(".", " ")
