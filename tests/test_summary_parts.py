"""Blocks deflated apart and joined, texts cleaned together, links: properties."""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx.output.cell_texts import clean
from perfeval_xlsx.output.form_rows import Row
from perfeval_xlsx.output.links import Links, link_target
from perfeval_xlsx.output.parts import Spool, _joined_crc, joined_crc, pack, rows_in, save, unpack
from perfeval_xlsx.output.sheets import blocks, columns, height, row_lines, wraps
from perfeval_xlsx.output.single_rows import row_xml
from perfeval_xlsx.workbook import strings

FEW = settings(deadline=None, max_examples=60)


@FEW
@given(st.binary(max_size=400), st.binary(max_size=70_000))
def test_joined_crc_is_that_of_the_whole(first: bytes, second: bytes) -> None:
    for joined in (joined_crc, _joined_crc):
        assert joined(zlib.crc32(first), zlib.crc32(second), len(second)) == zlib.crc32(first + second)


@FEW
@given(st.lists(st.binary(max_size=300), max_size=6), st.binary(max_size=20))
def test_what_is_joined_reads_back(pieces: list[bytes], plain: bytes) -> None:
    layout = BytesIO()
    with zipfile.ZipFile(layout, "w") as package:
        package.writestr("kept.xml", b"kept")
        package.writestr("sheet.xml", b"old")
    spool = Spool()
    for rows, piece in enumerate(pieces):
        block = pack(piece, rows)
        assert (unpack(block), rows_in(block)) == (piece, rows)
        spool.add(block)
    whole = b"".join(pieces)
    assert spool.rows == sum(range(len(pieces)))
    assert spool.figures()[:2] == (len(whole), zlib.crc32(whole))
    changed = {"sheet.xml": [plain, spool, b"", plain], "new.xml": [spool]}
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "joined.zip")
        save(layout.getvalue(), changed, target, durable=False)
        with zipfile.ZipFile(target) as package:
            assert package.namelist() == ["kept.xml", "sheet.xml", "new.xml"]
            content = {name: package.read(name) for name in package.namelist()}
    spool.close()
    assert content == {"kept.xml": b"kept", "sheet.xml": plain + whole + plain, "new.xml": whole}


@FEW
@given(st.lists(st.text(st.characters() | st.sampled_from("\x1f\r\n_x0041&<>\ud800\uffff"), max_size=20), max_size=8))
def test_texts_cleaned_together_are_cleaned_alike(texts: list[str]) -> None:
    together = clean(texts)
    assert list(together) == [clean([text])[0] for text in texts]
    for text, cleaned in zip(texts, together, strict=True):
        shown = ElementTree.fromstring(f"<v>{cleaned}</v>").text or ""
        assert strings.unescape(shown) == strings.clean(text)


def test_a_figure_becomes_a_number_only_where_the_column_holds_figures() -> None:
    keys: Row = {column.key: "12" for column in columns("detail", "zh")}
    shown = list(ElementTree.fromstring(row_xml("detail", keys, "zh", {})))
    for column, cell in zip(columns("detail", "zh"), shown, strict=True):
        assert (cell.get("t") == "str") == column.text


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("1,234.5", "1234.5", None), ("86.18%", "0.8618", None), ("-3", "-3", None), ("12,34", "12,34", "str"),
        ("1e5", "1e5", "str"), ("１２", "１２", "str"), ("3.5万元", "3.5万元", "str"), ("-", "-", "str"), (None, None, None),
        ("1234567890123456", "1234567890123456", "str"), ("nan", "nan", "str"),
    ],
)  # fmt: skip
def test_figures(text: str | None, value: str | None, kind: str | None) -> None:
    keys = {column.key: text for column in columns("detail", "zh")}
    cells = ElementTree.fromstring(row_xml("detail", keys, "zh", {}))
    cell = cells[[column.key for column in columns("detail", "zh")].index("score")]
    assert (cell.findtext("v"), cell.get("t")) == (value, kind)


def test_rows_are_as_high_as_their_texts_need() -> None:
    (column,) = [column for column in columns("detail", "zh") if column.key == "basis"]
    fits = int(column.width - 1)
    texts = ["a" * fits, "a" * (fits + 1), "字" * (fits // 2), "字" * fits, "", "字" * 30_000]
    found = [int(height(lines)) for lines in row_lines(wraps([column]), {"basis": texts})]
    one, two, same, more, blank, most = found
    assert one == same == blank < two == more < most <= 409


def test_links_beyond_what_a_sheet_takes_are_left_out() -> None:
    links = Links()
    links.add(3, [(row, "a.xlsx") for row in range(1, 65_533)])
    links.add(3, [(70_000, "b.xlsx"), (70_001, "c.xlsx")])
    assert links.count == 65_530
    links.close()
    short = Links()
    short.add(3, [(1, "x" * 2_001), (2, "x")])
    assert short.count == 1
    short.close()


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("scored/市 局/a#1.xlsx", "scored/市%20局/a%231.xlsx"),
        ("scored\\a.xlsx", "scored/a.xlsx"),
        ("scored/100%.xlsx", "scored/100%25.xlsx"),
        ('scored/"a"&b?.xlsx', "scored/%22a%22&b%3F.xlsx"),
    ],
)
def test_link_targets(path: str, target: str) -> None:
    assert link_target(path) == target


def test_blocks_keep_order_and_size() -> None:
    assert [*blocks(range(7), 3)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [*blocks([], 3)] == []
