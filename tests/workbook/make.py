"""Workbooks made by hand, member by member, so that a test says exactly what stands in the file."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from perfeval_xlsx.findings import Finding, PerfevalError
from perfeval_xlsx.limits import DEFAULT_LIMITS, Limits
from perfeval_xlsx.workbook import Sheet, Workbook, open_workbook

HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT_RELATIONS = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"

SHEET = "xl/worksheets/sheet1.xml"
BOOK = "xl/workbook.xml"
STRINGS = "xl/sharedStrings.xml"
STYLES = "xl/styles.xml"


def sheet_xml(rows: str = "", *, after: str = "", before: str = "", namespace: str = MAIN) -> str:
    """A worksheet part around the given rows."""
    return f'{HEAD}<worksheet xmlns="{namespace}">{before}<sheetData>{rows}</sheetData>{after}</worksheet>'


def styles_xml(*codes: str) -> str:
    """A styles part whose cell style ``i`` has the ``i``-th format code."""
    formats = "".join(
        f'<numFmt numFmtId="{164 + i}" formatCode="{code.replace("&", "&amp;").replace(chr(34), "&quot;")}"/>'
        for i, code in enumerate(codes)
    ).replace("<=", "&lt;=")
    styles = "".join(f'<xf numFmtId="{164 + i}"/>' for i in range(len(codes)))
    return f'{HEAD}<styleSheet xmlns="{MAIN}"><numFmts>{formats}</numFmts><cellXfs>{styles}</cellXfs></styleSheet>'


def strings_xml(*items: str) -> str:
    """A shared strings part of the given ``si`` contents."""
    return f'{HEAD}<sst xmlns="{MAIN}">{"".join(f"<si>{item}</si>" for item in items)}</sst>'


def parts(
    *sheets: str | bytes, workbook: str = "", relations: str = RELATIONS, namespace: str = MAIN
) -> dict[str, str | bytes]:
    """The members of a workbook with the given sheet parts; ``workbook`` is put before ``sheets``."""
    numbers = range(1, len(sheets) + 1)
    tabs = "".join(f'<sheet name="表{i}" sheetId="{i}" r:id="rId{i}"/>' for i in numbers)
    links = "".join(
        f'<Relationship Id="rId{i}" Type="{relations}/worksheet" Target="worksheets/sheet{i}.xml"/>' for i in numbers
    )
    links += f'<Relationship Id="rId98" Type="{relations}/sharedStrings" Target="sharedStrings.xml"/>'
    links += f'<Relationship Id="rId99" Type="{relations}/styles" Target="styles.xml"/>'
    overrides = f'<Override PartName="/{BOOK}" ContentType="{_TYPES}.sheet.main+xml"/>'
    overrides += "".join(
        f'<Override PartName="/xl/worksheets/sheet{i}.xml" ContentType="{_TYPES}.worksheet+xml"/>' for i in numbers
    )
    root = f'<Relationship Id="rId1" Type="{relations}/officeDocument" Target="{BOOK}"/>'
    default = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    made: dict[str, str | bytes] = {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="{_PACKAGE}/content-types">{default}{overrides}</Types>',
        "_rels/.rels": f'{HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{root}</Relationships>',
        BOOK: f'{HEAD}<workbook xmlns="{namespace}" xmlns:r="{relations}">{workbook}<sheets>{tabs}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>',
    }
    return made | {f"xl/worksheets/sheet{i}.xml": sheet for i, sheet in zip(numbers, sheets, strict=True)}


def pack(members: Mapping[str, str | bytes]) -> bytes:
    """The bytes of a zip of the given members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in members.items():
            package.writestr(zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def opened(data: bytes, limits: Limits = DEFAULT_LIMITS, name: str = "表.xlsx") -> Workbook:
    """A workbook from bytes, without a file."""
    return open_workbook(Path(name), limits, data)


def read(rows: str, **members: str) -> Sheet:
    """The sheet of a workbook whose only sheet holds ``rows``; ``strings`` and ``styles`` are whole parts."""
    names = {"strings": STRINGS, "styles": STYLES}
    return opened(pack(parts(sheet_xml(rows)) | {names[key]: part for key, part in members.items()})).sheet(0)


def texts(sheet: Sheet) -> dict[tuple[int, int], str]:
    """The displayed text of every cell."""
    return {place: cell.text for place, cell in sheet.cells.items()}


def refusal_of(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Finding | None:
    """The finding with which a file is refused when everything in it is read, or None."""
    try:
        for _ in opened(data, limits).sheets():
            pass
    except PerfevalError as error:
        return error.finding
    return None


def members_of(data: bytes) -> dict[str, bytes]:
    """Name and inflated content of every member, by the standard library's reader."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return {info.filename: package.read(info) for info in package.infolist()}
