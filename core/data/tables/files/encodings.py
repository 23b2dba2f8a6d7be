"""In which encoding a text file is written, found from its bytes."""

import codecs
import re

from core.errors import DataError

__all__ = ["Encoded", "check_encoding", "find_encoding"]

MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
)
MARKS += ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
ZEROS = (("utf-32-le", 4, 0), ("utf-32-be", 4, 3), ("utf-16-le", 2, 0), ("utf-16-be", 2, 1))
"""Encodings of two or four bytes a letter, and where the byte of an ASCII letter is not zero."""
WORD = re.compile(rb"[^\s,;|\t\"]*[\x80-\xff][^\s,;|\t\"]*")
SAMPLE_WORDS = 2000

WESTERN = "ÄÖÜäöüßÉÈÊÀÂÇÎÔÛéèêëàâçîïôûùìòœŒñÑáíóúÁÍÓÚãõÃÕåøæÅØÆ¿¡’‘“”–—…€£°§ªº·«»½¼²³×µ\u00a0"
CENTRAL = "ĄąĆćĘęŁłŃńÓóŚśŹźŻżČčĎďĚěŇňŘřŠšŤťŮůŽžÁáÉéÍíÚúÝýŐőŰűÖöÜüÄäĂăÂâÎîŞşŢţĐđ„”’–"
LETTERS = (
    ("cp1252", WESTERN),
    ("mac_roman", WESTERN),
    ("cp850", WESTERN),
    ("cp1254", WESTERN + "ĞğİıŞş"),
    ("cp1250", CENTRAL),
    ("iso8859_2", CENTRAL),
)
"""Letters that words in an encoding are written with, beside ASCII; the first that fits is taken."""
OTHERS = re.findall(
    r"\S+",
    "cp1251 koi8_r cp1253 big5 gb18030 cp949 cp932 euc_jp cp1255 cp1256 cp874 cp866 cp1257 cp1258 cp1250 cp1254 "
    "iso8859_2 mac_cyrillic cp1252 mac_roman",
)


class Encoded(str):
    """An encoding; `note` says how it was found, empty where nothing had to be inferred."""

    note: str

    def __new__(cls, name: str, note: str = "") -> "Encoded":
        made = super().__new__(cls, name)
        made.note = note
        return made


def check_encoding(name: str) -> str:
    """Return the name of an encoding, or ``auto``, as Python spells it.

    Raises:
        DataError: there is none of this name, or it does not encode texts.
    """
    if name == "auto":
        return name
    try:
        codec = codecs.lookup(name)
        "a".encode(name)
    except (LookupError, UnicodeError):
        raise DataError(
            f"data.encoding: got '{name}', takes an encoding that Python knows",
            "Such as auto, utf-8, cp1252, cp1251, big5 or mac_roman",
        ) from None
    return codec.name


def find_encoding(content: bytes, asked: str, whole: bool) -> Encoded:
    """Find the encoding of a text.

    Args:
        content: its bytes, or the first of them.
        asked: by the user, or ``auto``. A byte order mark overrides it.
        whole: whether `content` is the whole text; else a letter may be cut at its end.
    """
    marked = next((name for mark, name in MARKS if content.startswith(mark)), "")
    if marked:
        return Encoded(marked)
    if asked != "auto":
        return Encoded(asked)
    if b"\0" in content[:4096] and (wide := _wide(content[:4096])):
        return Encoded(wide, _note(wide, ()))
    try:
        codecs.getincrementaldecoder("utf-8")().decode(content, final=whole)
    except UnicodeDecodeError:
        pass
    else:
        return Encoded("utf-8")
    words = b" ".join(sorted(set(WORD.findall(content)), key=len, reverse=True)[:SAMPLE_WORDS])
    found, others = _best(words)
    return Encoded(found, _note(found, others))


def _wide(content: bytes) -> str:
    """An encoding of two or four bytes a letter, where most letters are ASCII."""
    for name, size, place in ZEROS:
        cut = content[: len(content) // size * size]
        zeros = [at for at in range(size) if at != place]
        if cut and all(cut[at::size].count(0) > 0.6 * len(cut) / size for at in zeros):
            return name
    return ""


def _best(words: bytes) -> tuple[str, tuple[str, ...]]:
    """The most likely encoding of some words, and others that are as likely."""
    for name, letters in LETTERS:
        if _fits(words, name, letters):
            return name, ()
    from charset_normalizer import from_bytes

    found = list(from_bytes(words, cp_isolation=OTHERS))
    if not found:
        return "cp1252" if _decodes(words, "cp1252") else "latin-1", ()
    best = next(
        (match for match in found[:6] if match.chaos <= found[0].chaos + 0.05 and _kana(str(match))), found[0]
    )
    others = [
        match.encoding
        for match in found[:4]
        if match is not best and match.chaos <= best.chaos and match.coherence >= best.coherence
    ]
    return best.encoding, tuple(others)


def _kana(text: str) -> bool:
    """Return whether a text is Japanese: other encodings hardly ever decode to its syllables."""
    return sum("ぁ" <= letter <= "ヺ" for letter in text) > len(text) / 50


def _fits(words: bytes, name: str, letters: str) -> bool:
    """Return whether words decode to ASCII and these letters, most of them ASCII."""
    if not _decodes(words, name):
        return False
    text = words.decode(name)
    special = [letter for letter in text if ord(letter) > 127]
    plain = sum(letter.isascii() and letter.isalnum() for letter in text)
    return all(letter in letters for letter in special) and plain >= len(special)


def _decodes(words: bytes, name: str) -> bool:
    try:
        words.decode(name)
    except UnicodeDecodeError:
        return False
    return True


def _note(name: str, others: tuple[str, ...]) -> str:
    also = f", which fits as well as {' and '.join(others)}" if others else ""
    return f"read as {name}{also}; data.encoding=NAME sets another"
