"""The filled copy: which cells get which figure; everything else in the file stays as it is."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import compress, count
from math import isclose
from operator import ne, or_
from pathlib import Path
from typing import NamedTuple

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, Lang, PerfevalError
from perfeval_xlsx.form.model import Form, FundRow
from perfeval_xlsx.form.rows import column_of
from perfeval_xlsx.output.outcome import finding_result
from perfeval_xlsx.scoring.measure import number
from perfeval_xlsx.scoring.result import FormResult, RowResults
from perfeval_xlsx.workbook import AnyWorkbook, Cell, LegacyWorkbook, Refusal, Sheet, Workbook, a1, row_column
from perfeval_xlsx.workbook.patch import Value
from perfeval_xlsx.workbook.recompute import recompute_after
from perfeval_xlsx.workbook.save import Copy, save_copies

Edits = dict[tuple[int, int], str | float]
_SAME = 0.005
_SAVED = frozenset("nds")
"""Types of results that a copy can be given: numbers, dates, texts."""
_FILLED = frozenset({"ruled", "judged", "reviewed"})
"""Statuses of rows whose score the copy shows."""
_LABELLED = frozenset({"total", "grade"})
"""Fields whose cell may hold a label: what is filled in behind it (``等级：``) replaces nothing."""
_PLAIN_RATE = re.compile(r"\d+(\.\d+)?")
_LABEL = re.compile(r"([^:：]*[:：])\s*([^\d:：]*)")
"""A label with its colon, and what stands behind the place of its figure."""
_SUMMED = {"total", "weight", "grade"}
"""Fields whose formulas rest on the scores that the copy fills in: their old values say nothing."""


class Filling(NamedTuple):
    """A workbook, its forms, their results in the same order, and where the filled copy goes."""

    book: AnyWorkbook
    forms: Sequence[Form]
    results: Sequence[FormResult]
    target: Path | str


def fill(
    book: AnyWorkbook,
    forms: Sequence[Form],
    results: Sequence[FormResult],
    target: Path,
    *,
    keep: bool = False,
    lang: Lang = "zh",
    durable: bool = True,
) -> None:
    """Write ``target``, a copy of ``book`` with scores, rate, totals and grade filled in.

    ``results`` (one per form) get what was replaced and what could not be written. The input is never touched.

    Args:
        book: The opened workbook.
        forms: Its forms.
        results: Their results, in the same order.
        target: Path of the copy; replaced atomically.
        keep: Fill blank cells only.
        lang: Language of findings.
        durable: Flush to disk before replacing.

    Raises:
        PerfevalError: The copy cannot be written or does not verify.
    """
    failed = fill_all([Filling(book, forms, results, target)], keep=keep, lang=lang, durable=durable)[0]
    if failed is not None:
        raise failed


def fill_all(
    fillings: Sequence[Filling], *, keep: bool = False, lang: Lang = "zh", durable: bool = True
) -> list[PerfevalError | None]:
    """Fill copies as ``fill`` does; return why each one is not there, None where it is."""
    copies = [_copied(one, keep=keep, lang=lang, durable=durable) for one in fillings]
    save_copies([copy for copy in copies if isinstance(copy, Copy)], durable=durable)
    for one, copy in zip(fillings, copies, strict=True):
        if isinstance(copy, Copy) and copy.failed is None:
            _report(one, copy.edits, copy.refused, lang)
    return [copy.failed if isinstance(copy, Copy) else copy for copy in copies]


def _copied(one: Filling, *, keep: bool, lang: Lang, durable: bool) -> Copy | PerfevalError | None:
    """The copy that is to be saved; None where it is written at once, why there is none where there can be none."""
    edits: dict[int, Edits] = defaultdict(dict)
    try:
        for form, result in zip(one.forms, one.results, strict=True):
            _edit(one.book, form, result, edits, keep=keep, lang=lang)
        _complete(one.book, one.forms, edits)
        if isinstance(one.book, Workbook):
            return Copy(one.book, edits, one.target)
        _lay_out(one, one.book, edits, lang, durable=durable)
    except PerfevalError as error:
        return error
    return None


def _lay_out(one: Filling, book: LegacyWorkbook, edits: Mapping[int, Edits], lang: Lang, *, durable: bool) -> None:
    """Write a copy that is laid out anew, where the format has no lossless writer."""
    from perfeval_xlsx.output.relaid import relaid_note, write_relaid

    refused = write_relaid(book, edits, one.target, durable=durable)
    one.results[0]["findings"].append(finding_result(relaid_note(book), lang))
    _report(one, edits, refused, lang)


def _report(
    one: Filling, edits: Mapping[int, Mapping[tuple[int, int], Value]], refused: Sequence[Refusal], lang: Lang
) -> None:
    """Tell the cells that were not written."""
    for refusal in refused:
        for form, result in zip(one.forms, one.results, strict=True):
            if form.holds(refusal.sheet, refusal.row):
                address = form.address(refusal.sheet, a1(refusal.row, refusal.column))
                value = edits[refusal.sheet][refusal.row, refusal.column]
                result["replaced"] = [r for r in result["replaced"] if r["cell"] != address]
                finding = Finding("S11", address, None, None, _plain(value), {"reason": refusal.reason})
                result["findings"].append(finding_result(finding, lang))


def _spot(book: AnyWorkbook, form: Form, address: str) -> tuple[int, tuple[int, int], Cell | None]:
    """A cell's sheet, its place there, and the cell where something stands in it."""
    index, own = form.place(address)
    position = row_column(own)
    return index, position, book.sheet(index).cells.get(position)


def _shown(book: AnyWorkbook, form: Form, address: str) -> tuple[int, tuple[int, int], str, Cell | None]:
    """A cell's sheet, its place there, what it shows, and itself where it may hold a formula: else that is at hand."""
    index, own = form.place(address) if form.pages else (form.sheet_index, address)
    position, sheet = row_column(own), book.sheet(index)
    if sheet.lines is not None and sheet.formulas == []:
        line = sheet.lines.get(position[0])
        return index, position, "" if line is None else line.get(position[1], ""), None
    cell = sheet.cells.get(position)
    return index, position, cell.text.strip() if cell is not None else "", cell


def _wanted(form: Form, result: FormResult, book: AnyWorkbook) -> Iterator[tuple[str | None, str, str | float | None]]:
    """Every (cell, field, value) the copy should show."""
    if result["status"] == "reported":
        return
    scores, statuses, typed = _columns(form, result)
    cells = column_of(form.indicators, "cells")
    for place in _unlike(form, scores, typed):
        if statuses[place] in _FILLED:
            yield cells[place].get("score"), "score", _float(scores[place])
    fund = next((f for f in form.funds if f.role == "total"), None)
    execution = result["execution"]
    if fund is not None and execution is not None:
        yield fund.cells.get("rate"), "rate", _rate(fund, execution["rate"], book, form)
        if execution["status"] in {"ruled", "reviewed"}:
            yield fund.cells.get("score"), "score", _float(execution["score"])
    if result["status"] == "scored":
        if not form.total.get("weight"):
            yield form.total_cells.get("weight"), "weight", 100.0
        yield from _total(form, result, book)


def _columns(form: Form, result: FormResult) -> tuple[Sequence[str | None], Sequence[str], Sequence[str | None]]:
    """Scores, statuses and typed scores of a form's rows."""
    rows = result["indicators"]
    if isinstance(rows, RowResults):
        return rows.columns["score"], rows.columns["status"], rows.typed
    scores, statuses = [row["score"] for row in rows], [row["status"] for row in rows]
    return scores, statuses, column_of(form.indicators, "score")


def _unlike(form: Form, scores: Sequence[str | None], typed: Sequence[str | None]) -> Iterator[int]:
    """Positions of rows whose score is not the text of its cell, or whose cell holds a formula without a result."""
    unlike = map(ne, scores, typed)
    bare = {found.cell for found in form.formulas if found.value is None} if form.formulas else ()
    if bare:
        unlike = map(or_, unlike, (cells.get("score") in bare for cells in column_of(form.indicators, "cells")))
    return compress(count(), unlike)


def _edit(
    book: AnyWorkbook, form: Form, result: FormResult, edits: dict[int, Edits], *, keep: bool, lang: Lang
) -> None:
    """Add a form's edits, but none of a cell that shows the value, whose formula disagrees, or that must be kept."""
    for address, field, value in _wanted(form, result, book):
        if address is None or value is None:
            continue
        index, position, old, cell = _shown(book, form, address)
        if cell is not None and cell.formula is not None:
            gives = _gives(book.sheet(index), edits[index], cell.formula)
            own = _result(cell, gives, result, address, field, value, lang)
            if own is not None:
                edits[index][position] = own
        elif not old or not (keep or _shows(old, value)):
            edits[index][position] = value
            if old and not (field in _LABELLED and isinstance(value, str) and value.startswith(old)):
                result["replaced"].append({"cell": address, "field": field, "old": old, "new": _plain(value)})


def _gives(sheet: Sheet, edits: Edits, formula: str) -> float | None:
    """What a simple formula gives once the cells so far are filled in, None where it is not simple."""
    filled = {place: Cell(_plain(value), None if isinstance(value, str) else value) for place, value in edits.items()}
    typed = any(_is_typed(sheet.cells.get(place)) for place in edits)
    return recompute_after(sheet.cells, filled, formula, typed=typed)


def _result(
    cell: Cell, gives: float | None, result: FormResult, address: str, field: str, value: str | float, lang: Lang
) -> str | float | None:
    """What the copy saves as a formula's result: its own; None leaves it. Where that is not ours a finding says so."""
    own = gives if gives is not None else cell.text if cell.value is None else cell.value
    shown = cell.text.strip() if own in {cell.value, cell.text} else _plain(own)
    agrees = own == value or (shown != "" and _shows(shown, value))
    rests = field in _SUMMED and gives is None and not (agrees and cell.cached) and not _disagrees(result, "total")
    if rests or shown == "":
        return value
    if not agrees:
        result["findings"].append(finding_result(Finding("S10", address, field, shown, _plain(value)), lang))
    if cell.cached:
        return None if gives is None or (cell.value is not None and isclose(gives, cell.value)) else gives
    return own if agrees or gives is not None else None


def _disagrees(result: FormResult, field: str) -> bool:
    """Whether a field's formula was found to give another figure than the rules."""
    return any(found["code"] == "S10" and found["field"] == field for found in result["findings"])


def _complete(book: AnyWorkbook, forms: Sequence[Form], edits: dict[int, Edits]) -> None:
    """Give the forms' other formulas the results they were saved without, unless what they rest on may have changed."""
    bare = [_spot(book, form, f.cell) for form in forms for f in form.formulas if f.formula and f.value is None]
    if not bare or any(_is_typed(book.sheet(index).cells.get(place)) for index, own in edits.items() for place in own):
        return
    for index, place, cell in bare:
        if cell is not None and cell.text and cell.type in _SAVED:
            edits[index].setdefault(place, cell.text if cell.value is None else cell.value)


def _is_typed(cell: Cell | None) -> bool:
    return cell is None or cell.formula is None


def _float(text: str | None) -> float | None:
    return None if text is None else float(text)


def _plain(value: Value) -> str:
    return value if isinstance(value, str) else f"{value:.10g}"


def _shows(old: str, value: str | float) -> bool:
    """Whether the cell already says so, in whatever hand (``10.00``, ``10分``, ``100%``)."""
    if not isinstance(value, str):
        return abs(number(old) - (value * 100 if "%" in old else value)) < _SAME
    return abs(number(old) - float(value[:-1])) < _SAME if value.endswith("%") else old == value


def _rate(fund: FundRow, rate: str | None, book: AnyWorkbook, form: Form) -> str | float | None:
    """The rate in the cell's own hand: a number under a percent format, else text with its sign.

    A typed rate that agrees at the precision it is printed with is left alone.
    """
    address = fund.cells.get("rate")
    if rate is None or address is None:
        return None
    typed = fund.values.get("rate")
    share = float(rate[:-1])
    if typed and _agrees(typed, share):
        cell = _shown(book, form, address)[3]
        return None if cell is None or cell.cached else cell.value
    index, position, cell = _spot(book, form, address)
    style = cell.style if cell else book.style_at(index, *position)
    return round(share / 100, 6) if "%" in book.number_format(style) else rate


def _agrees(typed: str, share: float) -> bool:
    """Whether a printed rate is ``share`` rounded or cut to the places it is printed with."""
    shown = typed.strip()
    text = shown.rstrip("%％")
    if text == shown or not _PLAIN_RATE.fullmatch(text):
        return False
    places = len(text.partition(".")[2])
    return abs(float(text) - share) < 10.0**-places


def _total(form: Form, result: FormResult, book: AnyWorkbook) -> Iterator[tuple[str | None, str, str | float | None]]:
    """Total and grade; in a cell that holds their labels too (``总分：96分 等级：优``) only figure and word change."""
    address, total, grade = form.total_cells.get("score"), result["total"], result["grade"]
    written = form.total.get("score")
    holds_more = address is not None and (written is None or _shown(book, form, address)[2] != written)
    cell = _spot(book, form, address)[2] if address and holds_more else None
    if cell is not None and total is not None and written is None and cell.text.strip() and cell.formula is None:
        yield address, "total", _behind_colon(cell.text, total)
        if form.total_cells.get("grade") != address:
            yield form.total_cells.get("grade"), "grade", _grade(form, book, grade)
        return
    if cell is None or total is None or written is None:
        yield address, "total", _float(total)
        yield form.total_cells.get("grade"), "grade", _grade(form, book, grade)
        return
    text = cell.text if _shows(written, float(total)) else cell.text.replace(written, total, 1)
    if form.total_cells.get("grade") == address:
        old = form.total.get("grade")
        head, word, tail = text.rpartition(old) if old and grade else (text, "", "")
        text = head + (grade or "") + tail if word else text
    else:
        yield form.total_cells.get("grade"), "grade", _grade(form, book, grade)
    yield address, "total", text


def _behind_colon(text: str, figure: str) -> str | None:
    """A label's own cell with the missing figure put in (``总分：  分``); None where there is no place for it."""
    label = _LABEL.fullmatch(text)
    return label[1] + figure + label[2] if label else None


def _grade(form: Form, book: AnyWorkbook, grade: str | None) -> str | None:
    """The grade as the cell has it: a prefix such as ``等级：`` stays, a typed alias of the same grade stays."""
    address = form.total_cells.get("grade")
    if grade is None or address is None:
        return None
    cell = _spot(book, form, address)[2]
    text = cell.text if cell else ""
    if not text.strip():
        return grade
    prefix = _grade_prefix().match(text)
    rest = text[prefix.end() :] if prefix else text
    if form.total.get("grade") is None and rest.strip():
        return None  # the cell holds something that is no grade: leave it
    return text[: len(text) - len(rest.lstrip())] + grade


@cache
def _grade_prefix() -> re.Pattern[str]:
    return re.compile(load("labels.toml")["grade"]["prefix"])
