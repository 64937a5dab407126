"""Old and binary workbooks made while the tests run: .xls by xlwt, .ods by hand and by odfpy, .xlsb by hand."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Mapping
from typing import Any

import xlwt

from perfeval_xlsx.workbook import Workbook
from perfeval_xlsx.workbook.display import compiled

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


def _record(kind: int, data: bytes = b"") -> bytes:
    """One BIFF12 record: its type and length in variable-length bytes ([MS-XLSB] 2.1.4)."""
    head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size, length = len(data), b""
    while size >= 128:
        length, size = length + bytes([size & 0x7F | 0x80]), size >> 7
    return head + length + bytes([size]) + data


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def xlsb_bytes(cells: Mapping[Place, Any], name: str = "表") -> bytes:
    """An .xlsb with one sheet of numbers, booleans and texts ([MS-XLSB])."""
    return pack(
        {
            "[Content_Types].xml": '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/></Types>',
            "_rels/.rels": _relations(("officeDocument", "xl/workbook.bin")),
            "xl/_rels/workbook.bin.rels": _relations(("worksheet", "worksheets/sheet1.bin")),
            "xl/workbook.bin": b"".join(
                [
                    _record(131),
                    _record(143),
                    _record(156, struct.pack("<2I", 0, 1) + _wide("rId1") + _wide(name)),
                    _record(144),
                    _record(132),
                ]
            ),
            "xl/worksheets/sheet1.bin": b"".join(_sheet(cells)),
        }
    )


def _relations(*targets: tuple[str, str]) -> str:
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    links = "".join(
        f'<Relationship Id="rId{i}" Type="{kind}/{name}" Target="{to}"/>' for i, (name, to) in enumerate(targets, 1)
    )
    return f'<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{links}</Relationships>'


def _sheet(cells: Mapping[Place, Any]) -> Iterable[bytes]:
    rows, columns = [row for row, _ in cells], [column for _, column in cells]
    yield _record(129)
    yield _record(148, struct.pack("<4I", min(rows) - 1, max(rows) - 1, min(columns) - 1, max(columns) - 1))
    yield _record(145)
    last = 0
    for (row, column), value in sorted(cells.items()):
        if row != last:
            yield _record(0, struct.pack("<2I", row - 1, 0) + bytes(9))
            last = row
        head = struct.pack("<2I", column - 1, 0)
        if isinstance(value, bool):
            yield _record(4, head + bytes([value]))
        elif isinstance(value, str):
            yield _record(6, head + _wide(value))
        else:
            yield _record(5, head + struct.pack("<d", value))
    yield _record(146)
    yield _record(130)


def is_date(code: str) -> bool:
    """Whether numbers show as dates under a format."""
    return compiled(code).date
