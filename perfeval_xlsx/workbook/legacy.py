"""One door for every workbook: what can be patched in place, and what can only be read (.xls .et .xlsb .ods)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

from perfeval_xlsx.findings import Finding, PerfevalError
from perfeval_xlsx.limits import DEFAULT_LIMITS, Limits
from perfeval_xlsx.workbook import refusals as why
from perfeval_xlsx.workbook.book import Workbook, load, workbook_of
from perfeval_xlsx.workbook.cells import Sheet
from perfeval_xlsx.workbook.crypto import decrypt
from perfeval_xlsx.workbook.look import Contents, LaidSheet, Look
from perfeval_xlsx.workbook.package import read_package
from perfeval_xlsx.workbook.worker import ask, contents_of


class LegacyWorkbook:
    """A workbook that can be read but not patched; it reads like :class:`Workbook`.

    Attributes:
        path: The path as it was given.
        digest: SHA-256 of the file's bytes, hexadecimal.
        format: ``xls``, ``xlsb`` or ``ods``, by content.
        date1904: True when serial 0 is 1904-01-01.
        sheet_names: Names of all sheets, in order.
        sheet_states: ``visible``, ``hidden`` or ``veryHidden``, in the same order.
        protected_structure: True when sheets may not be added or renamed.
        findings: What a person should know about how the file was read.
        lossless: False: a copy is laid out anew.
    """

    lossless: ClassVar[bool] = False
    __slots__ = (
        "_laid", "_looks", "date1904", "digest", "findings", "format", "path", "protected_structure", "sheet_names",
        "sheet_states",
    )  # fmt: skip

    def __init__(self, path: Path, digest: str, contents: Contents) -> None:
        self.path, self.digest, self.format = path, digest, contents.format
        self.date1904, self.protected_structure = contents.date1904, contents.protected
        self._laid, self._looks = contents.sheets, contents.looks
        self.sheet_names = [laid.sheet.name for laid in contents.sheets]
        self.sheet_states = [laid.sheet.state for laid in contents.sheets]
        self.findings = [Finding(code, None, None, path.name) for code in contents.lost]

    def sheet(self, index: int) -> Sheet:
        """Return the sheet at a position of the workbook.

        Raises:
            IndexError: There is no such position.
        """
        return self._laid[index].sheet

    def sheets(self) -> Iterator[Sheet]:
        """Yield all sheets in order."""
        for laid in self._laid:
            yield laid.sheet

    def laid(self, index: int) -> LaidSheet:
        """Return a sheet with its widths, heights and the styles of blank cells."""
        return self._laid[index]

    def look(self, style: int) -> Look:
        """Return the look of a cell style."""
        return self._looks[style] if 0 <= style < len(self._looks) else Look()

    def number_format(self, style: int) -> str:
        """Return the format code of a cell style, ``General`` where none is known."""
        return self.look(style).code

    def style_at(self, index: int, row: int, column: int) -> int:
        """Return the style of a cell, blank ones too; 0 where there is none."""
        laid = self._laid[index]
        cell = laid.sheet.cells.get((row, column))
        return cell.style if cell is not None else laid.blanks.get((row, column), 0)

    def has_formulas(self, index: int) -> bool:
        """Whether any cell of a sheet is known to hold a formula; old binary formats do not say."""
        return any(cell.formula is not None for cell in self._laid[index].sheet.cells.values())


AnyWorkbook = Workbook | LegacyWorkbook


def open_any(path: Path | str, limits: Limits = DEFAULT_LIMITS, passwords: Sequence[str] = ()) -> AnyWorkbook:
    """Open a workbook of any format we read; what it is decides its content, not its name.

    Args:
        path: The file.
        limits: Bounds on everything a file can make us do.
        passwords: Passwords to try on an encrypted workbook, in order.

    Returns:
        A :class:`Workbook` for the .xlsx family, a :class:`LegacyWorkbook` for .xls .et .xlsb .ods; ``lossless`` tells
        them apart, ``findings`` says what could not be read.

    Raises:
        PerfevalError: With a finding of the B family that says what the file is and what to do.
    """
    path = Path(path)
    data = load(path, limits)
    try:
        return _opened(path, data, limits, sha256(data).hexdigest())
    except PerfevalError as error:
        if error.finding.code != why.ENCRYPTED:
            raise
    plain = decrypt(data, passwords, path.name, limits)
    if len(plain) > limits.file_bytes:
        raise why.over("file_bytes", len(plain), limits.file_bytes)
    book = _opened(path, plain, limits, sha256(data).hexdigest())
    book.findings.append(Finding(why.UNLOCKED, None, None, path.name))
    return book


def _opened(path: Path, data: bytes, limits: Limits, digest: str) -> AnyWorkbook:
    """Open bytes as what they are."""
    try:
        return workbook_of(path, data, digest, limits)
    except PerfevalError as error:
        read = _READERS.get(error.finding.code)
        if read is None:
            raise
        return LegacyWorkbook(path, digest, read(data, path.name, limits))


def _ods(data: bytes, _: str, limits: Limits) -> Contents:
    from perfeval_xlsx.workbook.legacy_ods import read_ods  # 10 ms of start-up that few runs need

    return read_ods(read_package(data, limits))


def _xls(data: bytes, name: str, limits: Limits) -> Contents:
    return contents_of(ask("xls", data, name, limits)[0])


def _xlsb(data: bytes, name: str, limits: Limits) -> Contents:
    """Read with formats, or only the values where a record is not as the standard has it."""
    from perfeval_xlsx.workbook.legacy_xlsb import read_xlsb

    try:
        return read_xlsb(read_package(data, limits))
    except (struct.error, IndexError):
        return contents_of(ask("xlsb", data, name, limits)[0])


_READERS: dict[str, Callable[[bytes, str, Limits], Contents]] = {
    why.LEGACY: _xls,
    why.XLSB: _xlsb,
    why.ODS: _ods,
}
