"""The ways for what nearly all files look like: they give what the careful ways give, and leave them all else."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx.findings import PerfevalError
from perfeval_xlsx.limits import Limits
from perfeval_xlsx.workbook import open_workbook, patch, repack, save, save_copy, verify
from perfeval_xlsx.workbook.package import read_package
from perfeval_xlsx.workbook.save import Copy, save_copies
from perfeval_xlsx.workbook.usual import usual_copy, usual_rebuild

from .make import BOOK, SHEET, members_of, opened, pack, parts, sheet_xml, texts
from .test_package import SHAPES

ROWS = "".join(
    f'<row r="{row}"><c r="A{row}" s="2" t="s"><v>0</v></c><c r="B{row}"><v>{row}</v></c><c r="D{row}" s="11"/></row>'
    for row in range(1, 6)
)
ODD = (
    '<row r="7"><c r="A7"><f>B1</f><v>1</v></c><c r="B7" t="inlineStr"><is><t>x</t></is></c></row><row r="8"/>'
    '<row r="9"><c r="C9" t="e"><v>#N/A</v></c></row>'
)
MERGES = '<mergeCells><mergeCell ref="A2:B3"/><mergeCell ref="D5:E6"/></mergeCells>'
DATA = pack(parts(sheet_xml(ROWS.replace(' t="s"', ""))) | {"xl/media/image1.png": Random(1).randbytes(3_000)})
NEW = members_of(DATA)[SHEET].replace(b"<v>3</v>", b"<v>33.5</v>")
EDITS = {0: {(3, 2): 33.5}}


@settings(deadline=None, max_examples=100)
@given(st.dictionaries(st.sampled_from([*members_of(DATA), "xl/none.xml"]), st.binary(max_size=2_000)))
def test_a_package_put_together_as_a_whole_is_the_same_bytes(replaced: dict[str, bytes]) -> None:
    package = read_package(DATA)
    changed = {name.lower(): content for name, content in replaced.items()}
    usual = usual_rebuild(package, changed)
    assert (usual is None) == ("xl/none.xml" in changed)
    assert repack.rebuild(package, replaced) == repack._rebuilt(package, changed)
    assert members_of(repack.rebuild(package, replaced)) == members_of(DATA) | {
        name: content for name, content in replaced.items() if name != "xl/none.xml"
    }


@pytest.mark.parametrize("shape", SHAPES)
def test_packages_of_another_spelling_are_left_to_the_careful_way(shape: str) -> None:
    package = read_package(SHAPES[shape])
    usual = usual_rebuild(package, {SHEET: b"<new/>"})
    assert (usual is None) == (shape not in {"comment", "trailing bytes"})
    assert usual in {None, repack._rebuilt(package, {SHEET: b"<new/>"})}
    copy = repack.rebuild(package, {SHEET: b"<new/>"})
    assert (usual_copy(package, copy, {SHEET}) is None) == (shape in {"zip64", "preamble", "streamed"})


def verdict(content: bytes) -> str:
    """With what code a copy of ``DATA`` is refused, nothing where it is not."""
    try:
        save.verify(opened(DATA), content, EDITS, {SHEET})
    except PerfevalError as error:
        return error.finding.code
    return ""


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_a_damaged_copy_is_refused_where_the_careful_way_refuses_it(data: st.DataObject) -> None:
    content = bytearray(repack.rebuild(read_package(DATA), {SHEET: NEW}))
    assert usual_copy(read_package(DATA), bytes(content), {SHEET}) is not None
    directory = content.index(b"PK\1\2")
    places = st.one_of(st.integers(0, len(content) - 1), st.integers(directory, len(content) - 1))
    for place in data.draw(st.lists(places, min_size=1, max_size=3)):
        content[place] = data.draw(st.integers(0, 255))
    del content[data.draw(st.sampled_from([len(content)] * 9 + [len(content) - 1, 10, 0])) :]
    told = verdict(bytes(content))
    with pytest.MonkeyPatch.context() as careful:
        careful.setattr(verify, "usual_copy", lambda *_: None)
        assert verdict(bytes(content)) == told


def test_a_copy_over_a_limit_is_refused() -> None:
    book = opened(DATA, Limits(member_bytes=4_000))
    part = NEW.replace(b"<sheetData>", b"<sheetData>" + b" " * 4_000)
    with pytest.raises(PerfevalError) as refused:
        save.verify(book, repack.rebuild(book.package, {SHEET: part}), EDITS, {SHEET})
    assert refused.value.finding.code == "B27"
    assert "单个部件" in str(refused.value)


PLACES = st.tuples(st.integers(-1, 11), st.integers(-1, 6))
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.floats(),
    st.sampled_from([0.0, -0.0, 4.5, 10.0, 1e16, 2, True, "优", "", 1e308, "<&>", "a  b ", "x\n", "_x0041_", "\x07"]),
    st.text(max_size=3),
)


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(PLACES, VALUES, max_size=12), st.sampled_from([ROWS, ROWS + ODD, ODD]))
def test_what_is_set_without_asking_is_set_as_the_careful_way_sets_it(edits: Any, rows: str) -> None:
    book = opened(pack(parts(sheet_xml(rows.replace(' t="s"', ""), after=MERGES))))
    sheet, layout = book.sheet(0), book.layout(0)
    assert layout is not None
    usual = patch.patch(layout, sheet, edits, 256)
    with pytest.MonkeyPatch.context() as careful:
        careful.setattr(patch, "_usual", lambda _layout, edits, *_: ([], dict(edits)))
        assert patch.patch(layout, sheet, edits, 256) == usual
    content = repack.rebuild(book.package, {SHEET: usual[0]})
    save.verify(book, content, {0: usual[1]}, {SHEET})


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_a_sheet_with_any_other_byte_does_not_read_back(data: st.DataObject) -> None:
    book = opened(pack(parts(sheet_xml(ROWS.replace(' t="s"', "")))))
    layout = book.layout(0)
    assert layout is not None
    edits = data.draw(st.dictionaries(PLACES, st.sampled_from([4.5, 10.0, -0.25, "优", "a<b"]), min_size=1, max_size=6))
    part, made, _ = patch.patch(layout, book.sheet(0), edits, 256)
    quick = verify._reads_back(layout, part, made)
    odd = bytearray(part)
    place, byte = data.draw(st.integers(0, len(part) - 1)), data.draw(st.integers(0, 255))
    odd[place] = byte
    assert verify._reads_back(layout, bytes(odd), made) == (quick and odd == part)
    assert not verify._reads_back(layout, part + b" ", made)
    for at, value in made.items():
        other = 7.75 if isinstance(value, str) else value + 1
        assert not verify._reads_back(layout, part, {**made, at: other})


@pytest.mark.parametrize("together", [1, 1 << 22])
def test_copies_made_together_are_those_made_one_by_one(
    together: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(save, "_TOGETHER", together)
    sources = [tmp_path / f"{number}.xlsx" for number in range(5)]
    for source in sources:
        source.write_bytes(DATA)
    books = [open_workbook(source) for source in sources]
    edits = [{0: {(row, 2): row + 0.5, (1, 1 << 20): 1.0}} for row in range(1, 6)]
    targets = [tmp_path / "out" / f"{number}.xlsx" for number in range(5)]
    targets[1] = sources[1]
    (tmp_path / "out" / "3.xlsx").mkdir(parents=True)
    copies = [Copy(*each) for each in zip(books, edits, targets, strict=True)]
    save_copies(copies, durable=False)
    assert [copy.failed and copy.failed.finding.code for copy in copies] == [None, "B28", None, "B26", None]
    for at in (0, 2, 4):
        single = tmp_path / f"single{at}.xlsx"
        assert save_copy(books[at], edits[at], single, durable=False) == copies[at].refused != []
        assert targets[at].read_bytes() == single.read_bytes()
        assert texts(open_workbook(targets[at]).sheet(0))[at + 1, 2] == str(at + 1.5)
    assert sources[1].read_bytes() == DATA
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.xlsx", "2.xlsx", "3.xlsx", "4.xlsx"]


def test_an_unforeseen_error_leaves_no_file_without_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    books = [opened(DATA, name=f"{number}.xlsx") for number in range(3)]

    def broken(book: Any, *_: object) -> None:
        if book is books[1]:
            raise ZeroDivisionError

    monkeypatch.setattr(save, "verify", broken)
    copies = [Copy(book, EDITS, tmp_path / f"{number}.xlsx") for number, book in enumerate(books)]
    with pytest.raises(ZeroDivisionError):
        save_copies(copies, durable=False)
    assert list(tmp_path.iterdir()) == []


def test_the_workbook_part_is_asked_to_recalculate_in_a_copy_of_the_usual_way(tmp_path: Path) -> None:
    formulas = ODD.replace('<row r="8"/>', "")
    data = pack(parts(sheet_xml(ROWS.replace(' t="s"', "") + formulas)))
    assert save_copy(opened(data), EDITS, tmp_path / "copy.xlsx") == []
    after = members_of((tmp_path / "copy.xlsx").read_bytes())
    assert b'fullCalcOnLoad="1"' in after[BOOK]
    assert {name for name, content in members_of(data).items() if content != after[name]} == {SHEET, BOOK}
