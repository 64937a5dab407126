"""Lists of units and indicators for blank forms: .csv (UTF-8 or GBK) or a workbook, one row an indicator."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import NamedTuple

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, Lang, PerfevalError, cause_of
from perfeval_xlsx.form.labels import bare, find
from perfeval_xlsx.form.model import Kind
from perfeval_xlsx.output.template_blank import Blank, Indicator, points_of
from perfeval_xlsx.workbook import open_any

NO_HEADER, BAD_ROWS, NOT_READ = "L01", "L02", "L03"
NAME_COLUMNS = ("org", "project", "department")
LEVELS = ("level1", "level2")
_INDICATOR = tuple(each.name for each in fields(Indicator))
_BOM_16 = (b"\xff\xfe", b"\xfe\xff")
_CLOSE = 0.005


class Problem(NamedTuple):
    """What is wrong with a row of a list (0: with the list as a whole): a key of ``[list]`` and its values."""

    row: int
    key: str
    values: dict[str, str]


@dataclass(slots=True)
class _Entry:
    """One form being collected."""

    names: dict[str, str]
    indicators: list[Indicator] = field(default_factory=list)


def read_list(path: Path, kind: Kind, execution_points: float | None) -> list[Blank]:
    """Read a list; rows of the same unit and project make up one form.

    Args:
        path: A .csv file in UTF-8, UTF-16 or GBK, or a workbook whose first sheet with a header counts.
        kind: Kind of the forms.
        execution_points: Points of the execution of the budget: a form whose points are all given must come to 100 with
            them; None where the form prints no points.

    Raises:
        PerfevalError: The file cannot be read, has no header, or rows are wrong; those are named.
    """
    table = list(table_rows(path, lambda cells: bool(_header(cells))))
    at, columns = next(
        ((at, columns) for at, (_, row) in enumerate(table) if (columns := _header(row))), (0, dict[str, int]())
    )
    if not columns:
        raise PerfevalError(Finding(NO_HEADER, found=str(path)))
    problems: list[Problem] = []
    entries = _entries(table[at + 1 :], columns, problems)
    if execution_points is not None:
        problems += _sums(entries, execution_points)
    if problems or not entries:
        raise _refusal(path, problems)
    return [_blank(entry, kind) for entry in entries]


def _blank(entry: _Entry, kind: Kind) -> Blank:
    org, project, department = (entry.names.get(name, "") for name in NAME_COLUMNS)
    return Blank(kind, org=org, project=project, department=department, indicators=tuple(entry.indicators))


def table_rows(path: Path, wanted: Callable[[Sequence[str]], bool]) -> Iterator[tuple[int, list[str]]]:
    """Yield number and cells, white space stripped, of every row that holds something.

    Args:
        path: A .csv file, or a workbook, of which the first visible sheet with a row that is ``wanted`` counts.
        wanted: Tells the row by which a sheet is known.

    Raises:
        PerfevalError: The file cannot be read.
    """
    if path.suffix.lower() in {".csv", ".txt", ".tsv"}:
        rows = enumerate(csv.reader(io.StringIO(text := _decoded(path), newline=""), delimiter=_delimiter(text)), 1)
        yield from ((number, [cell.strip() for cell in row]) for number, row in rows if any(map(str.strip, row)))
        return
    for sheet in open_any(path).sheets():
        by_row: dict[int, dict[int, str]] = {}
        for (row, column), cell in sheet.cells.items():
            if sheet.state == "visible" and cell.text.strip():
                by_row.setdefault(row, {})[column] = cell.text.strip()
        if any(wanted(list(cells.values())) for cells in by_row.values()):
            for number, cells in sorted(by_row.items()):
                yield number, [cells.get(column, "") for column in range(1, max(cells) + 1)]
            return


def _decoded(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise PerfevalError(Finding("B01", found=str(path))) from error
    except OSError as error:
        raise PerfevalError(Finding("B04", found=str(path), args={"detail": cause_of(error)})) from error
    encodings = ["utf-16"] if content.startswith(_BOM_16) else load("templates.toml")["list"]["encodings"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise PerfevalError(Finding(NOT_READ, found=str(path)))


def _delimiter(text: str) -> str:
    """The mark that the first rows hold most of."""
    head = text[:4096]
    marks: list[str] = load("templates.toml")["list"]["delimiters"]
    return max(marks, key=head.count)


def _header(row: Sequence[str]) -> dict[str, int]:
    """Column of every field a header row names; empty for a row that names neither a unit nor an indicator."""
    words = load("templates.toml")["list"]
    columns: dict[str, int] = {}
    for at, text in enumerate(row):
        name = next((name for name in NAME_COLUMNS if bare(text) in words[name]), None)
        match = find("indicator", text) if text and name is None else None
        if name is None and match is not None and match.field in _INDICATOR:
            name = match.field
        if name is not None:
            columns.setdefault(name, at)
    titled = {"org", "level3"}.intersection(columns)
    return columns if titled and len(columns) >= min(2, len([text for text in row if text])) else {}


def _entries(rows: Sequence[tuple[int, list[str]]], columns: dict[str, int], problems: list[Problem]) -> list[_Entry]:
    """Collect the forms; names and levels are carried down over blank cells, as merged ones are."""
    entries: dict[tuple[str, ...], _Entry] = {}
    names: dict[str, str] = {}
    levels: dict[str, str] = {}
    for number, row in rows:
        cells = {name: row[at] if at < len(row) else "" for name, at in columns.items()}
        if any(cells.get(name) and cells[name] != names.get(name) for name in NAME_COLUMNS):
            names = _names(cells, names)
            levels = {}
        if "org" in columns and not names.get("org"):
            problems.append(Problem(number, "problem_org", {}))
            continue
        entry = entries.setdefault(tuple(names.get(name, "") for name in NAME_COLUMNS), _Entry(names))
        if any(cells.get(name) for name in _INDICATOR):
            levels = _levels(cells, levels)
            _add(entry, {**cells, **levels}, number, problems)
    return list(entries.values())


def _names(cells: dict[str, str], above: dict[str, str]) -> dict[str, str]:
    """The names of a row: a new unit drops the project above it, a new project keeps the unit."""
    if cells.get("org") and cells["org"] != above.get("org"):
        above = {}
    return {name: cells.get(name) or above.get(name, "") for name in NAME_COLUMNS}


def _levels(cells: dict[str, str], above: dict[str, str]) -> dict[str, str]:
    if cells.get("level1") and cells["level1"] != above.get("level1"):
        above = {}
    return {name: cells.get(name) or above.get(name, "") for name in LEVELS}


def _add(entry: _Entry, cells: dict[str, str], number: int, problems: list[Problem]) -> None:
    """Add a row to its form, or say what is wrong with it."""
    found = list(_wrong(entry, cells))
    problems += [Problem(number, key, values) for key, values in found]
    if not found:
        texts = {name: cells.get(name, "") for name in _INDICATOR if name != "weight"}
        entry.indicators.append(Indicator(**texts, weight=points_of(cells.get("weight", ""))))


def _wrong(entry: _Entry, cells: dict[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    signs = load("templates.toml")["signs"]["choices"]
    for name in ("level1", "level3"):
        if not cells.get(name):
            yield f"problem_{name}", {}
    if cells.get("weight") and points_of(cells["weight"]) is None:
        yield "problem_weight", {"found": cells["weight"]}
    if cells.get("sign") and cells["sign"] not in signs:
        yield "problem_sign", {"found": cells["sign"], "allowed": " ".join(signs)}
    same = Counter((row.level1, row.level2, row.level3) for row in entry.indicators)
    if same[cells.get("level1", ""), cells.get("level2", ""), cells.get("level3", "")]:
        yield "problem_twice", {"found": cells["level3"]}


def _sums(entries: Sequence[_Entry], execution_points: float) -> Iterator[Problem]:
    """Forms whose points are all given but do not come to 100 with those of the execution."""
    for entry in entries:
        weights = [row.weight for row in entry.indicators if row.weight is not None]
        total = sum(weights)
        if weights and len(weights) == len(entry.indicators) and abs(total + execution_points - 100) > _CLOSE:
            name = entry.names.get("project") or entry.names.get("org", "")
            values = {"found": name, "sum": f"{round(total, 6):g}", "points": f"{execution_points:g}"}
            yield Problem(0, "problem_sum", values)


def _refusal(path: Path, problems: Sequence[Problem]) -> PerfevalError:
    args = {"problems_zh": _listed(problems, "zh"), "problems_en": _listed(problems, "en")}
    return PerfevalError(Finding(BAD_ROWS if problems else NO_HEADER, found=str(path), args=args))


def _listed(problems: Sequence[Problem], lang: Lang) -> str:
    words = load("templates.toml")["list"]
    shown = [
        (words["row"][lang].format(row=row) if row else "") + words[key][lang].format(**values)
        for row, key, values in problems[: words["shown"]]
    ]
    rest = len(problems) - len(shown)
    more: str = words["more"][lang].format(count=rest) if rest > 0 else ""
    return str(words["join"][lang]).join(shown) + more
