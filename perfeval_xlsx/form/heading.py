"""What stands around the tables: title, year, unit's name, money unit, goals, total and grade."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding
from perfeval_xlsx.form.grid import Grid
from perfeval_xlsx.form.header import Header
from perfeval_xlsx.form.labels import (
    LONGEST,
    bare,
    pattern,
    plain,
    plain_row,
    unit_stated,
)
from perfeval_xlsx.form.locate import is_fund_header
from perfeval_xlsx.form.model import AMOUNT_FIELDS, Form, Kind
from perfeval_xlsx.form.numerals import arabic
from perfeval_xlsx.form.title import is_continued, is_title
from perfeval_xlsx.workbook import row_column

_WRITTEN_YEAR = re.compile("二[〇零○OＯ0]二[〇零○OＯ0一二三四五六七八九]|二[〇零○OＯ0]一[〇零○OＯ0一二三四五六七八九]")
_ZEROS = str.maketrans("○OＯ0", "〇〇〇〇")
_WHOLE = 3
"""A label of so many characters is known inside a text, too."""
_NAME = 4
"""A value behind its label without a colon has so many characters at least."""
Fact = tuple[int, int, str, str, str]
"""Row, column and text of a cell, a label in it, and what stands behind that in the cell."""


def first_row(grid: Grid, after: int, anchor: int) -> int:
    """Where a form begins: at its title; without one, below the last gap; else at its first head label.

    Args:
        grid: The sheet.
        after: Last row of what stands above.
        anchor: First row of the form's tables.
    """
    rows = grid.rows_between(after + 1, anchor - 1)
    title = next((row for row in reversed(rows) if is_title(grid, row)), None)
    if title is not None:
        return title - 1 if _opens_title(grid, title - 1, grid.texts(title)[0][0]) else title
    if after == 0:
        return rows[0] if rows else anchor
    start = anchor
    for row in reversed(rows):
        if start - row > 1 or not any(_is_head_label(text) for _, text in grid.texts(row)):
            break
        start = row
    return start


def begins_form(grid: Grid, row: int, *, repeated: bool = False) -> bool:
    """Whether a row belongs to the beginning of a form: its title, a label of its head, a fund table.

    Args:
        grid: The sheet.
        row: The row.
        repeated: A page that goes on (续表) repeats the head: only another title or a fund table begins a form.
    """
    if is_continued(grid, row):
        return False
    if is_title(grid, row) or is_fund_header(grid, row):
        return True
    return not repeated and any(_is_head_label(text) for _, text in grid.texts(row))


def _opens_title(grid: Grid, row: int, column: int) -> bool:
    """Whether a row is the first line of a title over two rows: its only cell, above the second line, and no label."""
    texts = grid.texts(row)
    if len(texts) != 1 or texts[0][0] != column:
        return False
    folded = plain_row(texts[0][1])
    aside = any(folded.startswith(plain(word)) for word in load("labels.toml")["title"]["above"])
    return len(folded) <= LONGEST and ":" not in folded and not aside


def _is_head_label(text: str) -> bool:
    return split_label(text)[0] in _head_labels()


def _is_label(text: str) -> bool:
    """Whether a text is a label of the head, its total's and grade's included."""
    return split_label(text)[0] in _labels()


@cache
def _labels() -> frozenset[str]:
    head = load("labels.toml")["head"]
    return _head_labels().union(head["total"], head["grade"])


@cache
def _head_labels() -> frozenset[str]:
    head = load("labels.toml")["head"]
    return _bare_names([name for group in head["org"] for name in group] + head["project"] + head["other"])


def _bare_names(names: Iterable[str]) -> frozenset[str]:
    """Labels of the head as they are compared (see ``split_label``)."""
    return frozenset(bare(name) for name in names)


@cache
def names_of(key: str, section: str = "head") -> frozenset[str]:
    """Labels of ``labels.toml [section] key`` as they are compared (see ``split_label``)."""
    return _bare_names(load("labels.toml")[section][key])


@cache
def _names_of_org() -> list[frozenset[str]]:
    """Labels of the unit's name, those that count first first."""
    return [_bare_names(group) for group in load("labels.toml")["head"]["org"]]


def facts_of(grid: Grid, rows: list[int]) -> list[Fact]:
    """What the cells of some rows say as labels, in the order of the sheet."""
    return [
        (row, column, text, label, inline)
        for row in rows
        for column, text in grid.texts(row)
        for label, inline in facts_in(text)
    ]


def read_heading(form: Form, grid: Grid, rows: list[int], facts: list[Fact]) -> None:
    """Fill in title, kind, year and org from the rows above the tables."""
    title = next((row for row in rows if is_title(grid, row)), None)
    if title is not None:
        column, form.title = max(grid.texts(title), key=lambda item: len(item[1]))
        form.head_cells["title"] = form.head_cells["year"] = grid.address(title, column)
        if rows[0] == title - 1 and not is_title(grid, rows[0]):
            form.title = grid.texts(rows[0])[0][1] + form.title
    form.kind = kind_of(form.title or form.sheet)
    form.year = _year(grid, rows, facts, form)
    read_names(form, grid, rows, facts)
    if "org" not in form.head_cells and form.title is not None:
        form.org = org_in(form.title)


def read_names(form: Form, grid: Grid, rows: list[int], facts: list[Fact]) -> None:
    """Fill in the unit's and the project's name from rows of the head."""
    for names in _names_of_org():
        found = _labelled(grid, rows, facts, names)
        if found:
            form.head_cells.setdefault("org", found[0][0])
        filled = next(((cell, text) for cell, text in found if text), None)
        if filled is not None:
            form.head_cells["org"], form.org = filled[0], pattern("head", "seal").sub("", filled[1])
            break
    projects = _labelled(grid, rows, facts, names_of("project"))
    form.project = next((text for _, text in projects if text), None)


@lru_cache(maxsize=4096)
def org_in(title: str) -> str | None:
    """The unit that a title names at its year (``临海县水利局2022年度部门整体…``), None where it names none."""
    match = pattern("title", "org").search(plain_row(title))
    return match["org"] if match else None


@lru_cache(maxsize=4096)
def kind_of(title: str) -> Kind:
    """The kind of form a title announces."""
    folded = plain_row(title)
    kinds = load("labels.toml")["kind"]
    if any(plain(word) in folded for word in kinds["transfer"]):
        return "transfer"
    return "department" if any(plain(word) in folded for word in kinds["department"]) else "project"


def _year(grid: Grid, rows: list[int], facts: list[Fact], form: Form) -> int | None:
    """The year of the title and the lines around it, else of the sheet's or the file's name."""
    if form.title and (year := _year_of_title(form.title)) is not None:
        return year
    named = [form.title] if form.title else []
    named += [text for _, text in _labelled(grid, rows, facts, names_of("labels", "year")) if text]
    texts = []
    for row in rows:
        cells = grid.texts(row)
        if len(cells) <= 2 and not any(_is_head_label(text) or _is_dated(text) for _, text in cells):
            texts += [text for _, text in cells]
    year = year_in(named) or year_in(texts) or year_in([form.sheet])
    return year or year_in([Path(form.path).stem], "file_patterns")


@lru_cache(maxsize=1024)
def _year_of_title(title: str) -> int | None:
    """The year that a title names in the surest way, before which no other text counts."""
    match = re.search(load("labels.toml")["year"]["patterns"][0], _without_spans(title))
    return int(match[1]) if match else None


def _is_dated(text: str) -> bool:
    """Whether a text names a day (填报日期), whose year is not the form's."""
    return any(plain(word) in plain(text) for word in load("labels.toml")["year"]["not_before"])


def year_in(texts: Iterable[str], key: str = "patterns") -> int | None:
    """The first year that any text names, the surest pattern first; a span of years (``2021—2025年``) names none."""
    folded = [*map(_without_spans, texts)]
    for expression in load("labels.toml")["year"][key]:
        for text in folded:
            match = re.search(expression, text)
            if match:
                return int(match[1])
    alone = [text for text in folded if re.fullmatch(r"20[0-3]\d年?", text)]
    if alone:
        return int(alone[0][:4])
    written = [arabic(text.translate(_ZEROS)) for text in folded if _WRITTEN_YEAR.search(text)]
    return year_in(written, key) if written else None


def _without_spans(text: str) -> str:
    return pattern("year", "span").sub("", plain_row(text))


def _labelled(grid: Grid, rows: list[int], facts: list[Fact], wanted: frozenset[str]) -> list[tuple[str, str | None]]:
    """Address and text of labels' values, right of them or behind their colon, in the order of the sheet."""
    values: list[tuple[str, str | None]] = []
    for row, column, text, label, inline in facts:
        if label not in wanted or _is_unit(text, inline):
            continue
        if inline:
            values.append((grid.address(row, column), inline))
        else:
            beside = right_of(grid, row, column)
            beside = beside[0], _first_fact(beside[1])
            values.append((beside[1] is None and below_labels(grid, row, column, rows)) or beside)
    return values


@lru_cache(maxsize=2048)
def facts_in(text: str) -> list[tuple[str, str]]:
    """Labels and values in one cell: ``主管部门：水利厅  实施单位：水务局`` holds two.

    A further fact begins behind white space or a semicolon with words and a colon, or with a known label and a colon.
    """
    folded = unicodedata.normalize("NFKC", text)
    if ":" not in folded:
        return [_spaced(folded.strip()) or (split_label(text)[0], "")]
    begins = [0, *_later_facts(folded)]
    facts = [split_label(folded[a:b].strip(" \n;,")) for a, b in zip(begins, [*begins[1:], None], strict=True)]
    return [(label, inline.strip()) for label, _, inline in facts]


def _spaced(text: str) -> tuple[str, str] | None:
    """A known label and the value that stands behind white space in its cell (``填报单位（盖章）  水务局``)."""
    if len(text.split(maxsplit=1)) < 2:
        return None
    match = _label_before_space().match(text)
    if match is None or bare(text) in _head_labels() or len(match["value"]) < _NAME:
        return None
    return bare(match["label"]), match["value"]


def _later_facts(text: str) -> list[int]:
    """Where further facts begin in a text."""
    first = text.find(":") + 1
    if not first:
        return []
    apart = [match.start("label") for match in pattern("head", "apart").finditer(text)]
    known = [match.start() for match in _known_label().finditer(text, first)]
    begins: list[int] = []
    for at in sorted({*apart, *known}):
        if not begins or ":" in text[begins[-1] : at]:
            begins.append(at)
    return begins


@cache
def _label_before_space() -> re.Pattern[str]:
    names = sorted((re.escape(name) for name in _head_labels() if len(name) >= _WHOLE), key=len, reverse=True)
    return re.compile(f"(?P<label>(?:{'|'.join(names)})(?:[(][^()]*[)])?)\\s+(?P<value>\\S.*)$", re.DOTALL)


@cache
def _known_label() -> re.Pattern[str]:
    names = {*_head_labels(), *names_of("total"), *names_of("grade")}
    longest = sorted((re.escape(name) for name in names if len(name) >= _WHOLE), key=len, reverse=True)
    return re.compile(f"(?:{'|'.join(longest)})(?:[(][^()]*[)])?:")


def _first_fact(text: str | None) -> str | None:
    """What stands before the first label in a value's cell (``水务局  联系电话：0571``)."""
    begins = _later_facts(unicodedata.normalize("NFKC", text)) if text and (":" in text or "：" in text) else []
    return text if not begins or text is None else text[: begins[0]].strip()


def below_labels(grid: Grid, row: int, column: int, rows: list[int]) -> tuple[str, str | None] | None:
    """Address and text below a label of a row that holds nothing but labels, over a row that holds none."""
    below = grid.bottom(row, column) + 1
    if below not in rows or len(grid.texts(row)) < 2 or any(_is_label(text) for _, text in grid.texts(below)):
        return None
    text = grid.own(below, column)
    return (grid.address(below, column), text) if text and all(_is_label(t) for _, t in grid.texts(row)) else None


@lru_cache(maxsize=2048)
def _is_unit(text: str, inline: str) -> bool:
    """Whether a label 单位 means the money unit: ``单位：万元``, ``单位（万元）``."""
    folded = plain_row(text)
    return bool(pattern("units", "alone").match(folded) or (not inline and pattern("units", "stated").search(folded)))


@lru_cache(maxsize=2048)
def split_label(text: str) -> tuple[str, str, str]:
    """A label, its colon and what follows it in the same cell."""
    folded = unicodedata.normalize("NFKC", text)
    label, colon, rest = folded.partition(":")
    return (bare(label), colon, rest) if len(label) <= LONGEST else ("", "", "")


def right_of(grid: Grid, row: int, column: int) -> tuple[str, str | None]:
    """Address and text of the next filled cell to the right; of the blank one beside where a label follows."""
    after = grid.right(row, column) + 1
    filled = next((cell for cell in grid.texts(row) if cell[0] >= after), None)
    if filled is None or _is_label(filled[1]):
        return grid.address(row, after), None
    return grid.address(row, filled[0]), filled[1]


def read_unit(form: Form, grid: Grid, header: Header | None, rows: Iterable[int]) -> None:
    """Fill in the money unit: stated at the fund table, in the head, alone in a cell, or with every amount."""
    table = [header.top, header.bottom] if header is not None else []
    table += [fund.row for fund in form.funds]
    if header is None:  # pairs may stand over two rows
        table += [row_column(cell)[0] for fund in form.funds for cell in fund.cells.values()]
    lines = map(grid.lines.__getitem__, grid.rows_between(min(table), max(table))) if table else ()
    texts = (text for line in lines for text in line.values())
    head = [(row, c, text) for row in rows for c, text in grid.texts(row) if len(text) <= 2 * LONGEST]
    own, above = unit_stated(texts), unit_stated(text for _, _, text in head)
    form.unit = own or above or _unit_of_values(form)
    if own and above and own != above:
        cell = next(grid.address(row, c) for row, c, text in head if unit_stated([text]))
        form.findings.append(Finding("R21", cell, "unit", above, own))


def _unit_of_values(form: Form) -> str | None:
    """The unit every written amount of the fund table carries; None where they differ or carry none."""
    units = set()
    for fund in form.funds:
        for name in AMOUNT_FIELDS:
            text = plain_row(fund.values.get(name) or "")
            match = pattern("units", "in_value").match(text)
            if match:
                units.add({"万": "万元", "亿": "亿元"}.get(match[1], match[1]))
    return units.pop() if len(units) == 1 else None
