"""Tables in files of all kinds: packed, typed, in folders."""

import bz2
import gzip
import json
import lzma
import sqlite3
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from core.config import schema as configuration
from core.config.schema import in_full
from core.data.dataset import Dataset
from core.data.registry import load
from core.data.tables.files.arff import arff_frame
from core.data.tables.files.sniffing import sniffed
from core.errors import DataError
from tests.support.narrow import instance, some

FRAME = pl.DataFrame(
    {
        "size": [0.5 * at for at in range(40)],
        "colour": ["red", "blue"] * 20,
        "kind": ["ab"[at // 2 % 2] for at in range(40)],
    }
)
CSV = FRAME.write_csv().encode()


def loaded(path: Path, **fields: Any) -> Dataset:
    given = {**in_full("data", str(path)), "target": "kind", **fields}
    return load(configuration.from_dict({"data": given}).data)


def write(path: Path) -> None:
    """Write the table in the format that the path's ending names."""
    name = path.name
    if name.endswith(".tar.gz"):
        inner = path.parent / "inner.csv"
        inner.write_bytes(CSV)
        with tarfile.open(path, "w:gz") as archive_:
            archive_.add(inner, "my/inner.csv")
    elif name.endswith(".gz"):
        path.write_bytes(gzip.compress(CSV, mtime=0))
    elif name.endswith(".bz2"):
        path.write_bytes(bz2.compress(CSV))
    elif name.endswith(".xz"):
        path.write_bytes(lzma.compress(CSV))
    elif name.endswith(".zst"):
        FRAME.write_csv(path, compression="zstd")
    elif name.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("inner/my.csv", CSV)
            archive.writestr("__MACOSX/._my.csv", b"x")
            archive.writestr("README.md", b"about")
    elif name.endswith(".json"):
        path.write_text(json.dumps(FRAME.to_dicts()))
    elif name.endswith(".jsonl"):
        FRAME.write_ndjson(path)
    elif name.endswith((".feather", ".arrow")):
        FRAME.write_ipc(path)
    elif name.endswith(".avro"):
        FRAME.write_avro(path)
    elif name.endswith(".sqlite"):
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE my (size REAL, colour TEXT, kind TEXT)")
        connection.executemany("INSERT INTO my VALUES (?, ?, ?)", FRAME.rows())
        connection.commit()
        connection.close()
    elif name.endswith(".arff"):
        head = "@relation my\n@attribute size numeric\n@attribute colour {red, blue}\n@attribute kind {a, b}\n@data\n"
        path.write_text(head + CSV.decode().partition("\n")[2])
    else:
        path.write_bytes(CSV)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "my.csv.gz",
            "my.csv.bz2",
            "my.csv.xz",
            "my.csv.zst",
            "my.zip",
            "my.csv.zip",
            "my.tar.gz",
            "my.txt",
            "my.data",
        ),
        *(
            "my.dat",
            "my",
            "my.json",
            "my.jsonl",
            "my.feather",
            "my.arrow",
            "my.avro",
            "my.sqlite",
            "my.arff",
            "my[1].csv",
        ),
        *("a*.csv", "my (1).csv"),
    ],
)
def test_every_format_gives_the_same_data_set(name: str, tmp_path: Path) -> None:
    (tmp_path / "ab.csv").write_bytes(CSV.replace(b"red", b"green"))
    write(tmp_path / "plain.csv")
    write(tmp_path / name)
    plain, other = loaded(tmp_path / "plain.csv"), loaded(tmp_path / name)
    assert other.feature_names == plain.feature_names
    assert instance(torch.Tensor, other.train.inputs).equal(instance(torch.Tensor, plain.train.inputs))
    assert other.train.targets.equal(plain.train.targets)


def test_a_matrix_of_matlab_and_svmlight_are_read(tmp_path: Path) -> None:
    from scipy.io import savemat
    from sklearn.datasets import dump_svmlight_file

    inputs, targets = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
    savemat(tmp_path / "my.mat", {"X": inputs, "y": targets})
    assert loaded(tmp_path / "my.mat", target="y").feature_names == ("X1", "X2", "X3")
    dump_svmlight_file(inputs, targets, str(tmp_path / "my.svmlight"))
    assert loaded(tmp_path / "my.svmlight", target="target").feature_names == ("x1", "x2", "x3")


ARFF = """% made by hand
@RELATION 'my own'
@ATTRIBUTE size REAL % in metres
@attribute 'the city' {Orl\u00e9ans, 'New York', 'L\\'Aquila'}
@attribute seen date "yyyy-MM-dd"
@attribute note string
@attribute kind {a, b}
@data
"""
CITIES = ("Orl\u00e9ans", "'New York'", "'L\\'Aquila'", "?")


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_arff_has_texts_dates_quotes_and_letters_of_any_language(encoding: str, tmp_path: Path) -> None:
    rows = [
        f"{at / 2},{CITIES[at % 4]},2021-03-{at % 28 + 1:02},'n, {at % 3}',{'ab'[at % 2]}" for at in range(40)
    ]
    (tmp_path / "my.arff").write_bytes((ARFF + "\n".join(rows) + "\n\n% the end\n").encode(encoding))
    data = loaded(tmp_path / "my.arff")
    assert [name for name in data.feature_names if "city" in name][:3] == [
        "the city=L'Aquila",
        "the city=New York",
        "the city=Orl\u00e9ans",
    ]
    assert [name for name in data.feature_names if "note" in name] == ["note=n, 0", "note=n, 1", "note=n, 2"]
    assert any("seen" in name for name in data.feature_names)
    assert ("read as cp1252; data.encoding=NAME sets another" in data.notes) is (encoding == "cp1252")


def test_rows_of_arff_may_name_what_is_not_zero() -> None:
    head = "@relation my\n@attribute a integer\n@attribute b {no, yes}\n@attribute c real\n@data\n"
    frame = arff_frame(head + "{0 3, 2 0.5}\n{}\n{1 yes}\n{1 ?}\n1,no,2,{5}\n")
    assert frame.rows() == [(3, "no", 0.5), (0, "no", 0), (0, "yes", 0), (0, None, 0), (1, "no", 2)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("@attribute a real\n@data\n1\nb\n", "line 4: a is numeric, and holds 'b'"),
        ("@attribute a real\n@data\n1,2\n", "line 3 has 2 values, and there are 1 attributes"),
        ("@attribute a real\n1\n", "line 2: '1' stands before @data"),
        ("@attribute a real\n", "it has no line @data"),
    ],
)
def test_what_is_wrong_with_arff_is_named(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        arff_frame(text)


@pytest.mark.parametrize("names", ["{}", "customer {}"])
@pytest.mark.parametrize("columns", [["size", "colour", "kind"], ["size", "kind"]])
def test_json_may_be_an_object_of_rows(names: str, columns: list[str], tmp_path: Path) -> None:
    rows = {names.format(at): row for at, row in enumerate(FRAME.select(columns).to_dicts())}
    (tmp_path / "my.json").write_text(json.dumps(rows))
    data = loaded(tmp_path / "my.json")
    assert data.feature_names[0] == "size"
    assert f"read as an object of rows, such as '{names.format(0)}', not of columns" in "\n".join(data.notes)


@pytest.mark.parametrize("index", ["{}", "customer {}"])
def test_json_of_columns_stays_one_of_columns_whatever_its_rows_are_called(
    index: str, tmp_path: Path
) -> None:
    columns = {
        name: {index.format(at): value for at, value in enumerate(FRAME[name])} for name in FRAME.columns
    }
    (tmp_path / "my.json").write_text(json.dumps(columns))
    data = loaded(tmp_path / "my.json")
    assert data.feature_names[0] == "size"
    assert not any("object" in note for note in data.notes)


def test_lines_of_json_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    FRAME.write_ndjson(tmp_path / "plain.jsonl")
    (tmp_path / "my.jsonl").write_bytes(b"\xef\xbb\xbf" + (tmp_path / "plain.jsonl").read_bytes())
    assert loaded(tmp_path / "my.jsonl").feature_names == ("size", "colour=blue", "colour=red")


@pytest.mark.parametrize(
    "start",
    [
        "INSERT INTO my (size, kind) VALUES (1, 'a');\nINSERT INTO my (size, kind) VALUES (2, 'b');\n",
        "-- MySQL dump 10.13\n--\n/*!40101 SET NAMES utf8 */;\n\nDROP TABLE IF EXISTS `my`;\n",
        "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE my (size REAL);\n",
        "--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\n",
    ],
)
@pytest.mark.parametrize("name", ["my.sql", "my.csv", "my.txt"])
def test_dumps_of_databases_are_refused_with_a_way_out(start: str, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(start)
    with pytest.raises(DataError, match=rf"is a dump of a database in SQL.*sqlite3 my.db < {name}"):
        loaded(tmp_path / name)


@pytest.mark.parametrize("first", ["set, use", "insert into,create", "text -- more", "Begin;End"])
def test_words_of_sql_in_a_header_make_no_dump(first: str) -> None:
    assert not sniffed(f"{first},kind\n1,a\n".encode())


@pytest.mark.parametrize("layout", ["columns", "split", "index", "below"])
def test_json_as_pandas_writes_it(layout: str, tmp_path: Path) -> None:
    columns = FRAME.to_dict(as_series=False)
    values: Any = {
        "columns": columns,
        "split": {"columns": FRAME.columns, "data": [list(row) for row in FRAME.rows()]},
        "index": {
            name: {str(at): value for at, value in enumerate(column)} for name, column in columns.items()
        },
        "below": {"status": "ok", "rows": FRAME.to_dicts()},
    }[layout]
    (tmp_path / "my.json").write_text(json.dumps(values))
    assert loaded(tmp_path / "my.json").feature_names == ("size", "colour=blue", "colour=red")


def test_a_workbook_with_a_title_is_read(tmp_path: Path) -> None:
    pytest.importorskip("fastexcel")
    writer = pytest.importorskip("xlsxwriter")
    book = writer.Workbook(str(tmp_path / "my.xlsx"))
    sheet = book.add_worksheet()
    for at, row in enumerate([["Customers"], FRAME.columns, *FRAME.rows()]):
        sheet.write_row(at, 0, row)
    book.close()
    assert loaded(tmp_path / "my.xlsx").feature_names == ("size", "colour=blue", "colour=red")


def workbook(path: Path, sheets: Mapping[str, Sequence[Sequence[object]]], hidden: str = "") -> None:
    """Write a workbook: texts, and numbers, of which those of a column named clock are times of day."""
    kind = "http://schemas.openxmlformats.org/"
    main, package = f'xmlns="{kind}spreadsheetml/2006/main"', f"{kind}package/2006/relationships"
    office = f"{kind}officeDocument/2006/relationships"
    listed, related = "", f'<Relationship Id="style" Type="{office}/styles" Target="styles.xml"/>'
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("[Content_Types].xml", "<Types/>")
        file.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}"><Relationship Id="a" Type="{office}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        file.writestr(
            "xl/styles.xml",
            f'<styleSheet {main}><cellXfs><xf numFmtId="0"/><xf numFmtId="21"/></cellXfs></styleSheet>',
        )
        for at, (name, rows) in enumerate(sheets.items()):
            state = ' state="hidden"' if name == hidden else ""
            listed += f'<sheet name="{name}" sheetId="{at + 1}"{state} r:id="r{at}"/>'
            related += f'<Relationship Id="r{at}" Type="{office}/worksheet" Target="s{at}.xml"/>'
            cells = "".join(
                f'<row r="{line}">{"".join(cell(line, place, value) for place, value in enumerate(row))}</row>'
                for line, row in enumerate(rows, start=1)
            )
            file.writestr(f"xl/s{at}.xml", f"<worksheet {main}><sheetData>{cells}</sheetData></worksheet>")
        file.writestr(
            "xl/workbook.xml", f'<workbook {main} xmlns:r="{office}"><sheets>{listed}</sheets></workbook>'
        )
        file.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{package}">{related}</Relationships>'
        )


def cell(line: int, column: int, value: object) -> str:
    place = f"{'ABCDEF'[column]}{line}"
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
    return f'<c r="{place}" s="{int(isinstance(value, float))}"><v>{value}</v></c>'


TABLE = (("size", "kind"), *((at, "ab"[at % 2]) for at in range(30)))
BESIDE: dict[str, tuple[Mapping[str, Sequence[Sequence[object]]], str, str]] = {
    "another table": ({"2020": TABLE, "2021": TABLE}, "2020", "data.part=2021 reads another"),
    "a title page": ({"About": [["A report"], ["of 2021"]], "Data": TABLE}, "Data", "one of 2 (About, Data)"),
    "an empty sheet before": ({"Sheet1": [], "Data": TABLE}, "Data", "one of 2 (Sheet1, Data)"),
    "a hidden one": ({"lists": [["a", "b"], ["c", "d"]], "Data": TABLE}, "Data", "one of 2 (lists, Data)"),
    "empty ones behind": ({"Data": TABLE, "Sheet2": [], "Sheet3": []}, "", ""),
    "nothing": ({"Data": TABLE}, "", ""),
}


@pytest.mark.parametrize("beside", BESIDE)
def test_the_sheet_that_may_hold_a_table_is_read_and_told(beside: str, tmp_path: Path) -> None:
    pytest.importorskip("fastexcel")
    sheets, name, says = BESIDE[beside]
    workbook(tmp_path / "my.xlsx", sheets, hidden="lists")
    data = loaded(tmp_path / "my.xlsx")
    assert data.feature_names == ("size",)
    told = [note for note in data.notes if "sheet" in note]
    assert [note.startswith(f"read from the sheet {name}, ") and says in note for note in told] == [
        True
    ] * bool(name)


@pytest.mark.parametrize("part", ["2021", 2021])
def test_a_sheet_and_columns_may_be_called_a_number(part: str | int, tmp_path: Path) -> None:
    pytest.importorskip("fastexcel")
    later = [("size", "2020", "kind"), *((at, at % 7, "ab"[at % 2]) for at in range(30))]
    workbook(tmp_path / "my.xlsx", {"2020": TABLE, "2021": later})
    assert loaded(tmp_path / "my.xlsx", part=part).feature_names == ("size", "2020")
    assert loaded(tmp_path / "my.xlsx", part=part, drop=[2020]).feature_names == ("size",)


def test_times_in_workbooks_are_seconds(tmp_path: Path) -> None:
    pytest.importorskip("fastexcel")
    times = [("clock", "kind"), *((at / 24 + 1 / 1440, "ab"[at % 2]) for at in range(60))]
    workbook(tmp_path / "my.xlsx", {"Data": times})
    table = some(loaded(tmp_path / "my.xlsx").table)
    assert (table.summaries[0].low, table.summaries[0].high) == ("60", f"{59 * 3600 + 60}")


def test_a_text_file_named_as_a_workbook_is_read(tmp_path: Path) -> None:
    (tmp_path / "my.xls").write_text("".join(f"{size}\t{kind}\n" for size, kind in TABLE))
    data = loaded(tmp_path / "my.xls")
    assert data.feature_names == ("size",)
    assert "my.xls is no workbook but a text file" in data.notes


def test_several_tables_in_a_file_are_listed(tmp_path: Path) -> None:
    write(tmp_path / "my.sqlite")
    connection = sqlite3.connect(tmp_path / "my.sqlite")
    connection.execute("CREATE TABLE other (a REAL)")
    connection.commit()
    connection.close()
    with pytest.raises(DataError, match=r"holds 2 tables: my, other\. Choose one, such as data\.part=my"):
        loaded(tmp_path / "my.sqlite")
    assert loaded(tmp_path / "my.sqlite", part="my").feature_names[0] == "size"
    with zipfile.ZipFile(tmp_path / "two.csv.zip", "w") as archive:
        archive.writestr("a.csv", CSV)
        archive.writestr("b.csv", CSV)
    with pytest.raises(DataError, match=r"holds 2 files: a\.csv, b\.csv"):
        loaded(tmp_path / "two.csv.zip")


def test_columns_of_parquet_that_are_not_values_do_not_keep_the_rest_from_being_read(tmp_path: Path) -> None:
    frame = FRAME.with_columns(
        pl.Series("at", [time(at % 24, 30) for at in range(40)]),
        pl.Series("took", [timedelta(minutes=at) for at in range(40)]),
        pl.Series("day", [date(2021, 1, 1) + timedelta(days=at) for at in range(40)]),
        pl.Series("many", [[1, 2]] * 40),
        pl.Series("raw", [b"x"] * 40),
    )
    frame.write_parquet(tmp_path / "my.parquet")
    data = loaded(tmp_path / "my.parquet")
    assert {"at", "took", "day days", "size"} <= {*data.feature_names}
    assert any(note.startswith("left out many: it holds List(Int64)") for note in data.notes)
    assert any(note.startswith("left out raw: it holds Binary") for note in data.notes)
    assert data.table is not None
    assert len(data.table.rows("test", data.test.indices)) == len(data.test)


def test_a_folder_of_tables_is_one_table(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    FRAME[:20].write_csv(folder / "part-0.csv")
    FRAME[20:].write_csv(folder / "part-1.csv")
    write(tmp_path / "plain.csv")
    data = loaded(folder)
    assert instance(torch.Tensor, data.train.inputs).equal(
        instance(torch.Tensor, loaded(tmp_path / "plain.csv").train.inputs)
    )
    assert any("read 2 files of parts as one table" in note for note in data.notes)
    FRAME.rename({"size": "length"}).write_csv(folder / "part-2.csv")
    with pytest.raises(DataError, match=r"tables with different columns: part-0\.csv and part-2\.csv"):
        loaded(folder)


def test_a_folder_with_train_and_test_reads_train(tmp_path: Path) -> None:
    folder = tmp_path / "kaggle"
    folder.mkdir()
    for name in ("train", "test"):
        FRAME.write_csv(folder / f"{name}.csv")
    assert any("test.csv can be data.test_path" in note for note in loaded(folder).notes)


def test_a_data_set_of_hugging_face_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    (folder / "train").mkdir(parents=True)
    FRAME.write_ipc_stream(folder / "train" / "data-00000-of-00001.arrow")
    (folder / "dataset_dict.json").write_text('{"splits": ["train"]}')
    data = loaded(folder)
    assert data.feature_names == ("size", "colour=blue", "colour=red")


def test_a_folder_of_audio_is_reported_as_one(tmp_path: Path) -> None:
    folder = tmp_path / "sounds"
    (folder / "dog").mkdir(parents=True)
    (folder / "dog" / "1.wav").write_bytes(b"RIFF")
    with pytest.raises(DataError, match=r"is a folder of audio files, such as 1\.wav"):
        loaded(folder)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("my.pkl", b"\x80\x04K\x01.", "is a pickle, which can run code when it is read"),
        ("my.dta", b"<stata_dta>", "is a Stata file"),
        ("my.rds", b"\x1f\x8b", "is a file of R"),
        ("my.csv", b"\x80\x04K\x01.", "is a pickle"),
        ("my.csv", gzip.compress(CSV, mtime=0), "is a gz file, not a text file. Rename it"),
        ("my.txt", gzip.compress(CSV, mtime=0), "is packed, as files that end in .gz are"),
        ("my.csv.gz", b"no gzip", "cannot be unpacked"),
        ("my.json", b"{}", "cannot be read as json"),
        ("my.json", b"3", "cannot be read as json"),
        ("my.sqlite", b"SQLite format 3\0 and no more", "cannot be read as sqlite"),
        ("my.arff", b"no arff", "cannot be read as arff"),
        ("my.mat", b"no mat", "cannot be read as mat"),
        ("my.svm", b"no svm", "cannot be read as svm"),
        ("my.feather", b"no arrow", "cannot be read as feather"),
    ],
)
def test_other_and_damaged_files_are_named(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        loaded(path)
    assert message in str(caught.value)


@pytest.mark.parametrize("options", [{}, {"delimiter": ","}])
def test_numbers_as_numpy_writes_them_are_a_table_without_names(
    options: dict[str, Any], tmp_path: Path
) -> None:
    rows = np.random.default_rng(0).normal(size=(60, 4))
    rows[:, 3] = rows[:, 0] > 0
    np.savetxt(tmp_path / "my.txt", rows, **options)
    data = load(configuration.from_dict({"data": str(tmp_path / "my.txt")}).data)
    assert data.notes[0].startswith("target: column_4 (")
    assert (data.feature_names, data.class_names) == (("column_1", "column_2", "column_3"), ("0", "1"))


def test_a_damaged_data_set_of_hugging_face_is_named(tmp_path: Path) -> None:
    for split in ("train", "test"):
        (tmp_path / "saved" / split).mkdir(parents=True)
        (tmp_path / "saved" / split / "data-00000-of-00001.arrow").write_bytes(b"A")
    (tmp_path / "saved" / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    with pytest.raises(DataError, match=r"data-00000-of-00001\.arrow cannot be read as arrow"):
        loaded(tmp_path / "saved")
