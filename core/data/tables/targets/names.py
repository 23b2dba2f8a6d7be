"""Names that columns with a meaning of their own have: targets, ids, coordinates."""

import re
from functools import lru_cache

__all__ = ["coordinate", "feature_name", "id_name", "name_score", "numbered_stem"]

CERTAIN, LIKELY, CLASS, POSSIBLE = 100, 80, 70, 40
"""How much a name counts; see `choose`."""
NAMES = {
    CERTAIN: (
        "target, label, labels, y, outcome, response, ground truth, 标签, 类别, 目标, 分类, ラベル, "
        "クラス, 라벨, 레이블, clase, classe, klasse, klass, klasa, ziel, zielvariable, zielgröße, "
        "objetivo, etiqueta, etichetta, cible, étiquette, doel, метка, класс, цель, hedef, sınıf"
    ),
    LIKELY: (
        "survived, survival, species, diagnosis, churn, churned, exited, attrition, fraud, default, "
        "defaulted, default payment, default payment next month, sentiment, spam, variety, sale price, "
        "house value, home value, medv, mpg, sold, bought, purchased, clicked, converted, subscribed, "
        "approved, admitted, passed, won, canceled, cancelled, returned, hired, left, disease, stroke, "
        "poisonous, malignant, toxic, credit risk, loan status, readmitted, injury severity, rings"
    ),
    CLASS: "class, category, status, result, grade, verdict, type of class",
    POSSIBLE: (
        "price, income, salary, wage, wages, earnings, quality, rating, sales, revenue, charges, cost, "
        "score, profit, demand, cnt, count, strength, tip, type, value, deposit, yield, precio, preis, "
        "prix, prezzo, preço, цена, 价格, ventas"
    ),
}
"""Usual names of targets, in any case, with blanks, underscores or humps between words."""
FEATURES = {"type", "category", "grade", "income", "variety"}
"""Names of features as often as of targets: taken without asking only in the last column."""
END_ALONE, START_ALONE = 25, 40
"""How much less a name counts that only ends, or starts, with one of these."""
KNOWN = {name.strip(): score for score, names in NAMES.items() for name in names.split(",")}
JOINED = {name.replace(" ", ""): score for name, score in KNOWN.items()}
IDS = {
    *(
        "id",
        "ids",
        "index",
        "uuid",
        "guid",
        "row names",
        "rownames",
        "row name",
        "unnamed: 0",
        "index level 0",
    ),
    *(
        "row",
        "rowid",
        "row id",
        "row number",
        "serial",
        "serial number",
        "sno",
        "s no",
        "record",
        "obs",
        "case",
        "key",
    ),
    *("no", "nr", "#", "編號", "编号", "序号", "номер", "column 1", "x"),
}
COORDINATES = {
    *"xyz",
    "lat",
    "lon",
    "lng",
    "long",
    "latitude",
    "longitude",
    "easting",
    "northing",
    "x coord",
    "y coord",
}


HUMP, BETWEEN_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])"), re.compile(r"[\s_\-./()?!*]+")


def words_of(name: str) -> list[str]:
    """Return the words of a name, in lower case."""
    return BETWEEN_WORDS.sub(" ", HUMP.sub(" ", name)).lower().split()


@lru_cache(maxsize=10_000)
def name_score(name: str) -> int:
    """Return how much a name speaks for a target, from 0 to 100."""
    words = words_of(name)
    if words and words[0] in ("is", "has", "was") and len(words) > 1:
        words = words[1:]
    whole, joined = " ".join(words), "".join(words)
    found = KNOWN.get(whole) or JOINED.get(joined, 0)
    if found or len(words) < 2:
        return found
    ends = [" ".join(words[at:]) for at in range(1, len(words))]
    starts = [" ".join(words[:at]) for at in range(1, len(words))]
    scores = [KNOWN[part] - END_ALONE for part in ends if part in KNOWN and len(part) > 1]
    scores += [KNOWN[part] - START_ALONE for part in starts if part in KNOWN and len(part) > 1]
    return max(0, *scores) if scores else 0


def feature_name(name: str) -> bool:
    """Return whether a name is that of features as often as of targets."""
    return " ".join(words_of(name)) in FEATURES


@lru_cache(maxsize=10_000)
def id_name(name: str) -> bool:
    """Return whether a name says that a column identifies rows."""
    words = words_of(name)
    whole = " ".join(words)
    if whole in IDS or name.strip().lower() in IDS or not words:
        return True
    return words[-1] in ("id", "uuid", "guid", "identifier") or (
        len(whole) > 3 and whole.endswith("id") and name.endswith("ID")
    )


def coordinate(name: str, others: set[str]) -> bool:
    """Return whether a name is a coordinate, beside another one.

    Args:
        others: names of all columns in lower case.
    """
    whole = " ".join(words_of(name))
    beside = others & (COORDINATES - {whole})
    return whole in COORDINATES and bool(beside)


def numbered_stem(name: str) -> str:
    """Return a name without the number at its end; empty where it has none."""
    found = re.fullmatch(r"(.*?)[ _.-]?\d+", name)
    return found[1].lower() or "#" if found else ""
