"""The limits under which a workbook is opened and read: one place, printed in a refusal."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds; a workbook beyond one of them is refused with the limit's name and number.

    Attributes:
        file_bytes: Size of the file.
        members: Members of the package.
        member_bytes: Inflated size of one member, checked while inflating.
        package_bytes: Inflated size of all members read.
        ratio: Inflated to deflated size, applied only above ``ratio_from_bytes``.
        ratio_from_bytes: Inflated size from which ``ratio`` counts.
        xml_depth: Nesting of elements.
        rows: Rows with content on a sheet.
        empty_rows: Reading stops after so many empty rows in a row.
        columns: Columns read; content further right is ignored.
        cells: Cells of a sheet, blank ones included.
        merges: Merged ranges of a sheet.
        strings: Shared strings of a workbook.
        worker_bytes: Address space of the process that reads old and binary workbooks, where the system can bound it.
        worker_seconds: How long that process may take for one workbook.
    """

    file_bytes: int = 64 * MIB
    members: int = 2_000
    member_bytes: int = 64 * MIB
    package_bytes: int = 256 * MIB
    ratio: int = 200
    ratio_from_bytes: int = 16 * MIB
    xml_depth: int = 64
    rows: int = 20_000
    empty_rows: int = 2_000
    columns: int = 256
    cells: int = 1_000_000
    merges: int = 20_000
    strings: int = 1_000_000
    worker_bytes: int = 2_048 * MIB
    worker_seconds: int = 60


DEFAULT_LIMITS = Limits()
