"""Names that columns with a meaning of their own have: targets, features, ids, coordinates."""

import re
from collections.abc import Set
from dataclasses import dataclass
from functools import lru_cache

__all__ = [
    "CERTAIN",
    "CLASS",
    "ENTITIES",
    "IDENTIFIERS",
    "LIKELY",
    "NO_NAME",
    "POSSIBLE",
    "TargetName",
    "coordinate",
    "feature_name",
    "id_name",
    "numbered_stem",
    "target_name",
    "time_name",
]


def _listed(*names: str) -> frozenset[str]:
    """Return names that are written in lines, with commas between them."""
    return frozenset(name.strip() for line in names for name in line.split(","))


CERTAIN, LIKELY, POSSIBLE, WEAK = 100, 80, 40, 30
"""How much a name counts; see `choose`."""
ANY, EVENT, CLASS = 0, 5, 20
"""Different values up to which a name means a target: any number of them, something that happens or not, classes."""


@dataclass(frozen=True)
class TargetName:
    """The weight of a name as that of a target.

    Attributes:
        score: how much it speaks for a target, from 0 to 100.
        most: different numbers up to which it does; `ANY` for any number of them.
        generic: whether features are called so as often.
    """

    score: int
    most: int = ANY
    generic: bool = False


NO_NAME = TargetName(0)
NAMES = {
    TargetName(CERTAIN): (
        "target, label, labels, y, outcome, response, ground truth, 标签, 类别, 目标, 分类, ラベル, "
        "クラス, 라벨, 레이블, clase, classe, klasse, klass, klasa, ziel, zielvariable, zielgröße, "
        "objetivo, etiqueta, etichetta, cible, étiquette, doel, метка, класс, цель, hedef, sınıf"
    ),
    TargetName(LIKELY, EVENT): (
        "survived, survival, churn, churned, exited, attrition, fraud, default, defaulted, default payment, "
        "default payment next month, spam, sold, bought, purchase, purchased, clicked, converted, subscribed, "
        "deposit, approve, approved, deny, denied, admit, admitted, passed, won, canceled, cancelled, returned, "
        "hired, left, died, death, death event, improved, cancer, diabetes, stroke, poisonous, "
        "potability, malignant, credit risk, creditability, loan status, readmitted, satisfaction, output"
    ),
    TargetName(LIKELY, CLASS): (
        "species, diagnosis, disease, sentiment, vote, choice, injury severity, cover type, class type, star type, "
        "price range, fetal health"
    ),
    TargetName(LIKELY): (
        "sale price, selling price, house value, house val, home value, medv, mpg, miles per gallon, rings, "
        "chance of admit, compressive strength"
    ),
    TargetName(70, CLASS): "class, status, result, verdict, type of class",
    TargetName(70, CLASS, generic=True): "type, category, grade, variety",
    TargetName(POSSIBLE): (
        "price, salary, wage, wages, earnings, quality, rating, charges, expenses, tip, yield, "
        "precio, preis, prix, prezzo, preço, цена, 价格"
    ),
    TargetName(WEAK): "sales, revenue, cost, score, profit, demand, cnt, count, strength, ventas",
    TargetName(POSSIBLE, generic=True): "income, value",
}
"""Usual names of targets, in any case, with blanks, underscores or humps between words."""
TIMES = _listed("date, year, month, week, day, hour, minute, quarter, period, time, weekday, weekend")
FEATURES = TIMES | _listed(
    "sex, gender, female, male, race, ethnicity, black, white, age, education, educ, occupation, job, marital, "
    "married, marital status, region, country, state, city, county, area, location, district, address, zip, group, "
    "treatment, treat, trt, block, batch, subject, plot, dose, season, holiday, freq, frequency, n, weights, source"
)
"""Names that describe a row rather than what is predicted of it: never taken for their place alone."""
COUNTS = frozenset({"count", "number", "size"})
"""Last words of names of features, such as passenger count."""
ENDS_ALONE, STARTS_ALONE = 25, 40
"""How much less a name counts that only ends, or starts, with one of these."""
KNOWN = {name: target for target, names in NAMES.items() for name in _listed(names)}
JOINED = {name.replace(" ", ""): target for name, target in KNOWN.items()}
IDS = _listed(
    "id, ids, index, uuid, guid, row names, rownames, row name, unnamed: 0, index level 0, row, rowid, row id, "
    "row number, serial, serial number, sno, s no, record, obs, case, key, no, nr, #, 編號, 编号, 序号, номер, "
    "column 1, x"
)
COORDINATES = _listed(
    "x, y, z, lat, lon, lng, long, latitude, longitude, easting, northing, x coord, y coord"
)
ENTITIES = _listed(
    "patient, patients, subject, subjects, person, persons, participant, participants, user, users",
    "customer, customers, client, clients, member, members, individual, individuals, speaker, speakers",
    "volunteer, respondent, household, family, student, students, pupil, employee, worker, driver",
    "player, author, session, visitor, device, machine, engine, sensor, donor, case, mother, child",
    "animal, dog, cow, mouse, rat, cage, specimen, well, pt, pid, uid, mrn, ssn, ptid, subj",
    "participantid, subjectid, patientid, userid, customerid, clientid, sessionid, caseid, deviceid",
    "personid, email, phone, account, accountid, vin, imei, patiente, patienten, patientin, proband",
    "probandin, kunde, kunden, nutzer, benutzer, mitarbeiter, schüler, cliente, clientes, paciente",
    "pacientes, usuario, usuarios, alumno, empleado, utilisateur, élève, employé, sujet, paziente",
    "utente",
)
"""Who or what rows belong to."""
IDENTIFIERS = _listed(
    "id, ids, uuid, guid, identifier, identifiant, identificador, kennung, code, código, codice, key",
    "number, no, nr, nummer, numero, número, numéro, name",
)
"""Words beside such a one that make it the name of an id."""
RECORDS = _listed(
    "order, invoice, ticket, contract, transaction, booking, policy, file, case, article, item, product, record",
    "auftrag, auftrags, rechnung, rechnungs, vertrag, vertrags, bestell, artikel, akte, akten, beleg, vorgang, fall",
    "dossier, contrat, facture, commande, article, produit, police, pedido, factura, contrato, expediente, producto",
    "pratica, ordine, fattura, contratto, prodotto, artículo, articulo, fatura, processo, produto, empleado, matricule",
)
"""What rows are of, in the names of ids."""
NUMBERS = _listed("number, no, nr, num, n°, nº, nummer, numero, número, numéro")
"""Identifiers that count where a plural follows, as in number of clients."""
IDS_ALONE = _listed(
    "matricula, matrícula, matricule, matricola, cédula, cedula, dni, nif, nie, cpf, cnpj, curp, rfc, siret, siren, "
    "pesel, expediente, folio, isbn, ean, gtin, imei, ssn, mrn, identifiant, identificador, kennung, nro"
)
LINKS = _listed("de, du, des, del, do, da, di, der, of, the")
ID_ENDINGS = ("nummer", "kennung", "kennziffer")
"""Ends of compounds such as Kundennummer."""
HUMP, BETWEEN_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])"), re.compile(r"[\s_\-./()?!*]+")


def words_of(name: str) -> list[str]:
    """Return the words of a name, in lower case."""
    return BETWEEN_WORDS.sub(" ", HUMP.sub(" ", name)).lower().split()


@lru_cache(maxsize=10_000)
def target_name(name: str) -> TargetName:
    """Return how much a name speaks for a target."""
    words = words_of(name)
    if words and words[0] in ("is", "has", "was") and len(words) > 1:
        words = words[1:]
    found = KNOWN.get(" ".join(words)) or JOINED.get("".join(words), NO_NAME)
    if found.score or len(words) < 2:
        return found
    parts = [(" ".join(words[at:]), ENDS_ALONE) for at in range(1, len(words))]
    parts += [(" ".join(words[:at]), STARTS_ALONE) for at in range(1, len(words))]
    scores = [
        TargetName(known.score - less, known.most, generic=known.most == CLASS and known.score < LIKELY)
        for part, less in parts
        if (known := KNOWN.get(part)) and len(part) > 1 and known.score > less and not _quantity(known)
    ]
    return max(scores, key=lambda each: each.score, default=NO_NAME)


def _quantity(known: TargetName) -> bool:
    """Return whether a name is too general to mean a target as a part of another, as in passenger count."""
    return known.score == WEAK or (known.generic and known.most == ANY)


def feature_name(name: str) -> bool:
    """Return whether a name describes rows, as sex and region do."""
    words = words_of(name)
    words = words[1:] if len(words) == 2 and words[0] in ("is", "has") else words
    return " ".join(words) in FEATURES or (len(words) > 1 and words[-1] in COUNTS)


def time_name(name: str) -> bool:
    """Return whether a name says when a row was observed."""
    return " ".join(words_of(name)) in TIMES


@lru_cache(maxsize=10_000)
def id_name(name: str) -> bool:
    """Return whether a name says that a column identifies rows."""
    words = words_of(name)
    whole = " ".join(words)
    if whole in IDS or name.strip().lower() in IDS or not words:
        return True
    return (
        words[-1] in ("id", "uuid", "guid", "identifier")
        or words[0] == "id"
        or words[-1] in IDS_ALONE
        or words[-1].endswith(ID_ENDINGS)
        or (len(whole) > 3 and whole.endswith("id") and name.endswith("ID"))
        or _identifies(words)
    )


def _identifies(words: list[str]) -> bool:
    """Return whether a name is that of somebody or something beside a word for ids: client no, numero de cliente."""
    words = [word for word in words if word not in LINKS]
    marks = {*words} & ((IDENTIFIERS | NUMBERS) - {"name", "key"})
    things = {*words} & (ENTITIES | RECORDS)
    if not marks or not things or {*words} - marks - things:
        return False
    return words[0] not in NUMBERS or not words[-1].endswith("s")


def coordinate(name: str, others: Set[str]) -> bool:
    """Return whether a name is a coordinate, beside another one.

    Args:
        others: names of all columns in lower case.
    """
    whole = " ".join(words_of(name))
    beside = others & (COORDINATES - {whole})
    return whole in COORDINATES and bool(beside)


@lru_cache(maxsize=10_000)
def numbered_stem(name: str) -> str:
    """Return a name without the number at its end; empty where it has none."""
    found = re.fullmatch(r"(.*?)[ _.-]?\d+", name)
    return found[1].lower() or "#" if found else ""
