"""Old and binary workbooks made while the tests run: .xls by xlwt, .ods by hand and by odfpy, .xlsb by hand."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Mapping
from typing import Any

import xlwt

from perfeval_xlsx.workbook import Workbook

from .make import pack

Place = tuple[int, int]


def xls_bytes(book: Any) -> bytes:
    """The bytes of an xlwt workbook."""
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def as_xls(source: Workbook) -> bytes:
    """The same sheets as an .xls: values, number formats, merges, widths and what is hidden."""
    book = xlwt.Workbook(encoding="utf-8", style_compression=2)
    for index, sheet in enumerate(source.sheets()):
        made = book.add_sheet(sheet.name)
        made.visibility = {"visible": 0, "hidden": 1, "veryHidden": 2}[sheet.state]
        corners = {(merge.top, merge.left): merge for merge in sheet.merges}
        for (row, column), cell in sheet.cells.items():
            style = xlwt.easyxf("border: left thin, top thin; align: wrap on", source.number_format(cell.style))
            value = cell.text if cell.value is None else cell.value
            merge = corners.pop((row, column), None)
            if merge is None:
                made.write(row - 1, column - 1, value, style)
            else:
                made.write_merge(merge.top - 1, merge.bottom - 1, merge.left - 1, merge.right - 1, value, style)
        for merge in corners.values():
            made.write_merge(merge.top - 1, merge.bottom - 1, merge.left - 1, merge.right - 1)
        for row in sheet.hidden_rows:
            made.row(row - 1).hidden = True
        for column in sheet.hidden_columns:
            made.col(column - 1).hidden = True
        assert index < 50
    return xls_bytes(book)


OFFICE = "urn:oasis:names:tc:opendocument:xmlns:"
NAMES = " ".join(
    f'xmlns:{prefix}="{OFFICE}{name}:1.0"'
    for prefix, name in {
        "office": "office", "table": "table", "text": "text", "style": "style", "number": "datastyle",
        "fo": "xsl-fo-compatible", "draw": "drawing",
    }.items()
)  # fmt: skip
ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"


def ods_bytes(tables: str, styles: str = "", **members: str) -> bytes:
    """An .ods around the given tables and automatic styles."""
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {NAMES}><office:automatic-styles>{styles}'
        f"</office:automatic-styles><office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    return pack({"mimetype": ODS_TYPE, "content.xml": content} | members)


def record(kind: int, data: bytes = b"") -> bytes:
    """One BIFF12 record: its type and length in variable-length bytes ([MS-XLSB] 2.1.4)."""
    head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size, length = len(data), b""
    while size >= 128:
        length, size = length + bytes([size & 0x7F | 0x80]), size >> 7
    return head + length + bytes([size]) + data


def _text(value: str) -> bytes:
    return struct.pack("<I", len(value)) + value.encode("utf-16-le")


BIN_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/></Types>'
)


def xlsb_bytes(
    cells: Mapping[Place, Any],
    styled: Mapping[Place, int] | None = None,
    *,
    around: bytes = b"",
    before: bytes = b"",
    book: bytes = b"",
    **members: bytes,
) -> bytes:
    """An .xlsb with one visible sheet ([MS-XLSB]).

    A tuple ``("f", value)`` is a formula's result, an int a shared string, a bytes object an RK number, None a blank.
    """
    sheets = [(0, "rId1", "表"), (1, "rId4", "藏")]
    tabs = b"".join(
        record(156, struct.pack("<2I", state, 1) + _text(link) + _text(name)) for state, link, name in sheets
    )
    return pack(
        {
            "[Content_Types].xml": BIN_TYPES,
            "_rels/.rels": _relations("officeDocument", "xl/workbook.bin"),
            "xl/_rels/workbook.bin.rels": _relations(
                "worksheet",
                "worksheets/sheet1.bin",
                "styles",
                "styles.bin",
                "sharedStrings",
                "sharedStrings.bin",
                "worksheet",
                "worksheets/sheet2.bin",
            ),
            "xl/workbook.bin": record(131) + book + record(143) + tabs + record(144) + record(132),
            "xl/worksheets/sheet1.bin": before + b"".join(_sheet(cells, styled or {})) + around,
            "xl/worksheets/sheet2.bin": b"".join(_sheet({(1, 1): None}, {})),
        }
        | {f"xl/{name}.bin": part for name, part in members.items()}
    )


def _relations(*pairs: str) -> str:
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    links = "".join(
        f'<Relationship Id="rId{i // 2 + 1}" Type="{kind}/{pairs[i]}" Target="{pairs[i + 1]}"/>'
        for i in range(0, len(pairs), 2)
    )
    names = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<?xml version="1.0"?><Relationships xmlns="{names}">{links}</Relationships>'


def _sheet(cells: Mapping[Place, Any], styles: Mapping[Place, int]) -> Iterable[bytes]:
    rows, columns = [row for row, _ in cells], [column for _, column in cells]
    yield record(129)
    yield record(148, struct.pack("<4I", min(rows) - 1, max(rows) - 1, min(columns) - 1, max(columns) - 1))
    yield record(145)
    last = 0
    for (row, column), value in sorted(cells.items()):
        if row != last:
            yield record(0, struct.pack("<IIHxBx4x", row - 1, 0, 500, {2: 0x10, 3: 0x20}.get(row, 0)))
            last = row
        kind, data = _cell(value)
        yield record(kind, struct.pack("<2I", column - 1, styles.get((row, column), 0)) + data)
    yield record(146)
    yield record(130)


def _cell(value: Any) -> tuple[int, bytes]:
    """Record type and data of a value."""
    if isinstance(value, tuple):
        kind, data = _cell(value[1])
        return {6: 8, 5: 9, 4: 10, 3: 11}[kind], data + bytes(8)
    if value is None:
        return 1, b""
    if isinstance(value, bool):
        return 4, bytes([value])
    if isinstance(value, str):
        return (3, b"\x07") if value == "#DIV/0!" else (6, _text(value))
    if isinstance(value, bytes):
        return 2, value
    return (7, struct.pack("<I", value)) if isinstance(value, int) else (5, struct.pack("<d", value))


def xlsb_styles() -> bytes:
    """A styles part: style 1 is a bold, framed, wrapped, stacked, yellow percentage, style 2 a built-in date."""
    font = struct.pack("<4H", 240, 0, 700, 0) + bytes(13) + _text("宋体")
    border = b"\0" + b"".join(bytes([line]) + bytes(9) for line in (6, 0, 1, 2, 0))
    fill = struct.pack("<I", 1) + b"\x05\xff\0\0\xff\xff\0\xff" + bytes(56)
    plain, percent = struct.pack("<5H", 0, 0, 0, 0, 0), struct.pack("<5H", 0, 164, 1, 1, 1)
    date = struct.pack("<5H", 0, 14, 0, 0, 0)
    return b"".join(
        [
            record(44, struct.pack("<H", 164) + _text("0.00%")),
            record(43, bytes(21) + _text("")), record(43, font),
            record(45, bytes(68)), record(45, fill), record(46, bytes(51)), record(46, border),
            record(626), record(47, percent + b"\0\0" + struct.pack("<HH", 0, 0)), record(627),
            record(617), record(47, plain + bytes(6)), record(47, percent + b"\xff\0" + struct.pack("<HH", 2 | 1 << 3 | 64, 0)),
            record(47, date + bytes(6)), record(618),
        ]
    )  # fmt: skip


def xlsb_strings(*texts: str) -> bytes:
    """A shared strings part."""
    return b"".join(record(19, b"\0" + _text(text)) for text in texts)
