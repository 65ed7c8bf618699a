"""One reader for all CSV files: a mistake is one sentence, with a line number if it is in a line."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import fewshot
from fewshot.files.csv_files import CsvFile, csv_text

PACKAGE = Path(fewshot.__file__).parent


def read(folder, content, needed=("a", "b"), further=()):
    (folder / "t.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return CsvFile.read(folder / "t.csv", "table", needed, further)


def test_fields_are_stripped_and_rows_know_their_line(tmp_path):
    text = '\ufeff a , b\r\n\r\n1, x\r\n ,\r\n"two\nlines","with ""quotes"", é"\r\n'
    file = read(tmp_path, text)
    assert file.columns == {"a": ["1", "two\nlines"], "b": ["x", 'with "quotes", é']}
    assert file.number == [3, 6]
    assert list(file.rows()) == [{"a": "1", "b": "x"}, {"a": "two\nlines", "b": 'with "quotes", é'}]
    assert str(file.error(1, "no")) == f"{tmp_path}/t.csv, line 6: no"


def test_written_rows_are_read_unchanged(tmp_path):
    rows = [("a", "b"), ("1,5", 'say "x"'), ("two\nlines", "é")]
    text = csv_text(rows)
    assert text == 'a,b\n"1,5","say ""x"""\n"two\nlines",é\n'
    file = read(tmp_path, text)
    assert list(zip(*file.columns.values(), strict=True)) == rows[1:]


def test_further_columns_may_be_named_or_any(tmp_path):
    assert list(read(tmp_path, "b,c,a\n1,2,3\n", further=("c", "d")).columns) == ["b", "c", "a"]
    assert list(read(tmp_path, "x,,y\n1,2,3\n", (), None).columns) == ["x", "", "y"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "t.csv is empty; expected a header with the columns a and b"),
        (
            "a;b\n1;2\n",
            "t.csv seems to be separated by semicolons: its first line is 'a;b'; save it as a CSV file with",
        ),
        ("a b\n1 2\n", "t.csv has no column 'a'; expected a first line a,b, separated by commas, found 'a b'"),
        ("a,b,c\n1,2,3\n", "t.csv has an unknown column 'c'; expected a first line a,b, separated"),
        ("a,b,a\n1,2,3\n", "t.csv has two columns 'a'; name every column once"),
        ("a,b\n", "t.csv has nothing below its first line 'a,b'; add one line per entry"),
        (
            "a,b\n1,2\n\n1\n",
            r"t.csv, line 4: expected 2 fields \(a, b\), found 1; put fields with a comma in quotes",
        ),
        ('a,b\n1,"2\n', "t.csv, line 2: unexpected end of data; write a quote inside quotes twice"),
        ('a,b\n1,"2"x\n', "t.csv, line 2: ',' expected after '\"'; write a quote inside quotes twice"),
        (
            b"a,b\n" + 9000 * b"1,2\n" + b"1,B\xe4r\n",
            r"t.csv, line 9002 is not UTF-8 \(perhaps Latin-1\): invalid continuation byte; save the fi",
        ),
        ("a,b\n1,2\n".encode("utf-16"), r"t.csv, line 1 is not UTF-8 \(perhaps UTF-16\): invalid start byte"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path, content, message):
    with pytest.raises(ValueError, match=message) as error:
        read(tmp_path, content)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("mark", "word"), [(";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")])
@pytest.mark.parametrize("needed", [("a", "b"), ()])
def test_another_separator_is_named(tmp_path, mark, word, needed):
    with pytest.raises(ValueError, match=f"t.csv seems to be separated by {word}: its first line is .* with commas"):
        read(tmp_path, f"a{mark}b\n1,5{mark}0,3\n", needed, None)


def test_one_field_is_singular(tmp_path):
    with pytest.raises(ValueError, match=r"line 2: expected 1 field \(a\), found 2"):
        read(tmp_path, "a\n1,2\n", ("a",))


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(ValueError, match=r"there is no table .*none.csv; give a CSV file with the columns a, b and c$"):
        CsvFile.read(tmp_path / "none.csv", "table", ("a", "b", "c"))
    with pytest.raises(ValueError, match=r"there is no table .*none.csv; give a CSV file$"):
        CsvFile.read(tmp_path / "none.csv", "table")
    with pytest.raises(ValueError, match=r"cannot read the table .*: it is a folder, not a regular file"):
        CsvFile.read(tmp_path, "table")


def test_no_other_module_reads_or_writes_csv():
    using = [
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import) and any(alias.name == "csv" for alias in node.names)
    ]
    assert using == ["files/csv_files.py"]
