"""Open a workbook and hand over its sheets."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import ClassVar, NamedTuple

from perfeval_xlsx.findings import Finding, cause_of
from perfeval_xlsx.limits import DEFAULT_LIMITS, Limits
from perfeval_xlsx.workbook import refusals as why
from perfeval_xlsx.workbook.cells import Sheet
from perfeval_xlsx.workbook.display import Format
from perfeval_xlsx.workbook.layout import Context, Layout
from perfeval_xlsx.workbook.package import Package, read_package
from perfeval_xlsx.workbook.recognise import is_zip, not_a_workbook, not_a_zip
from perfeval_xlsx.workbook.refusals import over, refuse
from perfeval_xlsx.workbook.relations import Relation, read_relations, read_types, relations_of
from perfeval_xlsx.workbook.sheet import read_sheet
from perfeval_xlsx.workbook.strings import read_strings
from perfeval_xlsx.workbook.styles import read_styles
from perfeval_xlsx.workbook.xml import RELATION_ID, is_true, local, parse, utf8

_FORMATS = {
    "spreadsheetml.sheet.main": "xlsx",
    "ms-excel.sheet.macroenabled.main": "xlsm",
    "spreadsheetml.template.main": "xltx",
    "ms-excel.template.macroenabled.main": "xltm",
}
_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_BLOCK = 65_536
"""Bytes asked for at a time beyond the size that the system tells."""
_STATES = {"hidden": "hidden", "veryhidden": "veryHidden"}


class _Tab(NamedTuple):
    """A sheet as workbook.xml lists it."""

    name: str
    state: str
    relation: str


class _Contents:
    """What is read from workbook.xml."""

    def __init__(self) -> None:
        self.tabs: list[_Tab] = []
        self.date1904 = False
        self.protected = False
        self.recalculates = False
        self.root = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = local(name)
        self.root = self.root or tag or "?"
        if tag == "sheet":
            state = _STATES.get(attributes.get("state", "").lower(), "visible")
            relation = next((attributes[key] for key in RELATION_ID if key in attributes), "")
            self.tabs.append(_Tab(attributes.get("name", ""), state, relation))
        elif tag == "workbookPr":
            self.date1904 = is_true(attributes.get("date1904"))
        elif tag == "calcPr":
            self.recalculates = is_true(attributes.get("fullCalcOnLoad"))
        elif tag == "workbookProtection":
            self.protected = is_true(attributes.get("lockStructure"))


@lru_cache(maxsize=64)
def _contents(part: bytes, name: str, depth: int) -> _Contents:
    """Read workbook.xml; not to be changed: files of one template are spelled alike and read once."""
    contents = _Contents()
    parse(part, name, depth, contents.start)
    return contents


class Workbook:
    """A workbook: its sheets are parsed when they are asked for, once.

    Attributes:
        path: The path as it was given.
        digest: SHA-256 of the file's bytes, hexadecimal.
        format: ``xlsx``, ``xlsm``, ``xltx`` or ``xltm``, by content.
        date1904: True when serial 0 is 1904-01-01.
        sheet_names: Names of all sheets, chart sheets too, in order.
        sheet_states: ``visible``, ``hidden`` or ``veryHidden``, in the same order.
        protected_structure: True when sheets may not be added or renamed in Excel.
        recalculates: True when the file asks to be computed anew on opening: its saved results may be none.
        package: The members.
        part: Name of the workbook part.
        findings: What a person should know about how the file was read.
        lossless: True: a copy is the file itself with some cells set.
    """

    lossless: ClassVar[bool] = True
    __slots__ = (
        "_context", "_formats", "_layouts", "_relations", "_sheets", "_strings", "_tabs", "date1904", "digest",
        "findings", "format", "package", "part", "path", "protected_structure", "recalculates", "sheet_names",
        "sheet_states",
    )  # fmt: skip

    def __init__(self, path: Path, digest: str, package: Package) -> None:
        self.path, self.digest, self.package = path, digest, package
        self.findings: list[Finding] = []
        self.part, self.format = _workbook_part(package)
        depth = package.limits.xml_depth
        contents = _contents(package.read(self.part), self.part, depth)
        if contents.root != "workbook" or not contents.tabs:
            raise refuse(why.NO_WORKBOOK)
        self._tabs = contents.tabs
        self.sheet_names = [tab.name for tab in contents.tabs]
        self.sheet_states = [tab.state for tab in contents.tabs]
        self.date1904, self.protected_structure = contents.date1904, contents.protected
        self.recalculates = contents.recalculates
        name = relations_of(self.part)
        self._relations: dict[str, Relation] = {}
        if name in package:
            self._relations = read_relations(package.read(name), name, self.part, depth)
        self._sheets: dict[int, Sheet] = {}
        self._layouts: dict[int, Layout] = {}
        self._strings: list[str] | None = None
        self._formats: tuple[Format, ...] | None = None
        self._context: Context | None = None

    def sheet(self, index: int) -> Sheet:
        """Return the sheet at a position of the workbook; a chart sheet is a sheet without cells.

        Raises:
            PerfevalError: The part is missing, not well-formed or over a limit.
            IndexError: There is no such position.
        """
        if index not in self._sheets:
            self._read(index)
        return self._sheets[index]

    def sheets(self) -> Iterator[Sheet]:
        """Yield all worksheets in order; chart sheets are left out.

        Raises:
            PerfevalError: As :meth:`sheet`.
        """
        for index in range(len(self._tabs)):
            if self.sheet_part(index) is not None:
                yield self.sheet(index)

    def sheet_part(self, index: int) -> str | None:
        """Return the member name of a worksheet, None for a chart, dialog or macro sheet and for one without a part.

        Raises:
            PerfevalError: The workbook lists a sheet whose part is missing.
        """
        tab = self._tabs[index]
        relation = self._relations.get(tab.relation)
        if relation is None or relation.kind != "worksheet":
            return None
        if relation.target not in self.package:
            raise refuse(why.SHEET, tab.name)
        return relation.target

    def layout(self, index: int) -> Layout | None:
        """Return where everything stands in a worksheet's part, None for a chart sheet."""
        self.sheet(index)
        return self._layouts.get(index)

    def number_format(self, style: int) -> str:
        """Return the format code of a cell style, ``General`` for one the file does not define."""
        formats = self._styles()
        return formats[style].code if 0 <= style < len(formats) else "General"

    def style_at(self, index: int, row: int, column: int) -> int:
        """Return the style of a cell, blank ones too; 0 where there is none."""
        cell = self.sheet(index).cells.get((row, column))
        if cell is not None:
            return cell.style
        layout = self._layouts.get(index)
        return 0 if layout is None else layout.style(row, column)

    def has_formulas(self, index: int) -> bool:
        """Whether any cell of a sheet holds a formula."""
        layout = self.layout(index)
        return layout is not None and layout.formulas

    def _read(self, index: int) -> None:
        tab = self._tabs[index]
        sheet = Sheet(tab.name, index, tab.state)
        name = self.sheet_part(index)
        if name is not None:
            if self._context is None:
                self._context = Context(self.shared_strings(), self._styles(), self.date1904, self.package.limits)
            self._layouts[index] = read_sheet(utf8(self.package.read(name), name), name, sheet, self._context)
        self._sheets[index] = sheet

    def _related(self, kind: str) -> str | None:
        """Return the member name of the workbook's first part of a kind."""
        for relation in self._relations.values():
            if relation.kind == kind and relation.target in self.package:
                return relation.target
        return None

    def shared_strings(self) -> Sequence[str]:
        """Return the shared strings, read once."""
        if self._strings is None:
            name = self._related("sharedStrings")
            limits = self.package.limits
            self._strings = [] if name is None else read_strings(self.package.read(name), name, limits)
        return self._strings

    def styles_part(self) -> str | None:
        """Return the member name of the styles part, None where the workbook has none."""
        return self._related("styles")

    def _styles(self) -> tuple[Format, ...]:
        if self._formats is None:
            name = self.styles_part()
            limits = self.package.limits
            self._formats = () if name is None else read_styles(self.package.read(name), name, limits)
        return self._formats


def _workbook_part(package: Package) -> tuple[str, str]:
    """Return the name of the workbook part and the format of the package.

    Raises:
        PerfevalError: The zip holds something else.
    """
    depth, name = package.limits.xml_depth, "[Content_Types].xml"
    overrides, defaults = read_types(package.read(name), name, depth) if name in package else ({}, {})
    part = _main_part(package)
    kind = overrides.get(part.lower()) or defaults.get(part.rpartition(".")[2].lower(), "")
    kind = kind.lower()
    if part in package and "binary" not in kind:
        for marker, found in _FORMATS.items():
            if marker in kind:
                return part, found
        if "wordprocessingml" not in kind and "presentationml" not in kind and kind.endswith("xml"):
            return part, "xlsx"
    if "binary" in kind and part in package:
        raise refuse(why.XLSB)
    raise not_a_workbook(set(package.members), package.read("mimetype") if "mimetype" in package else b"")


def _main_part(package: Package) -> str:
    """Return the target of the package's officeDocument relation, the usual name where there is none."""
    name = "_rels/.rels"
    if name in package:
        for relation in read_relations(package.read(name), name, "", package.limits.xml_depth).values():
            if relation.kind == "officeDocument" and relation.target:
                return relation.target
    return "xl/workbook.xml"


def open_workbook(path: Path | str, limits: Limits = DEFAULT_LIMITS, data: bytes | None = None) -> Workbook:
    """Open an ``.xlsx``, ``.xlsm``, ``.xltx`` or ``.xltm`` file; what it is decides its content, not its name.

    Args:
        path: The file.
        limits: Bounds on everything a file can make us do.
        data: The file's bytes where they are at hand already (a decrypted workbook).

    Raises:
        PerfevalError: With a finding ``B01`` … ``B25`` that says what the file is and what to do.
    """
    path = path if isinstance(path, Path) else Path(path)
    content = load(path, limits) if data is None else data
    return workbook_of(path, content, sha256(content).hexdigest(), limits)


def workbook_of(path: Path, content: bytes, digest: str, limits: Limits) -> Workbook:
    """Open a workbook's bytes, whose digest is known.

    Raises:
        PerfevalError: As :func:`open_workbook`.
    """
    if not content:
        raise refuse(why.EMPTY, path.name)
    if len(content) > limits.file_bytes:
        raise over("file_bytes", len(content), limits.file_bytes)
    if not is_zip(content):
        raise not_a_zip(content)
    return Workbook(path, digest, read_package(content, limits))


def load(path: Path, limits: Limits) -> bytes:
    """Read a file once, not beyond the limit.

    Raises:
        PerfevalError: There is no such file, it cannot be read, or it is a lock file.
    """
    if path.name.startswith("~$"):
        raise refuse(why.LOCK, path.name)
    try:
        there = path.stat()
        if S_ISDIR(there.st_mode):
            raise refuse(why.DIRECTORY, path.name)
        if not S_ISREG(there.st_mode):
            raise refuse(why.UNREADABLE, path.name, detail="not a regular file")
        file = os.open(path, _READ)
        try:
            content = os.read(file, min(there.st_size, limits.file_bytes) + 1)
            while len(content) <= limits.file_bytes and (more := os.read(file, _BLOCK)):
                content += more
        finally:
            os.close(file)
        return content
    except FileNotFoundError as error:
        raise refuse(why.MISSING, path.name) from error
    except (OSError, ValueError) as error:
        missing = isinstance(error, OSError) and error.errno in {errno.ENOTDIR, errno.ENAMETOOLONG}
        raise refuse(why.MISSING if missing else why.UNREADABLE, path.name, detail=cause_of(error)) from error
