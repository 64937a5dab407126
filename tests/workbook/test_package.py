"""The package under its limits: what is too large, unsafe, broken or a trap is refused with a code and a number."""

from __future__ import annotations

import io
import struct
import tomllib
import zipfile
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx.data import load as words
from perfeval_xlsx.findings import PerfevalError
from perfeval_xlsx.limits import DEFAULT_LIMITS, MIB, Limits
from perfeval_xlsx.workbook import directory, open_workbook, save_copy
from perfeval_xlsx.workbook.package import read_package
from perfeval_xlsx.workbook.repack import rebuild

from .make import (
    BOOK,
    HEAD,
    MAIN,
    SHEET,
    STRINGS,
    STYLES,
    members_of,
    opened,
    pack,
    parts,
    read,
    refusal_of,
    sheet_xml,
    strings_xml,
    styles_xml,
    texts,
)

ROW = '<row r="{0}"><c r="A{0}"><v>1</v></c></row>'
PLAIN = pack(parts(sheet_xml(ROW.format(1))) | {STRINGS: strings_xml("<t>一</t>"), STYLES: styles_xml("General")})


def test_the_limits_are_those_that_were_agreed() -> None:
    assert asdict(DEFAULT_LIMITS) == {
        "file_bytes": 64 * MIB, "members": 2_000, "member_bytes": 64 * MIB, "package_bytes": 256 * MIB, "ratio": 200,
        "ratio_from_bytes": 16 * MIB, "xml_depth": 64, "rows": 20_000, "empty_rows": 2_000, "columns": 256,
        "cells": 1_000_000, "merges": 20_000, "strings": 1_000_000,
        "worker_bytes": 2_048 * MIB, "worker_seconds": 60,
    }  # fmt: skip


def nested(depth: int) -> str:
    return "<a>" * depth + "</a>" * depth


MERGES = '<mergeCells><mergeCell ref="A1:B1"/><mergeCell ref="A2:B2"/><mergeCell ref="A3:B3"/></mergeCells>'
OVER = {
    "file_bytes": (PLAIN, len(PLAIN) - 1, len(PLAIN)),
    "members": (PLAIN, 6, 7),
    "member_bytes": (PLAIN, 100, None),
    "package_bytes": (PLAIN, 1000, None),
    "rows": (pack(parts(sheet_xml("".join(ROW.format(i) for i in range(1, 5))))), 3, 4),
    "cells": (pack(parts(sheet_xml('<row r="1"><c r="A1"/><c r="B1"/><c r="C1"/></row>'))), 2, 3),
    "merges": (pack(parts(sheet_xml(after=MERGES))), 2, 3),
    "strings": (pack(parts(sheet_xml()) | {STRINGS: strings_xml("", "", "")}), 2, 3),
}


@pytest.mark.parametrize("limit", OVER)
def test_a_workbook_over_a_limit_is_refused_with_its_name_and_both_numbers(limit: str) -> None:
    data, allowed, found = OVER[limit]
    finding = refusal_of(data, replace(DEFAULT_LIMITS, **{limit: allowed}))
    assert finding is not None
    assert (finding.code, finding.args["limit"], finding.expected) == ("B17", limit, str(allowed))
    if found is not None:
        assert finding.found == str(found)
        assert refusal_of(data, replace(DEFAULT_LIMITS, **{limit: found})) is None
    for lang in ("zh", "en"):
        message = finding.text("message", lang)
        assert words("terms.toml")["limit"][limit][lang] in message
        assert str(finding.found) in message
        assert str(allowed) in message


@pytest.mark.parametrize("name", [SHEET, STRINGS, STYLES, BOOK, "_rels/.rels", "[Content_Types].xml"])
def test_xml_nested_too_deep_is_refused_in_every_part(name: str) -> None:
    members = members_of(PLAIN)
    for depth, code in ((20, None), (80, "B17")):
        root_end = members[name].rindex(b"</")
        deep = members[name][:root_end] + nested(depth).encode() + members[name][root_end:]
        finding = refusal_of(pack(members | {name: deep}))
        assert (finding and finding.code) == code
        assert finding is None or (finding.args["limit"], finding.found, finding.expected) == ("xml_depth", "65", "64")


@pytest.mark.parametrize("name", [SHEET, STRINGS, STYLES, BOOK, "_rels/.rels", "[Content_Types].xml"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_doctype_is_refused_in_every_part(name: str, encoding: str) -> None:
    declaration = f'<?xml version="1.0" encoding="{encoding}"?>'
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]>'
    text = members_of(PLAIN)[name].decode().replace(HEAD, declaration + bomb)
    finding = refusal_of(pack(members_of(PLAIN) | {name: text.encode(encoding)}))
    assert finding is not None
    assert finding.code == "B18"


def test_a_bomb_is_refused_before_it_is_inflated() -> None:
    data = pack(members_of(PLAIN) | {"xl/media/image1.png": b"\0" * (17 * MIB)})
    finding = refusal_of(data)
    assert finding is not None
    assert (finding.code, finding.args["limit"], finding.expected) == ("B17", "ratio", "200")
    assert refusal_of(pack(members_of(PLAIN) | {"xl/media/image1.png": b"\0" * (15 * MIB)})) is None


def test_a_member_larger_than_announced_is_never_inflated_beyond_it() -> None:
    data = bytearray(pack(members_of(PLAIN) | {SHEET: b" " * (40 * MIB)}))
    entry = data.rindex(b"PK\1\2", 0, data.rindex(SHEET.encode()))
    struct.pack_into("<I", data, entry + 24, 1000)
    finding = refusal_of(bytes(data), replace(DEFAULT_LIMITS, ratio=10**6))
    assert finding is not None
    assert (finding.code, finding.found) == ("B23", SHEET)


def test_empty_rows_end_a_sheet_and_content_beyond_the_columns_is_left_alone() -> None:
    rows = ROW.format(1) + ROW.format(1_900) + ROW.format(3_901) + ROW.format(1_048_576)
    assert set(read(rows).cells) == {(1, 1), (1_900, 1)}
    wide = (
        '<row r="1"><c r="A1"><v>1</v></c><c r="IV1"><v>2</v></c><c r="IW1"><v>3</v></c><c r="XFD1"><v>4</v></c></row>'
    )
    assert set(read(wide).cells) == {(1, 1), (1, 256)}


def test_a_huge_dimension_costs_nothing() -> None:
    sheet = opened(pack(parts(sheet_xml(ROW.format(1), before='<dimension ref="A1:XFD1048576"/>')))).sheet(0)
    assert texts(sheet) == {(1, 1): "1"}


@pytest.mark.parametrize(
    "name",
    ["../evil.xml", "xl/../../evil.xml", "/evil.xml", "C:/evil.xml", "xl/./a.xml", "..\\evil.xml", "XL/Workbook.XML"],
)
def test_an_unsafe_or_duplicate_member_name_is_refused(name: str) -> None:
    finding = refusal_of(pack(members_of(PLAIN) | {name: b"<a/>"}))
    assert finding is not None
    assert (finding.code, finding.found) == ("B21", name.replace("\\", "/"))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_same_name_twice_is_refused() -> None:
    buffer = io.BytesIO(PLAIN)
    with zipfile.ZipFile(buffer, "a") as package:
        package.writestr(SHEET, sheet_xml(ROW.format(2)))
    finding = refusal_of(buffer.getvalue())
    assert finding is not None
    assert (finding.code, finding.found) == ("B21", SHEET)


def test_a_local_header_that_names_another_member_is_refused() -> None:
    place = PLAIN.index(SHEET.encode())
    finding = refusal_of(PLAIN[:place] + b"xl/worksheets/sheet2.xml" + PLAIN[place + 24 :])
    assert finding is not None
    assert finding.code == "B21"


def test_a_wrong_checksum_is_refused_and_an_unread_member_is_never_checked() -> None:
    members = members_of(PLAIN) | {"xl/media/a.bin": b"x" * 64}
    for name, code in ((SHEET, "B23"), ("xl/media/a.bin", None)):
        data = bytearray(pack(members))
        entry = data.rindex(b"PK\1\2", 0, data.rindex(name.encode()))
        struct.pack_into("<I", data, entry + 16, 12345)
        finding = refusal_of(bytes(data))
        assert (finding and finding.code) == code


@pytest.mark.parametrize(("offset", "value"), [(8, 1), (10, 12), (10, 14)])
def test_an_encrypted_member_or_an_unknown_method_is_refused(offset: int, value: int) -> None:
    data = bytearray(PLAIN)
    entry = data.rindex(b"PK\1\2", 0, data.rindex(SHEET.encode()))
    struct.pack_into("<H", data, entry + offset, value)
    finding = refusal_of(bytes(data))
    assert finding is not None
    assert (finding.code, finding.found) == ("B22", SHEET)


def test_a_workbook_cut_off_anywhere_is_refused() -> None:
    for length in range(4, len(PLAIN)):
        finding = refusal_of(PLAIN[:length])
        assert finding is not None, length
        assert finding.code == "B16", length


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_bytes_are_damaged_the_answer_is_a_finding_or_a_workbook(data: st.DataObject) -> None:
    broken = bytearray(PLAIN)
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    finding = refusal_of(bytes(broken))
    assert finding is None or finding.text()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400), st.booleans())
def test_bytes_of_any_kind_are_recognised_or_refused(noise: bytes, zipped: bool) -> None:
    finding = refusal_of(b"PK\3\4" + noise + b"PK\5\6" + b"\0" * 18 if zipped else noise)
    assert finding is not None
    assert finding.text("message", "en")
    assert finding.text("suggestion", "zh")


ODD = (
    "<row>", "</row>", '<row r="-1"/>', '<c r="A0"/>', '<c r="ZZZZ1"/>', '<c s="x"/>', '<c t="s"><v>9</v></c>', "<v>1</v>",
    '<mergeCell ref="x"/>', '<col hidden="1" min="x"/>', '<xf numFmtId="x"/>', '<sheet name="x" r:id="y"/>', "&x;", "\0",
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([SHEET, STRINGS, STYLES, BOOK]), st.data())
def test_whatever_a_part_says_the_answer_is_a_finding_or_a_workbook(name: str, data: st.DataObject) -> None:
    part = members_of(PLAIN)[name]
    place = data.draw(st.integers(0, len(part)))
    inserted = data.draw(st.sampled_from(ODD))
    finding = refusal_of(pack(members_of(PLAIN) | {name: part[:place] + inserted.encode() + part[place:]}))
    assert finding is None or finding.text()


def test_backslashes_of_old_writers_are_slashes_and_stay_as_they_are_in_the_copy(tmp_path: Path) -> None:
    # zipfile turns a backslash into a slash on some systems, so the name is put in by hand.
    data = PLAIN.replace(b"xl/worksheets/sheet1.xml", b"xl\\worksheets\\sheet1.xml")
    book = opened(data)
    assert texts(book.sheet(0)) == {(1, 1): "1"}
    assert save_copy(book, {0: {(1, 1): 7}}, tmp_path / "copy.xlsx") == []
    copy = (tmp_path / "copy.xlsx").read_bytes()
    assert copy.count(b"xl\\worksheets\\sheet1.xml") == 2
    assert texts(opened(copy).sheet(0)) == {(1, 1): "7"}


def zip64(data: bytes) -> bytes:
    """The package with zip64 records and with its directory's offsets in zip64 fields."""
    plain = read_package(data)
    directory = b""
    for member in plain.members.values():
        fields = list(struct.unpack_from("<4s6H3I5H2I", member.header))
        fields[8:10], fields[11], fields[16] = [0xFFFFFFFF, 0xFFFFFFFF], 28, 0xFFFFFFFF
        extra = struct.pack("<2H3Q", 1, 24, member.size, member.packed, member.offset)
        directory += struct.pack("<4s6H3I5H2I", *fields) + member.raw_name + extra
    start, count = plain.directory[0], len(plain.members)
    end64 = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(directory), start)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, start + len(directory), 1)
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return data[:start] + directory + end64 + locator + end


def streamed(members: dict[str, bytes]) -> bytes:
    """A package as a writer that cannot seek makes it: sizes stand in descriptors behind the data."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.data += data
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as package:  # type: ignore[call-overload]
        for name, content in members.items():
            package.writestr(name, content)
    return bytes(pipe.data)


SHAPES = {
    "zip64": zip64(PLAIN),
    "preamble": b"#!/bin/sh\n" + PLAIN,
    "comment": PLAIN[:-2] + b"\5\0hello",
    "streamed": streamed(members_of(PLAIN)),
    "trailing bytes": PLAIN + b"\r\n",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_zip_is_read_copied_and_read_again(shape: str, tmp_path: Path) -> None:
    book = opened(SHAPES[shape])
    assert texts(book.sheet(0)) == {(1, 1): "1"}
    assert rebuild(book.package, {}) == SHAPES[shape]
    assert save_copy(book, {0: {(2, 2): "新"}}, tmp_path / "copy.xlsx") == []
    copy = (tmp_path / "copy.xlsx").read_bytes()
    assert texts(opened(copy).sheet(0)) == {(1, 1): "1", (2, 2): "新"}
    before, after = members_of(PLAIN), members_of(copy)
    assert {name for name in before if before[name] != after[name]} == {SHEET}


def test_stored_members_are_read(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as package:
        for name, content in members_of(PLAIN).items():
            package.writestr(name, content)
    assert texts(opened(buffer.getvalue()).sheet(0)) == {(1, 1): "1"}


def test_reading_a_workbook_again_and_again_is_no_bomb() -> None:
    book = opened(PLAIN, Limits(package_bytes=sum(map(len, members_of(PLAIN).values()))))
    for _ in range(3):
        assert texts(book.sheet(0)) == {(1, 1): "1"}


def test_the_limits_hold_while_inflating_not_only_in_the_directory() -> None:
    size = sum(map(len, members_of(PLAIN).values()))
    package = read_package(PLAIN, Limits(package_bytes=size))
    for name in package.members:
        package.read(name)
    with pytest.raises(PerfevalError) as refused:
        package.read(SHEET)
    assert (refused.value.finding.args["limit"], refused.value.finding.expected) == ("package_bytes", str(size))


def test_every_refusal_has_texts_in_both_languages() -> None:
    path = Path(__file__).parents[2] / "perfeval_xlsx" / "data" / "messages.toml"
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["finding"]
    for code, entry in entries.items():
        if code.startswith("B"):
            assert set(entry["message"]) == {"zh", "en"}, code
            assert entry["severity"] in {"error", "warning", "hint"}
            assert "suggestion" in entry or "B31" <= code <= "B36", code


def test_a_file_one_byte_over_the_limit_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "大.xlsx"
    path.write_bytes(PLAIN)
    with pytest.raises(PerfevalError) as refused:
        open_workbook(path, Limits(file_bytes=100))
    assert refused.value.finding.found == "101"
    assert MAIN in members_of(PLAIN)[SHEET].decode()


def told(data: bytes) -> object:
    """What reading a package's directory gives, or why it is refused."""
    try:
        package = read_package(data)
    except PerfevalError as error:
        return error.finding.code, error.finding.found, error.finding.args
    return list(package.members.items()), package.order, package.bounds


@settings(deadline=None, max_examples=300)
@given(st.integers(0, len(PLAIN) - 1), st.integers(0, 255), st.booleans())
def test_a_template_that_is_known_is_read_as_one_that_is_not(place: int, byte: int, near_the_end: bool) -> None:
    place = len(PLAIN) - 1 - place % 800 if near_the_end else place
    data = PLAIN[:place] + bytes([byte]) + PLAIN[place + 1 :]
    directory._shapes.clear()
    careful = told(data)
    directory._shapes.clear()
    plain = told(PLAIN)
    assert len(directory._shapes) == 1
    assert told(data) == careful
    assert told(PLAIN) == plain


def test_no_more_templates_are_remembered_than_have_room() -> None:
    directory._shapes.clear()
    for count in range(100):
        data = pack(members_of(PLAIN) | {f"docProps/{name}.xml": b"<a/>" for name in range(count)})
        assert told(data) == told(data)
    assert 0 < len(directory._shapes) <= 64
    for letter in "abcdefgh":
        data = pack(members_of(PLAIN) | {f"docProps/{letter}.xml": b"<a/>"})
        assert told(data) == told(data)
    assert max(map(len, directory._shapes.values())) <= 4
