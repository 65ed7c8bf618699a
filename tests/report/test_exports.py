"""Rows as CSV, parquet, LaTeX and markdown: every column, the intervals, and names that break nothing."""

from __future__ import annotations

import csv
import io
import re

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot.report.rows.shown import Shown
from fewshot.report.tables.exports import exported
from fewshot.report.tables.latex import escaped
from fewshot.results.row import known_columns
from fewshot.results.short_names import ShortNames
from tests.support.report_rows import EVIL, quick_rows, row

HOSTILE = [
    EVIL,
    r"50% & more_\input{/etc/passwd} $x^2$ #1 ~ {",
    "a | b ` c * d [e](f) \\| g",
    "=cmd|' /C calc'!A0",
    "line\nline\r\\end{tabular}",
]


def named(name: str) -> Shown:
    """Two runs, the backbone of one of them with this name."""
    rows = [row(0.8, backbone="RawPixels(image_size=8)"), row(0.7), row(None, None, status="failed", error=name)]
    return Shown.of(rows, ShortNames({"RawPixels(image_size=8)": name}))


def records(shown: Shown) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(exported(shown, ".csv").decode())))


def test_csv_holds_every_column_of_every_row():
    rows = list(quick_rows())
    lines = records(Shown.of(rows))
    assert list(lines[0]) == ["backbone_name", "evaluator_name", "task", *rows[0].columns()]
    for one, line in zip(rows, lines, strict=True):
        assert line["run_id"] == one.run_id
        assert line["accuracy"] == ("" if one.accuracy is None else repr(one.accuracy))
    assert lines[0]["backbone_name"] == "tf_efficientnet_lite0 @128"
    assert lines[0]["task"].startswith("icons mono")
    assert lines[-1]["task"] == ""


def test_parquet_gives_back_every_value_with_its_type():
    rows = [*quick_rows(), row(1, seed=(1 << 64) - 1, n_way=None)]
    table = pq.read_table(io.BytesIO(exported(Shown.of(rows), ".parquet")))
    assert [line["run_id"] for line in table.to_pylist()] == [one.run_id for one in rows]
    for one, line in zip(rows, table.to_pylist(), strict=True):
        assert {name: line[name] for name in one.columns()} == one.columns()
    empty = pq.read_table(io.BytesIO(exported(Shown.of([row(None, None)]), ".parquet")))
    assert empty.schema == table.schema  # whatever the values are
    assert set(known_columns()) <= set(table.column_names)


def test_latex_has_booktabs_intervals_and_the_best_in_bold():
    text = exported(Shown.of([row(0.8), row(0.7, k_shot=5), row(0.6, transform="Identity()")]), ".tex").decode()
    assert text.startswith("% needs \\usepackage{booktabs}\n")
    assert text.count("\\toprule") == text.count("\\midrule") == text.count("\\bottomrule") == 1
    assert "Backbone & Evaluator & 1 shot & 5 shots \\\\" in text
    assert "raw pixels 32 & L2 + Prototype & \\textbf{80.0 $\\pm$ 0.6} & \\textbf{70.0 $\\pm$ 0.6} \\\\" in text
    assert "raw pixels 32 & Prototype & 60.0 $\\pm$ 0.6 &  \\\\" in text
    assert exported(Shown.of([row(None, None, status="failed")]), ".tex") == b"% No run has finished.\n"


@pytest.mark.parametrize(("n_runs", "environment"), [(40, "tabular"), (41, "longtable")])
def test_a_table_longer_than_a_page_breaks_over_pages(n_runs, environment):
    rows = [row(0.3 + n / 200, backbone=f"RawPixels(image_size={n + 1})") for n in range(n_runs)]
    text = exported(Shown.of(rows), ".tex").decode()
    assert ("longtable" in text.splitlines()[0]) == (environment == "longtable")
    assert text.count(rf"\begin{{{environment}}}") == text.count(rf"\end{{{environment}}}") == 1
    cells = [float(number) for number in re.findall(r"& (?:\\textbf{)?([\d.]+) \$", text)]
    assert cells == sorted(cells, reverse=True)
    assert len(cells) == n_runs


@pytest.mark.parametrize("suffix", [".tex", ".md"])
def test_signs_and_brackets_are_explained_where_readers_see_them(suffix):
    text = exported(Shown.of([row(0.8), row(0.795, transform="Identity()"), row(0.5, k_shot=5)]), suffix).decode()
    shown = " ".join(line for line in text.splitlines() if not line.startswith("%"))
    assert "Bold: best of the column." in shown
    assert "its interval overlaps that of the best" in shown


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_leaves_its_cell(name):
    text = exported(named(name), ".tex").decode()
    lines = [line for line in text.splitlines() if not line.startswith("%")]
    cells = [line for line in lines if line.endswith(r"\\")]
    assert len(cells) == 3
    assert all(len(re.findall(r"(?<!\\)&", line)) == 2 for line in cells)
    assert len([line for line in lines if r"\begin" in line or r"\end" in line]) == 4
    assert not re.search(r"(?<!\\)[#%]|\\input", "\n".join(lines))
    table = [line for line in exported(named(name), ".md").decode().splitlines() if line.startswith("|")]
    assert len(table) == 4
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1
    assert "<script" not in "\n".join(table)
    line = records(named(name))[0]
    assert not line["backbone_name"].startswith(("=", "+", "-", "@"))


@given(st.text())
def test_escaped_text_has_no_active_character(text):
    plain = escaped(text)
    for known in (r"\textbackslash{}", r"\textasciitilde{}", r"\textasciicircum{}", r"\textless{}", r"\textgreater{}"):
        plain = plain.replace(known, "")
    for known in (r"\textbar{}", r"$\pm$", r"$-$", r"\dots{}", r"$\approx$", r"$\dagger$", "{[}", "{]}"):
        plain = plain.replace(known, "")
    plain = re.sub(r"\\[&%$#_{}]", "", plain)
    assert not set(plain) & set("\\&%$#_{}~^\n\r\0")


def test_markdown_is_the_table_of_the_report():
    text = exported(Shown.of([row(0.8), row(0.6, transform="Identity()")]), ".md").decode()
    assert "| raw pixels 32 | L2 + Prototype | **80.0 ± 0.6** " in re.sub(" +", " ", text)


@pytest.mark.parametrize(("suffix", "shown"), [(".xlsx", "'.xlsx'"), ("", "'nothing'")])
def test_another_suffix_lists_the_known_ones(suffix, shown):
    with pytest.raises(ValueError, match=f"ends in .csv, .parquet, .tex, .md, not in {shown}"):
        exported(Shown.of([row()]), suffix)
