"""Formulas saved without their results: computed by the ``formulas`` extra, or left without one; never taken for 0.

The engine (a Rust library) runs in a process of its own and gets the file's bytes. Of what it says only that counts
which can be vouched for: every formula a result rests on calls trusted functions alone (``data/formulas.toml``), and
every cell it was computed from holds, as the engine read the file, what it holds as this package reads it.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isfinite
from typing import Any

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import PerfevalError
from perfeval_xlsx.limits import Limits
from perfeval_xlsx.workbook.book import Workbook
from perfeval_xlsx.workbook.cells import Cell, Sheet, a1, row_column
from perfeval_xlsx.workbook.display import compiled, show
from perfeval_xlsx.workbook.recompute import recompute
from perfeval_xlsx.workbook.worker import ask

Computed = Mapping[int, frozenset[tuple[int, int]]]
"""Cells that got a result, by position of their sheet."""

_ENGINE = "formualizer"
_DEEPEST, _WIDEST = 64, 20_000
"""Steps from a formula to what it rests on, and cells on the way: beyond these it is left alone."""
_FUNCTION = re.compile(r"(?:_xlfn\.)?([A-Z_][A-Z0-9_.]*)\(", re.IGNORECASE)
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_DIGIT = re.compile(r"\d")
_PLAIN = re.compile(r"-?\d+(?:\.\d+)?%?")
_LONG = re.compile(r"\d[\d.]{15}")


def is_installed() -> bool:
    """Whether the engine is there."""
    return importlib.util.find_spec(_ENGINE) is not None


def without_results(sheet: Sheet) -> list[tuple[int, int]]:
    """Cells of a sheet whose formula was saved without its result, in sheet order."""
    return [place for place, cell in sheet.calculations() if not cell.cached]


def doubt_zeros(book: object, sheet: Sheet) -> None:
    """Take for missing the zeros that a program saved for results it did not compute.

    Programs that write a 0 for every formula (XlsxWriter does, unless it is told better) ask Excel to compute the file
    on opening. In such a file a 0 counts only where it can be confirmed, from cells that do not hang on other zeros.
    """
    if not isinstance(book, Workbook) or not (book.recalculates and book.has_formulas(sheet.index)):
        return
    zeros = {place: cell for place, cell in sheet.calculations() if cell.formula is not None and cell.value == 0}
    sheet.change({place: cell._replace(text="", value=None, type="s", cached=False) for place, cell in zeros.items()})
    found = set(zeros)
    while found:
        found = {place for place, cell in zeros.items() if recompute(sheet.cells, cell.formula or "") == 0}
        sheet.change({place: zeros.pop(place) for place in found})


def compute(book: object, sheets: Iterable[Sheet]) -> Computed:
    """Give the formulas of some sheets the results they were saved without, in the sheets themselves.

    A cell that gets one shows it under its own number format; ``cached`` stays False.

    Args:
        book: The workbook. Only the .xlsx family is computed, and no workbook that counts days from 1904.
        sheets: Sheets of it, as it hands them over.

    Returns:
        The cells that got a result. All others are as they were: the engine is not installed, died or took too long, or
        the formula rests on something it is not trusted with.
    """
    if not isinstance(book, Workbook) or book.date1904 or not is_installed():
        return {}
    wanted = [(sheet, *place) for sheet in sheets for place in _computable(book, sheet)]
    if not wanted:
        return {}
    asked = {"cells": [[sheet.name, row, column] for sheet, row, column in wanted]}
    try:
        answer, _ = ask("formulas", book.package.data, book.path.name, book.package.limits, asked=asked)
    except PerfevalError:
        return {}
    done: dict[int, frozenset[tuple[int, int]]] = {}
    for (sheet, row, column), said in zip(wanted, answer["results"], strict=True):
        if said is not None and _read_alike(book, said["from"]):
            sheet.change({(row, column): _cell(book, sheet.cells[row, column], said)})
            done[sheet.index] = done.get(sheet.index, frozenset()) | {(row, column)}
    return done


def _computable(book: Workbook, sheet: Sheet) -> Iterator[tuple[int, int]]:
    """Cells without a result; those of array formulas are left out, their results belong to more than one cell."""
    layout = book.layout(sheet.index)
    arrays = layout.arrays if layout else []
    for row, column in without_results(sheet):
        if not any(m.top <= row <= m.bottom and m.left <= column <= m.right for m in arrays):
            yield row, column


def _read_alike(book: Workbook, read: Sequence[tuple[str, int, int, Any]]) -> bool:
    """Whether the engine read the cells it computed from as this package does."""
    return all(_alike(book, name, row, column, value) for name, row, column, value in read)


def _alike(book: Workbook, name: str, row: int, column: int, value: Any) -> bool:
    if name not in book.sheet_names:
        return False
    cell = book.sheet(book.sheet_names.index(name)).cells.get((row, column))
    if cell is None or value is None:
        return (cell is None or cell.text == "") and value in {None, ""}
    if cell.type == "b":
        return isinstance(value, bool) and cell.text == str(value).upper()
    if cell.value is not None:
        return isinstance(value, float | int) and not isinstance(value, bool) and float(value) == cell.value
    return isinstance(value, str) and (cell.text == value or compiled(book.number_format(cell.style)).shapes_text)


def _cell(book: Workbook, old: Cell, said: Mapping[str, Any]) -> Cell:
    """Return a cell with its result as a person would see it."""
    value, code = said["value"], book.number_format(old.style)
    if said["error"]:
        return old._replace(text=value, type="e")
    if isinstance(value, bool):
        return old._replace(text=str(value).upper(), type="b")
    form = compiled(code)
    if isinstance(value, str):
        return old._replace(text=form.text(value) if form.shapes_text else value)
    return old._replace(text=show(value, code), value=float(value), type="d" if form.date else "n")


def results(data: bytes, cells: Sequence[tuple[str, int, int]], limits: Limits) -> dict[str, Any]:
    """Compute cells of a workbook in this process; see :func:`compute`.

    Args:
        data: The workbook's bytes.
        cells: Sheet name, row and column of each.
        limits: Bounds on what is unpacked.

    Returns:
        ``results``: for each cell None, or ``value``, ``error`` (whether the value is an error's text) and ``from``
        (sheet name, row, column and value of every cell without a formula that it rests on).
    """
    import formualizer

    book = formualizer.load_workbook_bytes(data, load_limits=_bounds(limits))
    book.set_temporal_egress("serial")
    values = book.evaluate_cells([tuple(cell) for cell in cells])
    return {"results": [_vouched(book, cell, value) for cell, value in zip(cells, values, strict=True)]}


def _bounds(limits: Limits) -> dict[str, int]:
    return {
        "max_input_bytes": limits.file_bytes, "max_entries": limits.members, "max_part_bytes": limits.member_bytes,
        "max_expanded_bytes": limits.package_bytes, "max_xml_depth": limits.xml_depth,
    }  # fmt: skip


def _vouched(book: Any, cell: tuple[str, int, int], value: Any) -> dict[str, Any] | None:
    """Return a result with what it rests on, None where something on the way cannot be vouched for."""
    name, row, column = cell
    root = "'" + name.replace("'", "''") + "'!" + a1(row, column)
    traced = book.trace(
        [root], max_depth=_DEEPEST, max_nodes=_WIDEST, max_links=_WIDEST, range_member_budget=_WIDEST
    ).to_dict()
    nodes = [node["cell"] for node in traced["nodes"].values()]
    formulas = [node for node in nodes if node["formula"]]
    leaves = [node for node in nodes if not node["formula"]]
    if traced["truncation"]["incomplete"] or not formulas or not all(map(_followed, traced["links"])):
        return None
    calls = {call for node in formulas for call in _calls(node["formula"])}
    if not (calls <= _words("functions") and all(map(_trusted, formulas)) and _shown(value) is not None):
        return None
    if calls & _words("hiding") and any(map(_looks_like_a_number, leaves)):
        return None
    read = [[*_place(node["address"]), _shown(node["value"])] for node in leaves]
    return {"value": _shown(value), "error": isinstance(value, dict), "from": read}


def _words(name: str) -> frozenset[str]:
    return frozenset(load("formulas.toml")[name])


def _followed(link: Mapping[str, Any]) -> bool:
    """Whether a reference leads to cells of this workbook, all of them known."""
    known = link["reference"]["kind"] in {"Cell", "Range", "Name", "Table"} and not link["omitted"]
    return known and all(target["disposition"] in {"Expanded", "Convergent"} for target in link["targets"])


def _calls(formula: str) -> Iterator[str]:
    """Names of the functions a formula calls."""
    return (match[1].upper() for match in _FUNCTION.finditer(_QUOTED.sub("", formula)))


def _trusted(node: Mapping[str, Any]) -> bool:
    """Whether a formula has one result, of a kind a spreadsheet would give."""
    value = node["value"]
    # A spreadsheet writes 15 digits of a number into a text; the engine more.
    long = isinstance(value, str) and _LONG.search(value) is not None
    return not (node["volatile"] or node["spill"] or long) and _shown(value) is not None


def _shown(value: Any) -> Any:
    """Return a value as JSON takes it, an error as its text; None where there is none to show."""
    if isinstance(value, dict):
        return load("formulas.toml")["errors"].get(value.get("kind"))
    return None if isinstance(value, float) and not isfinite(value) else value


def _looks_like_a_number(node: Mapping[str, Any]) -> bool:
    value = node["value"]
    return isinstance(value, str) and bool(_DIGIT.search(value)) and not _PLAIN.fullmatch(value.strip())


def _place(address: str) -> tuple[str, int, int]:
    """Return sheet name, row and column of an address such as ``'表 1'!A5``."""
    name, _, cell = address.rpartition("!")
    if name.startswith("'"):
        name = name[1:-1].replace("''", "'")
    return name, *row_column(cell)
