"""The lines around a table in a text file, its separator, its header, and its encoding."""

import pytest

from core.data.tables.files.encodings import check_encoding, find_encoding
from core.data.tables.files.text_around import TextTable
from core.data.tables.files.text_rows import find_separator, split_lines
from core.data.tables.files.text_table import find_table
from core.data.tables.files.text_totals import adding_rows
from core.errors import DataError

ROWS = "".join(f"{at},{at / 2},{'ab'[at % 2]}\n" for at in range(30))
HEADER = "size,weight,kind\n"


def found(text: str, header: bool | None = None) -> TextTable:
    separator, _ = find_separator(text)
    return find_table(split_lines(text, separator), header)


def test_a_plain_table_is_regular() -> None:
    table = found(HEADER + ROWS)
    assert (table.names, table.header, table.regular, table.notes) == (
        ["size", "weight", "kind"],
        True,
        True,
        [],
    )
    assert len(table.rows) == 30


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("Sales of 2021\n" + HEADER + ROWS, "left out line above the table"),
        ("Sales of 2021,,\nin euros,,\n" + HEADER + ROWS, "left out 2 lines above the table"),
        ("# made by hand\n" + HEADER + ROWS, "left out line above the table"),
        ("sep=,\n" + HEADER + ROWS, ""),
        (HEADER + ROWS + "\nSource: the office\n", "left out 1 line below the table"),
        (HEADER + ROWS + "Total,15.5,\n", "left out totals in line 32"),
        (HEADER + ROWS + "Summe,15.5,\n", "left out totals"),
        (HEADER + ROWS + "Gesamtergebnis,15.5,\n", "left out totals"),
        (HEADER + ROWS + "Total général,15.5,\n", "left out totals"),
        (HEADER + "cm,kg,\n" + ROWS, "a second header: 'cm, kg'"),
        (HEADER + ROWS + HEADER + ROWS.replace("\n0,", "\n99,"), "left out 1 line that repeats the header"),
        (HEADER.replace("\n", ",\n") + ROWS.replace("\n", ",\n"), "left out 1 column without names"),
        (HEADER.replace("\n", ",,\n") + ROWS.replace("\n", ",,\n"), "left out 2 columns without names"),
        (HEADER.replace("\n", ",\n") + ROWS, ""),
        (HEADER + ROWS.replace("\n", ",\n"), ""),
    ],
)
def test_what_is_not_the_table_is_left_out(text: str, note: str) -> None:
    table = found(text)
    assert table.names == ["size", "weight", "kind"]
    assert {len(row) for _, row in table.rows} == {3}
    assert len(table.rows) in (30, 60)
    assert note in "\n".join(table.notes)
    assert not table.regular


def grouped(total: str, *, of: int = 1, sums: bool = True) -> str:
    """Four groups of five rows, each followed by a row that is called a total."""
    lines = []
    for group in range(4):
        sizes = [7 + (13 * at + 5 * group) % 31 for at in range(5)]
        lines += [f"g{group},p{at},{size},{size * 1.5}" for at, size in enumerate(sizes)]
        added = sum(sizes) if sums else 11
        lines.append(f"{total.replace('@', f'g{group}')},{added // of},{added * 1.5}")
    return "group,part,size,weight\n" + "\n".join(lines) + "\n"


PAIRS = "Report:,Customers,,\nAuthor:,J. Doe,,\n"
WIDE = "age,size,weight,kind\n" + "".join(f"{at},{at * 3},{at / 2},{'ab'[at % 2]}\n" for at in range(30))


@pytest.mark.parametrize(
    "above",
    [PAIRS, PAIRS + ",,,\n", "Sales\n" + PAIRS, "Station:,Berlin,,\n", "a:,b,c,\n", "person,,,class\n"],
)
def test_pairs_of_words_above_the_names_are_left_out(above: str) -> None:
    table = found(above + WIDE)
    assert table.names == ["age", "size", "weight", "kind"]
    assert len(table.rows) == 30
    assert "above the table" in table.notes[0]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (WIDE.replace("age,size", ",size"), ["column_1", "size", "weight", "kind"]),
        (WIDE.replace("age,size,weight", ",,"), ["column_1", "column_2", "column_3", "kind"]),
        ("a,b,,\n" + "x,y,z,w\np,q,r,s\n" * 9, ["a", "b", "column_3", "column_4"]),
    ],
)
def test_names_that_lack_some_stay_names(text: str, names: list[str]) -> None:
    table = found(text)
    assert (table.names, [note for note in table.notes if "above" in note]) == (names, [])


@pytest.mark.parametrize(
    ("first", "header"),
    [
        ("shop,2019,2020,target", True),
        ("shop,2019,target", True),
        ("s1,2019,2020,b", False),
        ("s9,2019,2020,b", False),
        ("shop,2020,2019,target", False),
        ("shop,3,2020,target", False),
    ],
)
def test_years_are_names_beside_words_that_do_not_recur(first: str, header: bool) -> None:
    middle = "{0},{0}" if first.count(",") == 3 else "{0}"
    lines = [f"s{at % 4},{middle.format(at * 7 % 50)},{'ab'[at % 2]}" for at in range(40)]
    assert found("\n".join([first, *lines])).header is header


@pytest.mark.parametrize(
    "total", ["Total,", "Subtotal @,", "@ Total,", "Zwischensumme:,", "@,Total", "合计,", "Sous-total @,"]
)
def test_totals_between_rows_are_left_out_where_they_add_up(total: str) -> None:
    table = found(grouped(total))
    assert len(table.rows) == 20
    assert "totals in line 7, 13, 19, 25: sums or means of rows above" in table.notes[0]
    assert not table.regular


def test_a_name_of_many_rows_is_judged_by_some_of_them() -> None:
    asked = [(line, ["total" if line % 2 else "part", str(line * 37 % 1013)]) for line in range(9_000)]
    assert adding_rows(asked) == []
    groups = [(line, ["total", "7"] if line % 3 == 2 else ["part", str(3 + line % 3)]) for line in range(300)]
    assert len(adding_rows(groups)) == 100


def test_totals_between_rows_are_left_out_where_all_their_texts_are_lacking() -> None:
    assert len(found(grouped("Total,", sums=False)).rows) == 20


@pytest.mark.parametrize("kind", ["total", "sum of all", "the mean"])
def test_a_category_that_is_called_a_total_is_kept_where_it_adds_nothing_up(kind: str) -> None:
    lines = [
        f"{kind if at % 3 else 'part'},{(37 * at) % 91},{(11 * at) % 17},{'ab'[at % 2]}" for at in range(60)
    ]
    table = found("what,size,weight,kind\n" + "\n".join(lines) + "\n")
    assert (len(table.rows), table.regular, table.notes) == (60, True, [])


def test_single_quotes_around_all_names_are_left_out() -> None:
    table = found("'size','weight','kind'\n" + ROWS)
    assert table.names == ["size", "weight", "kind"]
    assert "the single quotes around the names of columns are left out" in table.notes
    assert found("'size',weight,kind\n" + ROWS).names[0] == "'size'"


def test_names_of_rows_without_a_name_of_their_own_are_a_column() -> None:
    table = found(HEADER + "".join(f"r{at},{line}\n" for at, line in enumerate(ROWS.splitlines())))
    assert table.names == ["row_names", "size", "weight", "kind"]
    assert "the first column is row_names" in table.notes[0]


@pytest.mark.parametrize(
    ("first", "header"),
    [
        ("0.5,1,a", False),
        ("size,1990,kind", True),
        ("1990,1991,1992", True),
        ("5.1,3.5,1.4", False),
    ],
)
def test_a_first_line_of_numbers_is_data_unless_they_count_up(first: str, header: bool) -> None:
    columns = len(first.split(","))
    rows = "".join(
        ",".join([f"{at}.5", str(at), "ab"[at % 2] if first[-1].isalpha() else "7"][:columns]) + "\n"
        for at in range(20)
    )
    table = found(f"{first}\n{rows}")
    assert table.header is header
    assert ("data.header=yes" in "".join(table.notes)) is not header


def test_a_table_of_texts_alone_has_a_header_unless_its_words_recur() -> None:
    rows = "".join(f"{'xy'[at % 2]},{'pq'[at % 3 == 0]},{'st'[at % 5 == 0]}\n" for at in range(30))
    assert found("cap,odor,class\n" + rows).header
    assert not found("x,p,s\n" + rows).header


def test_columns_of_one_name_get_different_ones() -> None:
    table = found("a,a,a_2,kind\n" + "".join(f"{at},1,2,x\n" for at in range(9)))
    assert table.names == ["a", "a_3", "a_2", "kind"] or table.names == ["a", "a_2_2", "a_2", "kind"]
    assert len({*table.names}) == 4
    assert "'a' is" in table.notes[0]


def test_short_and_long_rows_are_kept_as_they_are_for_the_message() -> None:
    table = found(HEADER + ROWS + "1,2\n3,4,a\n")
    assert [len(row) for _, row in table.rows[-2:]] == [2, 3]
    assert table.rows[-2][0] == 32


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("a;b\n1,5;2,5\n", ";"),
        ("a\tb\n1,5\t2,5\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ("a b c\n1 2 3\n4 5 6\n", " "),
        ("title, with a comma\na;b;c\n1;2;3\n4;5;6\n", ";"),
        ('a,b\n"x;y;z",1\n"u;v;w",2\n', ","),
    ],
)
def test_the_separator_is_that_of_most_lines(text: str, separator: str) -> None:
    assert find_separator(text)[0] == separator


WORDS = {
    "cp1252": "Müller Jäger Größe Café naïve",
    "mac_roman": "Müller Jäger Größe Café",
    "cp1250": "Žďár Krumlov Łódź Plzeň Třebíč",
    "cp1254": "İstanbul Muğla Ağrı Şırnak",
    "cp1251": "Москва Казань Санкт-Петербург Новосибирск",
    "koi8_r": "Москва Казань Санкт-Петербург Новосибирск",
    "cp1253": "Αθήνα Θεσσαλονίκη Πάτρα",
    "gb18030": "北京 上海 广州 深圳",
    "big5": "臺北 高雄 臺中 新竹",
    "cp949": "서울 부산 대구 인천",
    "cp932": "東京 大阪 はい いいえ カタカナ",
    "euc_jp": "東京 大阪 はい いいえ",
}


@pytest.mark.parametrize("encoding", WORDS)
def test_encodings_are_found_by_their_words(encoding: str) -> None:
    text = "city,age,target\n" + "".join(
        f"{word},{at},yes\n" for at, word in enumerate(WORDS[encoding].split() * 9)
    )
    encoded = find_encoding(text.encode(encoding), "auto", True)
    assert text.encode(encoding).decode(encoded) == text
    assert f"read as {encoded}" in encoded.note


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-8", "utf-8-sig", "utf-16"])
def test_unicode_is_found_with_and_without_a_mark(encoding: str) -> None:
    text = "city,age\nKöln,3\nBonn,4\n" * 5
    found_encoding = find_encoding(text.encode(encoding), "auto", True)
    assert text.encode(encoding).decode(found_encoding).removeprefix("\ufeff") == text


def test_any_codec_for_texts_can_be_named_and_no_other() -> None:
    assert check_encoding("latin1") == "iso8859-1"
    for name in ("no-such", "base64", "rot13"):
        with pytest.raises(DataError, match=r"data\.encoding: got"):
            check_encoding(name)
